"""A headless Chromium, driven over WebDriver (https://www.w3.org/TR/webdriver2/): pages as people see them."""
import base64
import json
import subprocess
import tempfile
import urllib.error
import urllib.request
from contextlib import contextmanager

from conftest import wait_for
from frontends import free_port

ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--hide-scrollbars"]


class Browser:
    def __init__(self, port, profile, size, scripts):
        self.base = f"http://127.0.0.1:{port}"
        options = {"args": [*ARGS, f"--user-data-dir={profile}", f"--window-size={size}"], "binary": "/usr/bin/chromium"}
        if not scripts:
            options["prefs"] = {"profile.managed_default_content_settings.javascript": 2}
        wanted = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}}
        self.base += "/session/" + self._ask("POST", "/session", wanted)["sessionId"]

    def _ask(self, method, path, body=None):
        request = urllib.request.Request(self.base + path, json.dumps(body if body is not None else {}).encode() if method == "POST" else None,
                                         {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, url):
        self._ask("POST", "/url", {"url": url})

    def run(self, script, *args):
        return self._ask("POST", "/execute/sync", {"script": script, "args": list(args)})

    def text(self, selector):
        """What a person reads in the first element that fits; "" where there is none, or where the page has just put another in its place."""
        found = self._ask("POST", "/elements", {"using": "css selector", "value": selector})
        try:
            return self._ask("GET", f"/element/{next(iter(found[0].values()))}/text") if found else ""
        except urllib.error.HTTPError as error:
            if error.code != 404:  # stale element reference
                raise
            return ""

    def click(self, selector):
        found = self._ask("POST", "/element", {"using": "css selector", "value": selector})
        self._ask("POST", f"/element/{next(iter(found.values()))}/click")

    def log(self):
        """What the browser complains of: refused scripts, broken resources."""
        return [entry["message"] for entry in self._ask("POST", "/se/log", {"type": "browser"})]

    def picture(self):
        return base64.b64decode(self._ask("GET", "/screenshot"))

    def close(self):
        self._ask("DELETE", "")


def _is_ready(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=5) as answer:
            return json.load(answer)["value"]["ready"]
    except OSError:
        return False


@contextmanager
def browser(size="1200,800", scripts=True):
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="fcgipm-browser.", ignore_cleanup_errors=True) as profile:
        driver = subprocess.Popen(["/usr/bin/chromedriver", f"--port={port}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: _is_ready(port))
            b = Browser(port, profile, size, scripts)
            try:
                yield b
            finally:
                b.close()
        finally:
            driver.terminate()
            driver.wait(20)
