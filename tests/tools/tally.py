# SPDX-License-Identifier: Apache-2.0
"""Results of tests: one line for each as it ends, and a tally file for `make check` to add up.

The file: a line with the numbers of passed, failed and skipped tests, then one line for each that
failed, with the beginning of its reason.

A skipped test is a failed one where DN_TESTS_MUST_RUN=1, as it is in CI: what cannot run there
proves nothing.
"""

import os
import sys
import threading

TALLY_DIR = os.environ.get("DN_TALLY_DIR", "build/check")


class Tally:
    def __init__(self, part):
        self.part = part
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self._lock = threading.Lock()

    def passes(self, name, note=""):
        with self._lock:
            self.passed += 1
            self._line("ok", name, note)

    def fails(self, name, why=""):
        with self._lock:
            self.failed += 1
            self.failures.append(brief(name, why))
            self._line("not ok", name)
            for line in why.rstrip().splitlines():
                print(f"    {line}", flush=True)

    def skips(self, name, why):
        if os.environ.get("DN_TESTS_MUST_RUN") == "1":
            self.fails(name, f"skipped, but it must run here: {why}")
            return
        with self._lock:
            self.skipped += 1
            self._line("skip", name, why)

    def end(self):
        """Writes the tally and returns the exit status.  A part without any test has failed."""
        if self.passed + self.failed + self.skipped == 0:
            self.fails(self.part, "there was no test to run")
        os.makedirs(TALLY_DIR, exist_ok=True)
        with open(os.path.join(TALLY_DIR, f"{self.part}.tally"), "w") as file:
            file.write(f"{self.passed} {self.failed} {self.skipped}\n")
            file.writelines(f"{failure}\n" for failure in self.failures)
        print(f"{self.part}: {self.words()}", flush=True)
        return 1 if self.failed else 0

    def words(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    @staticmethod
    def _line(word, name, note=""):
        print(f"{word:<7}{name}" + (f"  # {note}" if note else ""), flush=True)


def brief(name, why):
    """One line for a list of failures: the name and the first line of the reason."""
    lines = [line.strip() for line in why.splitlines() if line.strip()]
    return f"{name}: {lines[0]}"[:300] if lines else name


def read_tally(part, directory=TALLY_DIR):
    """The Tally that a part left, or None where it left none."""
    tally = Tally(part)
    try:
        with open(os.path.join(directory, f"{part}.tally")) as file:
            tally.passed, tally.failed, tally.skipped = map(int, file.readline().split())
            tally.failures = file.read().splitlines()
    except (OSError, ValueError):
        return None
    return tally


def labels_done():
    """The tests that an earlier run, which was cut off, has ended already."""
    try:
        with open(os.environ["E2E_DONE"]) as file:
            return set(file.read().splitlines())
    except (KeyError, FileNotFoundError):
        return set()


def forget_tally(part, directory=TALLY_DIR):
    try:
        os.unlink(os.path.join(directory, f"{part}.tally"))
    except FileNotFoundError:
        pass
    except OSError as error:
        sys.exit(f"{part}: cannot remove the old tally: {error}")
