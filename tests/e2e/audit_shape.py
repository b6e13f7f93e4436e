# SPDX-License-Identifier: Apache-2.0
"""Whether a document has the shape that docs/audit.md describes: the block of JSON on that page is
read, so that page and program cannot part."""

import json
import os
import re

from machine import TOP, expect

TYPES = {
    "text": lambda value: isinstance(value, str) and value.isprintable(),
    "day": lambda value: isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value),
    "time": lambda value: isinstance(value, str)
    and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "any": lambda value: True,
}


def read_shape():
    with open(os.path.join(TOP, "docs/audit.md")) as file:
        return json.loads(re.search(r"^```json\n(.*?)^```$", file.read(), re.M | re.S).group(1))


def check(value, shape, where="document"):
    """Fails, naming the member, where the value has not the shape."""
    if isinstance(shape, dict):
        if value is None and "?" in shape:
            return
        expect(isinstance(value, dict), f"{where}: {value!r} is no object")
        for name, below in shape.items():
            if name != "?":
                expect(name in value, f"{where}: no member {name!r}")
                check(value[name], below, f"{where}.{name}")
    elif isinstance(shape, list):
        if value is None and "?" in shape[1:]:
            return
        expect(isinstance(value, list), f"{where}: {value!r} is no list")
        for number, one in enumerate(value):
            check(one, shape[0], f"{where}[{number}]")
    else:
        kind = shape.removesuffix("?")
        if value is None and kind != shape:
            return
        fits = TYPES[kind](value) if kind in TYPES else value in kind.split("|")
        expect(fits, f"{where}: {value!r} is not {shape}")
