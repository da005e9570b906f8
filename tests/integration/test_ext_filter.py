"""FcgipmExtFilter: a program through which answers go, in place of mod_ext_filter."""
import os
import re
import threading

import pytest

from cgi_bench import Bench
from conftest import directory, needs_root, wait_for
from httpd import MPMS

pytestmark = needs_root
FILTERS = {
    "upper": "shell /usr/bin/tr a-z A-Z",
    "cat": "shell /usr/bin/cat",
    "head": "shell /usr/bin/head -c 3",
    "typed": "intype=text/plain outtype=text/x-changed shell /usr/bin/tr a-z A-Z",
    "set": "enableenv=wanted shell /usr/bin/tr a-z A-Z",
    "unset": "disableenv=unwanted shell /usr/bin/tr a-z A-Z",
    "env": "shell /usr/bin/env",
    "none": "shell /usr/bin/none-such",
    "killed": "shell /bin/sh -c \"head -c 100000; kill -9 $$\"",
}
CONFIG = """
ScriptAlias /cgi-bin/ @PLACE@/cgi-bin/
<Location /cgi-bin>
  FcgipmExecProfile cgi
  FcgipmExtFilter shell /usr/bin/sed -u s/o/0/
</Location>
SetEnvIf X-Wanted . wanted
SetEnvIf X-Unwanted . unwanted
<Directory @ROOT@/upper/off>
  FcgipmExtFilter off
</Directory>
""" + "".join(f"<Directory @ROOT@/{name}>\n  FcgipmExtFilter {filter}\n</Directory>\n" for name, filter in FILTERS.items())


@pytest.fixture(scope="module", params=MPMS)
def bench(request, accounts):
    with directory() as place:
        b = Bench(place, request.param, CONFIG, modules=("alias", "setenvif"))
        for name in [*FILTERS, "upper/off"]:
            (b.httpd.root / name).mkdir()
            (b.httpd.root / name / "a.txt").write_text("abc def\n")
            (b.httpd.root / name / "a.css").write_text("abc def\n")
            (b.httpd.root / name / "empty.txt").touch()
            (b.httpd.root / name / "big.txt").write_bytes(b"abcdefgh" * 500_000)
        b.httpd.start()
        yield b
        b.stop()


def test_files(bench):
    answer = bench.httpd.get("/upper/a.txt")
    assert (answer.status, answer.body) == (200, b"ABC DEF\n")
    assert not {"ETag", "Last-Modified", "Accept-Ranges"} & set(answer.headers)
    assert bench.httpd.get("/upper/off/a.txt").body == b"abc def\n"
    assert bench.httpd.get("/upper/empty.txt").body == b""
    assert bench.httpd.get("/upper/none.txt").status == 404


def test_head(bench):
    answer = bench.httpd.request("/upper/a.txt", "HEAD")
    assert (answer.status, answer.body) == (200, b"") and not {"ETag", "Last-Modified"} & set(answer.headers)


def test_big(bench):
    assert bench.httpd.get("/upper/big.txt").body == b"ABCDEFGH" * 500_000
    assert bench.httpd.get("/cat/big.txt").body == b"abcdefgh" * 500_000


def test_memory_is_bounded(bench):
    def peak():
        return max(int(re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{pid}/status", encoding="ascii").read()).group(1)) for pid in bench.httpd.children())

    assert bench.httpd.get("/cat/big.txt").status == 200
    before = peak()
    with open(bench.httpd.root / "cat" / "huge.txt", "wb") as f:
        f.truncate(100 << 20)
    done = bench.httpd.curl("/cat/huge.txt", "-o", "/dev/null", "-w", "%{size_download}")
    assert int(done.stdout) == 100 << 20 and peak() - before < 20_000


def test_program_that_reads_little(bench):
    assert bench.httpd.get("/head/a.txt").body == b"abc"
    assert bench.httpd.get("/head/big.txt").body == b"abc"


def test_types(bench):
    answer = bench.httpd.get("/typed/a.txt")
    assert (answer.body, answer.headers["Content-Type"]) == (b"ABC DEF\n", "text/x-changed")
    answer = bench.httpd.get("/typed/a.css")
    assert (answer.body, answer.headers["Content-Type"]) == (b"abc def\n", "text/css") and "ETag" in answer.headers


def test_variables_that_turn_it_on_and_off(bench):
    assert bench.httpd.get("/set/a.txt").body == b"abc def\n"
    assert bench.httpd.get("/set/a.txt", X_Wanted="1").body == b"ABC DEF\n"
    assert bench.httpd.get("/unset/a.txt").body == b"ABC DEF\n"
    assert bench.httpd.get("/unset/a.txt", X_Unwanted="1").body == b"abc def\n"


def test_environment(bench):
    env = dict(line.split("=", 1) for line in bench.httpd.get("/env/a.txt?a%20b").body.decode().splitlines())
    expected = {"DOCUMENT_URI": "/env/a.txt", "QUERY_STRING": "a%20b", "QUERY_STRING_UNESCAPED": "a b", "REQUEST_METHOD": "GET", "SCRIPT_FILENAME": f"{bench.httpd.root}/env/a.txt"}
    assert {k: env.get(k) for k in expected} == expected


def test_failures(bench):
    at = bench.httpd.mark()
    assert bench.httpd.get("/none/a.txt").status == 500
    bench.httpd.line(r"FP0311: profile shell: not run: /usr/bin/none-such for /none/a.txt: outside-roots", at)
    answer = bench.httpd.get("/killed/big.txt")
    assert answer.status == 500 or answer.broken
    bench.httpd.line(r"FP0322: profile shell: .*killed by signal 9", at)


def test_answers_of_programs(bench):
    """Streamed through both: what the one has said the other is given, and the client gets, while the first goes on."""
    gate = bench.gate("filter")
    with bench.httpd.connect() as s:
        s.sendall(f"GET /cgi-bin/cgi?paused&gate={gate} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        got = b""
        while b"0ne\n" not in got:
            more = s.recv(65536)
            assert more, got
            got += more
        gate.touch()
        while more := s.recv(65536):
            got += more
    assert b"tw0\n" in got


def test_client_leaves(bench):
    """The filter ends with it."""
    def running():
        return [p for p in os.listdir("/proc") if p.isdigit() and cmdline(p) == b"/usr/bin/sed\0-u\0s/o/0/\0"]

    with bench.httpd.connect() as s:
        s.sendall(f"GET /cgi-bin/cgi?silent&gate={bench.gate('gone')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        bench.noted("gone", "begun")
    wait_for(lambda: not running(), message="the filter goes on")


def cmdline(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read()
    except OSError:
        return b""


def test_many_at_once(bench):
    failed = []

    def some():
        for _ in range(10):
            answer = bench.httpd.get("/upper/a.txt")
            if answer.body != b"ABC DEF\n":
                failed.append(answer)

    threads = [threading.Thread(target=some) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed, failed[:3]
