# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium and a server on loopback that remembers what it was asked for.

Pages are served from memory.  The browser resolves no name and reaches nothing but the server.
"""

import http.server
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
import threading
import zlib

PROGRAM = shutil.which("chromium")
SECONDS = 100
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--virtual-time-budget=20000"]
LIGHT, DARK = "light", "dark"


class Browser:
    def __init__(self):
        self.pages, self.asked = {}, []
        browser = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                browser.asked.append(self.path)
                page = browser.pages.get(self.path)
                self.send_response(200 if page else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write((page or "").encode())

            def log_message(self, *_words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def run(self, path, *flags, scheme=LIGHT, width=1280, height=1000):
        """Loads a page with a profile of its own; returns what the browser printed."""
        with tempfile.TemporaryDirectory(prefix="danchi-chromium-") as home:
            command = [PROGRAM, *FLAGS, f"--user-data-dir={home}", f"--window-size={width},{height}",
                       f"--blink-settings=preferredColorScheme={0 if scheme == DARK else 1}", *flags,
                       self.origin + path]
            done = subprocess.run(command, env=dict(os.environ, HOME=home), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS, text=True,
                                  errors="replace")
        if done.returncode != 0:
            raise AssertionError(f"chromium: status {done.returncode}\n{done.stderr[-2000:]}")
        return done.stdout

    def requests_of(self, path):
        """What loading the page makes the browser ask for, besides the page itself."""
        self.asked.clear()
        self.run(path, "--dump-dom")
        if path not in self.asked:
            raise AssertionError(f"the page itself was not asked for: {self.asked}")
        return sorted(set(self.asked) - {path})

    def measure(self, paths, widths, schemes, script):
        """The result of `script`, a function of window and document, for each page in a frame of each width."""
        frames = [(path, width, scheme) for path in paths for width in widths for scheme in schemes]
        self.pages["/measure"] = (
            "<!DOCTYPE html><body><pre id=out></pre><script>const measure = " + script + ", results = [];"
            "for (const [path, width, scheme] of " + json.dumps(frames) + ") {"
            "  const frame = document.createElement('iframe');"
            "  frame.style = `width:${width}px;height:900px;border:0;color-scheme:${scheme}`;"
            "  frame.onload = () => { let value; try { value = measure(frame.contentWindow, frame.contentDocument) }"
            "    catch (error) { value = {error: String(error)} }"
            "    results.push([path, width, scheme, value]);"
            "    document.getElementById('out').textContent = encodeURIComponent(JSON.stringify(results)) };"
            "  frame.src = path; document.body.append(frame); }</script>")
        found = re.search(r'<pre id="out">([^<]*)</pre>', self.run("/measure", "--dump-dom"))
        results = json.loads(bytes.fromhex("".join(  # percent-decoding, without a surprise about +
            match[1] or f"{ord(match[2]):02x}" for match in re.finditer(r"%(..)|(.)", found[1])))) if found[1] else []
        if len(results) != len(frames):
            raise AssertionError(f"{len(results)} of {len(frames)} frames were measured")
        for path, width, scheme, value in results:
            if "error" in value:
                raise AssertionError(f"{path} at {width}, {scheme}: {value['error']}")
        return results

    def screenshot(self, path, file, **options):
        self.run(path, f"--screenshot={file}", **options)
        return read_png(file)

    def print_pdf(self, path, file, **options):
        self.run(path, "--no-pdf-header-footer", f"--print-to-pdf={file}", **options)
        with open(file, "rb") as pdf:
            return pdf.read()


def unfilter(kind, row, above, step):
    for x in range(len(row)):
        left = row[x - step] if x >= step else 0
        if kind == 1:
            row[x] = row[x] + left & 255
        elif kind == 2:
            row[x] = row[x] + above[x] & 255
        elif kind == 3:
            row[x] = row[x] + (left + above[x]) // 2 & 255
        else:
            corner = above[x - step] if x >= step else 0
            guess = left + above[x] - corner
            near = min((abs(guess - left), 0, left), (abs(guess - above[x]), 1, above[x]),
                       (abs(guess - corner), 2, corner))
            row[x] = row[x] + near[2] & 255


def read_png(file):
    """Rows of (red, green, blue), of the only kinds that Chromium writes."""
    with open(file, "rb") as png:
        data = png.read()
    position, compressed = 8, b""
    while position < len(data):
        size, kind = struct.unpack(">I4s", data[position:position + 8])
        chunk = data[position + 8:position + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colors = struct.unpack(">IIBB", chunk[:10])
        elif kind == b"IDAT":
            compressed += chunk
        position += 12 + size
    step = {2: 3, 6: 4}[colors]
    assert depth == 8, depth
    raw, above, rows = zlib.decompress(compressed), bytearray(width * step), []
    for y in range(height):
        start = y * (width * step + 1)
        row = bytearray(raw[start + 1:start + 1 + width * step])
        if raw[start]:
            unfilter(raw[start], row, above, step)
        rows.append([tuple(row[x:x + 3]) for x in range(0, len(row), step)])
        above = row
    return rows
