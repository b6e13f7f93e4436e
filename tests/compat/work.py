# SPDX-License-Identifier: Apache-2.0
"""What a Python program may do in a container: prints "done" when all of it has worked."""

import ctypes
import http.server
import multiprocessing
import os
import sqlite3
import subprocess
import tempfile
import threading
import urllib.request


def square(number):
    return number * number


def database():
    with tempfile.TemporaryDirectory() as directory:
        table = sqlite3.connect(f"{directory}/test.db")
        table.execute("create table t (n integer)")
        table.executemany("insert into t values (?)", [(n,) for n in range(1000)])
        table.commit()
        assert table.execute("select sum(n) from t").fetchone()[0] == 499500


def threads():
    found = []
    all_threads = [threading.Thread(target=lambda n=n: found.append(n)) for n in range(50)]
    for thread in all_threads:
        thread.start()
    for thread in all_threads:
        thread.join()
    assert sorted(found) == list(range(50))


def web():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/srv/work.py").read()
    assert b"SPDX" in page
    server.shutdown()


def main():
    database()
    threads()
    web()
    # Locks between processes are files in /dev/shm.
    with multiprocessing.Pool(2) as pool:
        assert pool.map(square, range(10)) == [n * n for n in range(10)]
    assert subprocess.check_output(["busybox", "echo", "hi"]) == b"hi\n"
    # Memory for a closure that C calls.
    assert ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(square)(7) == 49
    assert len(os.sched_getaffinity(0)) >= 1
    print("done")


if __name__ == "__main__":
    main()
