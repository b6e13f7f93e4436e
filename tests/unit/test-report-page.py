#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The audit's page in a real browser: it asks for nothing, fits every width, light, dark and printed.

Prints TAP.  With --keep DIR screenshots and PDFs stay there, to be looked at.
"""

import collections
import json
import os
import re
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from report_browser import DARK, LIGHT, PROGRAM, Browser  # noqa: E402
from report_document import document  # noqa: E402

RENDER = os.path.join(os.environ.get("DN_TEST_BUILD", "build"), "tests/unit/test-report")
FIXTURES = "tests/golden/report"
STYLE = "launcher/report/page.css"
WIDTHS = (400, 800, 1600)
INTRUDERS = ("<img src=/image><link rel=stylesheet href=/style><script src=/script></script>"
             "<iframe src=/frame></iframe><style>body{background:url(/background)}</style>")

# What is wider than the page, or than the box that it stands in.
OVERFLOWING = """(window, document) => {
  const root = document.documentElement, out = [];
  if (root.scrollWidth > root.clientWidth) out.push(`page: ${root.scrollWidth} in ${root.clientWidth}`);
  for (const element of document.querySelectorAll('body *:not(svg *)')) {
    const head = element.closest('thead');
    if (head && head.getBoundingClientRect().width <= 1) continue;  // for screen readers only
    const box = element.getBoundingClientRect();
    if (box.width && (box.right > root.clientWidth + 1 || box.left < -1))
      out.push(`${element.tagName} ${element.className}: from ${box.left} to ${box.right}`);
    if (/^(TD|TH|DIV|DD|P|H1|H3|A|LI)$/.test(element.tagName) && element.scrollWidth > element.clientWidth + 1
        && element.clientWidth) out.push(`${element.tagName}: ${element.textContent.slice(0, 60)}`);
  }
  return {overflowing: out.slice(0, 5), height: root.scrollHeight};
}"""

# Flats are drawn once, in the definitions: shown here, for text there has no size.
DRAWN = """(window, document) => {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), out = [];
  svg.setAttribute('width', 300); svg.setAttribute('height', 300); document.body.append(svg);
  for (const flat of document.querySelectorAll('defs g[id^=f]')) {
    const copy = flat.cloneNode(true); svg.append(copy);
    const wall = copy.querySelector('.wall').getBBox();
    for (const text of copy.querySelectorAll('text')) {
      const around = text.previousElementSibling, isWindow = around && around.classList.contains('win');
      const box = text.getBBox(), room = isWindow ? around.getBBox()
        : text.parentNode === copy ? wall : text.parentNode.querySelector('.in').getBBox();
      if (!box.width || box.x < room.x || box.x + box.width > room.x + room.width
          || box.y + box.height > room.y + room.height + 3)
        out.push(`${flat.id}: ${text.textContent}: ${box.x}+${box.width} in ${room.x}+${room.width}`);
    }
    copy.remove();
  }
  svg.remove();
  const maps = [...document.querySelectorAll('.map')].filter(map => map.getBoundingClientRect().height > 0);
  const flats = maps.flatMap(map => [...map.querySelectorAll('a')]).filter(a => /^#c/.test(a.getAttribute('href')));
  const boxes = flats.map(flat => flat.getBoundingClientRect());
  let overlaps = 0;
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach(b => {
    if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) overlaps++ }));
  const size = flats.length ? parseFloat(window.getComputedStyle(document.querySelector('.n')).fontSize)
    * boxes[0].width / 184 : 99;
  return {outside: out.slice(0, 5), maps: maps.length, flats: flats.length, overlaps, name_px: size,
    dead: [...document.querySelectorAll('[href]')].map(a => a.getAttribute('href'))
      .filter(href => !document.getElementById(href.slice(1))).slice(0, 5),
    twice: [...document.querySelectorAll('[id]')].map(e => e.id)
      .filter((id, i, all) => all.indexOf(id) !== i).slice(0, 5)};
}"""

SPOKEN = """(window, document) => {
  const all = selector => [...document.querySelectorAll(selector)];
  return {
    levels: all('h1,h2,h3').map(h => +h.tagName[1]),
    tables: all('table').length, captions: all('table > caption').filter(c => c.textContent.trim()).length,
    bad_heads: all('th').filter(th => th.scope !== 'col' || !th.textContent.trim()).length,
    unnamed_cells: all('td').filter(td => !td.dataset.is).length,
    drawings: all('.map > svg').length,
    titled: all('.map > svg > title').filter(t => t.textContent.trim()).length,
    described: all('.map > svg > desc').length,
    links: all('a').length, silent: all('a').filter(a => !a.textContent.trim()).length,
    landmarks: all('header, nav, main, footer').length, language: document.documentElement.lang, title: document.title};
}"""


def render(data):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(data, file)
        file.flush()
        return subprocess.run([RENDER, "html", file.name], check=True, text=True, stdout=subprocess.PIPE).stdout


def load(name):
    with open(f"{FIXTURES}/{name}.json") as file:
        return json.load(file)


def expect(truth, *words):
    if not truth:
        raise AssertionError(" ".join(map(str, words)))


class Tests:
    def __init__(self, directory):
        self.directory = directory
        self.browser = Browser()
        hostile = json.dumps(load("hostile")).replace("http://192.0.2.1", self.browser.origin)
        pages = {"three": load("three"), "hostile": json.loads(hostile), "none": {}, "one": document(1),
                 "many": document(200)}
        self.pages = {f"/{name}": render(data) for name, data in pages.items()}
        self.browser.pages.update(self.pages)

    def file(self, name):
        return os.path.join(self.directory, name)

    def the_page_asks_for_nothing(self):
        for path in ("/three", "/hostile"):
            asked = self.browser.requests_of(path)
            expect(not asked, path, "asked for", asked)

    def its_policy_stops_what_gets_in_anyway(self):
        page = self.pages["/three"]
        policy = re.search(r'<meta http-equiv="Content-Security-Policy"[^>]*>\n', page)[0]
        self.browser.pages["/broken"] = page.replace("</main>", INTRUDERS + "</main>")
        self.browser.pages["/naked"] = self.browser.pages["/broken"].replace(policy, "")
        asked = self.browser.requests_of("/naked")
        expect(set(asked) >= {"/background", "/frame", "/image", "/script", "/style"},
               "the test itself sees no requests, or not all:", asked)
        asked = self.browser.requests_of("/broken")
        expect(not asked, "asked for", asked)

    def nothing_overflows_at_any_width(self):
        for path, width, scheme, found in self.browser.measure(self.pages, WIDTHS, [LIGHT], OVERFLOWING):
            expect(not found["overflowing"], path, width, found["overflowing"])
            expect(found["height"] > 500, path, "is empty")

    def everybody_has_a_flat_and_every_text_its_room(self):
        contexts = {"/three": 3, "/hostile": 2, "/none": 0, "/one": 1, "/many": 200}
        for path, width, scheme, found in self.browser.measure(self.pages, WIDTHS, [LIGHT], DRAWN):
            where = f"{path} at {width}:"
            expect(found["maps"] == 1, where, found["maps"], "maps are shown")
            expect(found["flats"] == contexts[path], where, found["flats"], "flats")
            expect(found["overlaps"] == 0, where, found["overlaps"], "flats overlap")
            expect(not found["outside"], where, found["outside"])
            expect(found["name_px"] >= 10, where, "names are drawn in", found["name_px"], "px")
            expect(not found["dead"] and not found["twice"], where, found["dead"], found["twice"])

    def it_can_be_read_aloud(self):
        for path, width, scheme, found in self.browser.measure(self.pages, [800], [LIGHT], SPOKEN):
            expect(found["levels"][0] == 1 and found["levels"].count(1) == 1, path, found["levels"])
            expect(all(b - a <= 1 for a, b in zip(found["levels"], found["levels"][1:])), path, found["levels"])
            expect(found["tables"] == found["captions"], path, "a table has no caption")
            expect(found["bad_heads"] == found["unnamed_cells"] == found["silent"] == 0, path, found)
            expect(found["drawings"] == found["titled"] > 0 and found["described"] == 3, path, found)
            expect(found["landmarks"] == 4 and found["language"] == "en", path, found)
            expect(found["title"].startswith("Danchi audit: "), path, found["title"])

    def light_is_light_and_dark_is_dark(self):
        for name, width in (("three", 1000), ("many", 600)):
            for scheme in (LIGHT, DARK):
                rows = self.browser.screenshot(f"/{name}", self.file(f"{name}-{scheme}-{width}.png"), scheme=scheme,
                                               width=width, height=640)
                colors = collections.Counter(pixel for row in rows for pixel in row[::3])
                (most, count), total = colors.most_common(1)[0], sum(colors.values())
                expect(len(rows) == 640 and len(rows[0]) == width, name, "has", len(rows[0]), "by", len(rows))
                expect(len(colors) > 60 and count < 0.9 * total, name, scheme, "is blank:", len(colors), "colours")
                expect(max(most) < 60 if scheme == DARK else min(most) > 200, name, scheme, "is mostly", most)
                expect(max(rows[0][0]) < 60 if scheme == DARK else min(rows[0][0]) > 200, name, scheme, rows[0][0])

    def it_prints_in_light_colours_on_pages(self):
        dark, light = colors_of(self.style(DARK)), colors_of(self.style(LIGHT))
        for name, least, most in (("three", 3, 9), ("many", 40, 200)):
            pdf = self.browser.print_pdf(f"/{name}", self.file(f"{name}.pdf"), scheme=DARK)
            expect(pdf.startswith(b"%PDF-") and b"%%EOF" in pdf[-32:], name, "is no PDF")
            pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
            expect(least <= pages <= most, name, "has", pages, "pages")
            used = fills_of(pdf)
            expect(light["--ink"] in used, name, "does not print in ink", sorted(used)[:20])
            expect(not {dark["--bg"], dark["--ink"], dark["--card"]} & used, name, "prints dark")

    @staticmethod
    def style(scheme):
        with open(STYLE) as file:
            blocks = re.findall(r":root \{(.*?)\}", file.read(), re.DOTALL)
        light = dict(re.findall(r"(--[\w-]+): (#\w+);", blocks[0]))
        return light if scheme == LIGHT else {**light, **dict(re.findall(r"(--[\w-]+): (#\w+);", blocks[1]))}

    def its_colours_have_contrast(self):
        surfaces = ("--bg", "--card", "--good", "--att", "--bad", "--unk", "--room", "--room-off", "--block", "--base",
                    "--grass", "--hut", "--concrete", "--open")
        pairs = [("--ink", surface, 4.5) for surface in surfaces]
        pairs += [("--soft", "--bg", 4.5), ("--soft", "--card", 4.5), ("--link", "--bg", 4.5),
                  ("--link", "--card", 4.5), ("--door-t", "--door", 4.5)]
        # Marks and edges are drawings: 3 to 1.
        pairs += [("--glyph", "--good-m", 3), ("--glyph", "--bad-m", 3), ("--glyph", "--unk-m", 3)]
        pairs += [(f"--{name}-e", f"--{name}", 3) for name in ("good", "att", "bad", "unk")]
        for scheme in (LIGHT, DARK):
            colors = colors_of(self.style(scheme))
            for ink, surface, least in pairs:
                ratio = contrast(colors[ink], colors[surface])
                expect(ratio >= least, scheme, ink, "on", surface, f"{ratio:.2f}")
            expect(contrast((0x2b, 0x1f, 0), colors["--att-m"]) >= 3, scheme, "the mark of attention")
            expect(contrast((0x2b, 0x1f, 0), colors["--lit"]) >= 4.5, scheme, "a published port")


def colors_of(style):
    wide = {name: "".join(c * 2 for c in color[1:]) if len(color) == 4 else color[1:] for name, color in style.items()}
    return {name: tuple(bytes.fromhex(color)) for name, color in wide.items()}


def luminance(color):
    parts = [part / 255 for part in color]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def fills_of(pdf):
    """The colours that a PDF fills with: "R G B rg" in its streams."""
    used = set()
    for match in re.finditer(rb"stream\r?\n", pdf):
        try:
            text = zlib.decompressobj().decompress(pdf[match.end():])
        except zlib.error:
            continue
        used |= {tuple(round(float(part) * 255) for part in fill)
                 for fill in re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) rg\b", text)}
    return used


def main():
    if PROGRAM is None:
        print("no chromium here: deps.txt names it")
        return 77
    names = [name for name in vars(Tests) if "_" in name[1:-1] and not name.startswith("_")]
    keep, failed = sys.argv[2] if sys.argv[1:2] == ["--keep"] else None, False
    print(f"1..{len(names)}")
    with tempfile.TemporaryDirectory() as directory:
        tests = Tests(keep or directory)
        for number, name in enumerate(names, 1):
            try:
                getattr(tests, name)()
                word = "ok"
            except (AssertionError, subprocess.SubprocessError) as error:
                print("\n".join("# " + line for line in str(error).splitlines()))
                word, failed = "not ok", True
            print(f"{word} {number} {name.replace('_', ' ')}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
