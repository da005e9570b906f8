"""What mod_fcgipm offers to other modules (include/fcgipm/httpd.h), by one of somebody else's (modules/mod_through.c); and the profile "local"."""
import os
import re
import signal
import subprocess

import pytest

from cgi_bench import Bench
from conftest import BUILD, comm, directory, needs_root, wait_for
from httpd import MPMS, Httpd, sanitized

pytestmark = needs_root
CONFIG = f"""
LoadModule through_module {BUILD}/tests/modules/mod_through.so
<Directory @ROOT@/upper>
  ThroughProgram shell /usr/bin/tr a-z A-Z
</Directory>
<Directory @ROOT@/own>
  FcgipmExecProfile shell
  ThroughProgram - /usr/bin/tr a-z A-Z
</Directory>
<Directory @ROOT@/none>
  ThroughProgram - /usr/bin/tr a-z A-Z
</Directory>
<Directory @ROOT@/refused>
  ThroughProgram shell /usr/bin/none-such
</Directory>
<Directory @ROOT@/status>
  ThroughProgram shell /bin/sh -c "exit 7"
</Directory>
<Directory @ROOT@/cancelled>
  ThroughProgram shell /usr/bin/cat
  ThroughGiveUp On
</Directory>
<Directory @ROOT@/local>
  ThroughProgram local /usr/bin/tr a-z A-Z
</Directory>
<Directory @ROOT@/left>
  ThroughProgram shell /usr/bin/sed -u -n s/x/x/p
</Directory>
"""


@pytest.fixture(scope="module", params=MPMS)
def bench(request, accounts):
    with directory() as place:
        b = Bench(place, request.param, CONFIG)
        for name in ("upper", "own", "none", "refused", "status", "cancelled", "local", "left"):
            (b.httpd.root / name).mkdir()
            (b.httpd.root / name / "a.txt").write_text("abc def\n")
        (b.httpd.root / "upper" / "big.txt").write_bytes(b"abcdefgh" * 200_000)
        b.httpd.start()
        yield b
        b.stop()


def test_filter(bench):
    at = bench.httpd.mark()
    assert bench.httpd.get("/upper/a.txt").body == b"ABC DEF\n"
    assert bench.httpd.get("/upper/big.txt").body == b"ABCDEFGH" * 200_000
    assert bench.httpd.get("/own/a.txt").body == b"ABC DEF\n"
    bench.httpd.line(r"through: pid \d+ ended: 0, status 0, signal 0, why 0", at)


def test_status_and_cancel(bench):
    at = bench.httpd.mark()
    assert bench.httpd.get("/status/a.txt").body == b""
    bench.httpd.line("ended: 0, status 7, signal 0, why 0", at)
    bench.httpd.get("/cancelled/a.txt")
    bench.httpd.line("ended: 0, status 0, signal 15, why 2", at)


def test_refusals(bench):
    assert bench.httpd.get("/refused/a.txt").body.startswith(b"no: outside-roots")
    assert bench.httpd.get("/none/a.txt").body == b"no: no profile is named, and FcgipmExecProfile is not set"


def test_local(bench):
    if bench.mpm == "prefork":
        assert bench.httpd.get("/local/a.txt").body == b"ABC DEF\n"
    else:
        assert bench.httpd.get("/local/a.txt").body.startswith(b"no: local: httpd has threads")


def test_httpd_does_not_fork(bench):
    """Neither the request's child nor another one: the program's parent is fcgipm."""
    children = bench.httpd.children()
    tracers = [subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=clone,clone3,fork,vfork,execve", "-p", str(pid)], stderr=subprocess.PIPE, text=True) for pid in children]
    try:
        wait_for(lambda: all(is_traced(pid) for pid in children), message="strace does not trace")
        for _ in range(5):
            assert bench.httpd.get("/upper/a.txt").body == b"ABC DEF\n"
    finally:
        for t in tracers:
            t.send_signal(signal.SIGINT)
    said = "".join(t.communicate(timeout=20)[1] for t in tracers)
    assert "execve" not in said and not re.search(r"v?fork\(|clone3?\((?!.*CLONE_THREAD)", said), said


def is_traced(pid):
    return all(re.search(r"TracerPid:\s+[1-9]", open(f"/proc/{pid}/task/{t}/status", encoding="ascii").read()) for t in os.listdir(f"/proc/{pid}/task"))


# ---- FcgipmExecProfile local

LOCAL = """
ScriptAlias /cgi-bin/ @PLACE@/cgi-bin/
<Location /cgi-bin>
  FcgipmExecProfile local
</Location>
"""


@pytest.mark.parametrize("directive", ["FcgipmExecProfile local", "FcgipmExtFilter intype=text/plain local /usr/bin/cat"])
def test_local_beside_threads_and_a_manager(place, accounts, directive):
    """A configuration error, which says why; for httpd -t, too."""
    httpd = Httpd(place / "httpd", "event", place / "control.sock")
    httpd.write(f"<Directory /srv>\n{directive}\n</Directory>")
    done = subprocess.run(["/usr/sbin/apache2", "-t", "-f", httpd.config], capture_output=True, text=True, check=False, env={**os.environ, **sanitized()})
    said = done.stderr + httpd.log()
    assert done.returncode != 0 and re.search(r"FP0006: \S+/httpd.conf:\d+: \w+ local: this httpd has threads \(event MPM\) and a manager", said), said


def test_local_without_a_manager(place, accounts):
    """Threads or not: nobody else could run it."""
    bench = Bench(place, "event", LOCAL, modules=("alias",))
    bench.httpd.config.write_text(re.sub(r"^FcgipmControl .*$", "", bench.httpd.config.read_text(), flags=re.M))
    bench.httpd.start()
    assert bench.httpd.get("/cgi-bin/cgi?hello&").body == b"hello\n"
    assert bench.httpd.get("/cgi-bin/shell.cgi").body.startswith(b"sh www-data ")
    bench.stop()
    assert not [p for p in os.listdir("/proc") if p.isdigit() and comm(p) == "cgi"]
