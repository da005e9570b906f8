"""mod_fcgipm under mod_http2: streams beside each other, and a stream that is reset where an answer is not whole."""
import os
import re
import subprocess

import pytest

from conftest import Manager, directory, needs_root, wait_for
from httpd import Httpd

pytestmark = needs_root
POOLS = """
pools:
  app:
    command: [/usr/bin/python3, @DIR@/apps/scripted.py]
    user: fcgipm-t1
    environment: {SCRIPTED_DIR: @DIR@/notes}
    workers: {min: 6, max: 12}
"""
CONFIG = """
Protocols h2c http/1.1
<Location /app>
  SetHandler fcgipm:app
</Location>
"""


@pytest.fixture(scope="module", params=["event", "worker"])
def site(request, accounts):
    with directory() as place:
        (place / "notes").mkdir()
        (place / "notes").chmod(0o777)
        manager = Manager(place, POOLS).ready()
        httpd = Httpd(place / "httpd", request.param, manager.run / "control.sock", CONFIG, modules=("http2",)).start()
        httpd.notes = place / "notes"
        yield httpd
        httpd.stop()
        assert manager.stop() == 0
        manager.check_end()


def h2(site, query, *more):
    return site.curl(f"/app?{query}", "--http2-prior-knowledge", *more)


def test_requests_and_bodies(site):
    assert h2(site, "row=hello", "-w", " %{http_version}").stdout.endswith(b" 2")
    done = subprocess.run(["curl", "-sS", "--max-time", "20", "--http2-prior-knowledge", "--data-binary", "@-", f"http://127.0.0.1:{site.port}/app?row=count"], input=bytes(3000000),
                          capture_output=True, check=False)
    assert done.stdout == b"3000000 3000000\n"
    assert len(h2(site, "row=writes_first&n=2000000").stdout) == 2000001


def test_streams_beside_each_other(site):
    urls = [f"http://127.0.0.1:{site.port}/app?row=head&text=Content-Type:%20text/plain%0d%0a%0d%0a{n}%0a" for n in range(30)]
    done = subprocess.run(["nghttp", "--timeout=20", *urls], capture_output=True, check=False)
    assert sorted(map(int, done.stdout.split())) == list(range(30)), done.stderr


@pytest.mark.parametrize("row", ["eof_in_body", "longer"])
def test_a_broken_answer_is_a_reset_stream(site, row):
    done = h2(site, f"row={row}", "-w", "%{http_code}")
    assert done.returncode != 0 or done.stdout.endswith(b"502"), (done.returncode, done.stdout, done.stderr)
    assert h2(site, "row=hello").returncode == 0


def test_an_answer_as_it_is_written(site):
    client = subprocess.Popen(["curl", "-sSN", "--max-time", "20", "--http2-prior-knowledge", f"http://127.0.0.1:{site.port}/app?row=two_parts&id=h2-{site.mpm}-"], stdout=subprocess.PIPE)
    assert client.stdout.readline() == b"first\n"
    (site.notes / f"h2-{site.mpm}-go").touch()
    assert client.stdout.read() == b"second\n"
    client.stdout.close()
    assert client.wait() == 0


def test_a_client_that_leaves(site):
    name = f"left-{site.mpm}-"
    client = subprocess.Popen(["curl", "-sSN", "--max-time", "20", "--http2-prior-knowledge", f"http://127.0.0.1:{site.port}/app?row=left&read=1&id={name}"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: (site.notes / f"{name}begun").exists())
    client.kill()
    client.wait()
    wait_for(lambda: (site.notes / f"{name}seen").exists())
    assert re.match("ABORT|EOF|RESET", (site.notes / f"{name}seen").read_text())


def test_status_codes(site):
    for row, status in (("overloaded", b"503"), ("unknown_role", b"500"), ("no_output", b"502"), ("redirect&to=/app?row=hello", b"200")):
        assert h2(site, f"row={row}", "-w", "%{http_code}", "-o", os.devnull).stdout == status
