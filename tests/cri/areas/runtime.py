# SPDX-License-Identifier: Apache-2.0
"""Runtime info."""

from areas import test
from machine import expect, expect_equal


@test()
def the_runtime_tells_its_version_and_that_it_is_ready(node):
    version = node.client.call("Version")
    expect_equal(version.runtime_api_version, "v1", "the API's version")
    conditions = {one.type: one.status for one in node.client.call("Status").status.conditions}
    expect_equal(conditions, {"RuntimeReady": True, "NetworkReady": True}, "conditions")


@test()
def an_unknown_runtime_class_is_refused(node):
    try:
        node.pod(runtime="nobodys")
    except Exception as error:  # pylint: disable=broad-except
        expect("nobodys" in str(error), error)
        return
    expect(False, "a pod runs in a class that nobody has configured")
