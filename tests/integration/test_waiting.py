"""mod_fcgipm in the event MPM: a request that waits for its application, its client or the time holds no thread."""
import asyncio
import hashlib
import os
import random
import re
import ssl
import subprocess
import zlib

import pytest

from conftest import ROOT, needs_root, wait_for
from httpd import Httpd

pytestmark = needs_root
POOLS = """
pools:
  app:
    command: [/usr/bin/python3, @DIR@/apps/waiting.py]
    user: fcgipm-t1
    environment: {DIR: @DIR@/gates}
    workers: {min: 1, max: 1, concurrency: 2000}
    queue: {limit: 4000}
    limits: {nofile: 8192}
"""
CONFIG = """
AsyncRequestWorkerFactor 16
ListenBacklog 4000
KeepAliveTimeout 20
MaxKeepAliveRequests 0
<Location /w>
  SetHandler fcgipm:app
</Location>
<Location /z>
  SetHandler fcgipm:app
  SetOutputFilter DEFLATE
</Location>
Alias /dir {root}
RewriteEngine On
RewriteRule ^/vhost/(.*)$ /w/$1 [PT]
ErrorDocument 404 /w/error
"""


class Client:
    """One connection that is kept, and speaks HTTP/1.1 in the plainest way."""

    def __init__(self, port, tls=None):
        self.port, self.tls, self.reader, self.writer = port, tls, None, None

    async def send(self, path, body=None, headers=""):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.tls, limit=65536)
        length = f"Content-Length: {len(body)}\r\n" if body is not None else ""
        self.writer.write(f"{'GET' if body is None else 'POST'} {path} HTTP/1.1\r\nHost: x\r\n{length}{headers}\r\n".encode() + (body or b""))

    async def head(self):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        fields = {k.lower(): v for k, v in re.findall(r"^(\S+): (.*)\r$", head, re.M)}
        return int(head.split()[1]), fields

    async def receive(self):
        status, fields = await self.head()
        body = b""
        if fields.get("transfer-encoding") == "chunked":
            while size := int(await self.reader.readline(), 16):
                body += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readline()
        else:
            body = await self.reader.readexactly(int(fields.get("content-length", 0)))
        if fields.get("connection") == "close":
            self.close()
        return status, fields, body

    async def get(self, path, body=None, headers=""):
        """Once more where a kept connection was closed meanwhile, as every client must: httpd closes idle ones when it runs out of threads."""
        kept = self.writer is not None
        try:
            await self.send(path, body, headers)
            return await self.receive()
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            if not kept or getattr(error, "partial", b""):
                raise
            self.close()
            return await self.get(path, body, headers)

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


class Site:
    def __init__(self, manager, httpd, place):
        self.manager, self.httpd, self.place, self.port = manager, httpd, place, httpd.port

    def open(self, gate):
        (self.place / "gates" / gate).touch()

    def waiting(self):
        return self.httpd.counters("app").get("Suspended", 0)

    def left(self):
        file = self.place / "gates" / "left"
        return file.read_text().splitlines() if file.exists() else []

    def busy(self):
        """Threads of httpd that work; one is this request's own."""
        return int(re.search(r"BusyWorkers: (\d+)", self.httpd.get("/server-status?auto").body.decode()).group(1))


@pytest.fixture
def site(fcgipm, place, accounts):
    """start(more, modules): a manager with the application, httpd before it."""
    made = []
    gates = place / "gates"
    gates.mkdir()
    os.chown(gates, accounts[0].pw_uid, accounts[0].pw_gid)

    def start(more="", modules=()):
        manager = fcgipm(POOLS).ready()
        httpd = Httpd(place / "httpd", "event", manager.run / "control.sock", modules=("rewrite", "alias", "deflate", "filter", *modules))
        httpd.write(CONFIG.format(root=httpd.root) + more)
        (httpd.root / "s.txt").write_text("static")
        made.append(httpd.start())
        return Site(manager, httpd, place)

    yield start
    for httpd in made:
        httpd.stop()


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 60))


async def many(n, make):
    return await asyncio.gather(*[make(i) for i in range(n)])


async def one(port, path, **more):
    client = Client(port)
    answer = await client.get(path, **more)
    client.close()
    return answer


async def until(what):
    return await asyncio.to_thread(wait_for, what)


def test_a_thousand_requests_wait_and_hold_no_thread(site):
    s = site()

    async def go():
        requests = asyncio.ensure_future(many(1000, lambda i: one(s.port, "/w?gate=go")))
        await until(lambda: s.waiting() == 1000)
        busy = await asyncio.to_thread(s.busy)
        static = await one(s.port, "/s.txt")
        s.open("go")
        return busy, static, await requests

    busy, static, answers = run(go())
    assert busy <= 3, busy
    assert static[2] == b"static"
    assert [a[0] for a in answers] == [200] * 1000 and all(a[2] == b"012" for a in answers)
    assert s.waiting() == 0


def test_at_its_start_httpd_says_how_requests_wait(site):
    s = site()
    assert s.httpd.lines("FP0004: a request waits for its application without a thread; a child takes about 680 connections")
    assert not s.httpd.lines("FP0005")
    at = s.httpd.mark()
    s.httpd.config.write_text(s.httpd.config.read_text().replace("AsyncRequestWorkerFactor 16", ""))
    s.httpd.restart()
    assert "AsyncRequestWorkerFactor 2 is small: beyond 120 connections" in s.httpd.line("FP0005", at)


@pytest.mark.parametrize("mpm", ["worker", "prefork"])
def test_where_httpd_cannot_do_without_a_thread_it_says_so_and_bounds_how_many(fcgipm, place, accounts, mpm):
    gates = place / "gates"
    gates.mkdir()
    os.chown(gates, accounts[0].pw_uid, accounts[0].pw_gid)
    manager = fcgipm(POOLS).ready()
    httpd = Httpd(place / "httpd", mpm, manager.run / "control.sock", "<Location /w>\nSetHandler fcgipm:app\nFcgipmMaxWaiting 1\n</Location>\n").start()
    assert httpd.lines(f"FP0004: a request waits for its application in a thread .{mpm} MPM")

    async def go():
        requests = [asyncio.ensure_future(one(httpd.port, "/w?gate=go")) for _ in range(12)]
        await asyncio.wait(requests, timeout=20, return_when=asyncio.FIRST_COMPLETED)
        refused = [r.result() for r in requests if r.done()]
        (gates / "go").touch()
        return refused, await asyncio.gather(*requests)

    if mpm == "worker":
        refused, answers = run(go())
        assert refused and all(r[0] == 503 and r[1]["retry-after"] == "1" for r in refused)
        assert [a[0] for a in answers].count(200) >= 1 and {a[0] for a in answers} == {200, 503}
        assert httpd.counters("app")["Failed[WAITING]"] == [a[0] for a in answers].count(503)
    httpd.stop()


def test_a_connection_is_kept_and_every_request_on_it_waits(site):
    s = site()

    async def talk(i):
        client = Client(s.port)
        got = []
        for k in range(6):
            got.append((await client.get("/s.txt"))[2] if k == 3 else (await client.get(f"/w?wait=0.{random.randrange(1, 9)}&size={i * 100 + k}"))[2])
            assert client.writer is not None, "the connection was not kept"
        client.close()
        return [len(g) for g in got]

    answers = run(many(60, talk))
    assert answers == [[i * 100 + k if k != 3 else 6 for k in range(6)] for i in range(60)]


def test_requests_in_a_pipeline_are_answered_in_order(site):
    s = site()

    async def talk(i):
        client = Client(s.port)
        for path in ("/w?wait=0.2&size=11", "/s.txt", "/w?size=12", "/w?wait=0.1&size=90000", "/s.txt"):
            await client.send(path)
        got = [len((await client.receive())[2]) for _ in range(5)]
        client.close()
        return got

    assert run(many(40, talk)) == [[11, 6, 12, 90000, 6]] * 40


def certificate(place):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", place / "key.pem", "-out",
                    place / "cert.pem"], check=True, capture_output=True)
    context = ssl.create_default_context(cafile=place / "cert.pem")
    context.check_hostname = False
    return context


def test_over_tls_and_compressed(site, place):
    tls = certificate(place)
    s = site(f"SSLEngine On\nSSLCertificateFile {place}/cert.pem\nSSLCertificateKeyFile {place}/key.pem", ["ssl"])

    async def talk(i):
        client = Client(s.port, tls)
        got = []
        for k in range(3):
            got.append(len((await client.get(f"/w?wait=0.1&size={200000 + i}", b"x" * 70000))[2]))
            zipped = await client.get("/z?wait=0.1&pieces=3&pause=0.05&size=300000", headers="Accept-Encoding: gzip\r\n")
            assert zipped[1]["content-encoding"] == "gzip"
            got.append(len(zlib.decompress(zipped[2], 31)))
        client.close()
        return got

    assert run(many(30, talk)) == [[200000 + i, 300000] * 3 for i in range(30)]


def test_a_streamed_answer_comes_as_it_is_written_and_holds_no_thread_between(site):
    s = site()

    async def go():
        clients = [Client(s.port) for _ in range(100)]
        for client in clients:
            await client.send("/w?pieces=2&pause=3&size=8")
        for client in clients:
            assert (await client.head())[0] == 200
            assert await client.reader.readline() == b"4\r\n"
            assert await client.reader.readexactly(6) == b"0123\r\n"
        waiting, busy = await asyncio.to_thread(s.waiting), await asyncio.to_thread(s.busy)
        for client in clients:
            assert (await client.reader.readexactly(14)) == b"4\r\n0123\r\n0\r\n\r\n"[:14]
            client.close()
        return waiting, busy

    waiting, busy = run(go())
    assert waiting == 100 and busy <= 3


def test_slow_clients_hold_no_thread(site):
    s = site()

    async def go():
        clients = [Client(s.port) for _ in range(40)]
        for client in clients:
            await client.send("/w?size=20000000")
            assert (await client.head())[0] == 200
        await until(lambda: s.busy() <= 3)
        sums = []
        for client in clients[:8]:
            data = b""
            while not data.endswith(b"\r\n0\r\n\r\n"):
                data += await client.reader.read(1 << 20)
            sums.append(len(data))
        for client in clients:
            client.close()
        return sums

    assert all(n > 20000000 for n in run(go()))
    wait_for(lambda: s.waiting() == 0)


def test_a_slow_body_holds_no_thread_and_arrives_whole(site):
    s = site()
    body = random.Random(1).randbytes(300000)

    async def go():
        clients = [Client(s.port) for _ in range(100)]
        for client in clients:
            await client.send("/w?wait=0.05", headers=f"Content-Length: {len(body)}\r\n")
            client.writer.write(body[:1000])
        await until(lambda: s.waiting() == 100 and s.busy() <= 3)
        for at in range(1000, len(body), 100000):
            for client in clients:
                client.writer.write(body[at:at + 100000])
            await asyncio.sleep(0.1)
        got = [(await client.receive())[1]["x-body"] for client in clients]
        again = [(await client.get("/s.txt"))[2] for client in clients]
        for client in clients:
            client.close()
        return got, again

    got, again = run(go())
    assert got == [f"{len(body)} {hashlib.md5(body).hexdigest()}"] * 100
    assert again == [b"static"] * 100


def test_a_client_that_leaves_is_told_to_the_application(site):
    s = site()

    async def go():
        clients = [Client(s.port) for _ in range(100)]
        for client in clients:
            await client.send("/w?gate=never")
        await until(lambda: s.waiting() == 100)
        for client in clients:
            client.close()
        await until(lambda: len(s.left()) == 100)
        await until(lambda: s.waiting() == 0)

    run(go())
    assert s.httpd.counters("app")["Aborted"] == 100
    assert s.httpd.get("/w").status == 200


def test_behind_internal_redirects(site):
    s = site()
    (s.httpd.root / ".htaccess").write_text("RewriteEngine On\nRewriteRule ^front/(.*)$ /w/$1 [QSA,L]\nRewriteRule ^twice/(.*)$ /front/$1 [QSA,L]\n")

    async def talk(i):
        client = Client(s.port)
        got = []
        for path in ("/front/a?wait=0.2&size=7", "/vhost/a?wait=0.1&size=8", "/s.txt", "/twice/b?wait=0.1&size=9", "/missing", "/w?wait=0.1&location=/w?wait%3d0.1%26size%3d5",
                     "/w?location=/front/x", "/front/c?wait=0.1&size=200000&pieces=4&pause=0.05"):
            status, _, body = await client.get(path)
            got.append((status, len(body)))
        posted = await client.get("/front/c?wait=0.1", b"y" * 100000)
        got.append((posted[0], posted[1]["x-body"].split()[0]))
        client.close()
        return got

    expected = [(200, 7), (200, 8), (200, 6), (200, 9), (404, 3), (200, 5), (200, 3), (200, 200000), (200, "100000")]
    assert run(many(40, talk)) == [expected] * 40
    assert s.waiting() == 0


@pytest.mark.parametrize("how", ["graceful", "restart"])
def test_a_restart_of_httpd_while_requests_wait(site, how):
    s = site()

    async def go():
        requests = asyncio.ensure_future(asyncio.gather(*[one(s.port, "/w?gate=go&size=50000") for _ in range(100)], return_exceptions=True))
        await until(lambda: s.waiting() == 100)
        old = s.httpd.children()
        await asyncio.to_thread(getattr(s.httpd, how))
        new = await one(s.port, "/w?size=5")
        s.open("go")
        answers = await requests
        await until(lambda: not set(old) & set(s.httpd.children()))
        return new, answers

    new, answers = run(go())
    assert new[0] == 200
    if how == "graceful":
        assert [(a[0], len(a[2])) for a in answers] == [(200, 50000)] * 100
    assert s.waiting() == 0


def test_stopped_while_requests_wait_httpd_ends(site):
    s = site()

    async def go():
        requests = asyncio.ensure_future(asyncio.gather(*[one(s.port, "/w?gate=never") for _ in range(50)], return_exceptions=True))
        await until(lambda: s.waiting() == 50)
        await asyncio.to_thread(s.httpd.stop_now)
        return await requests

    assert all(isinstance(a, Exception) for a in run(go()))
    wait_for(lambda: len(s.left()) == 50)


def test_timeouts(site):
    """FcgipmTimeout counts, neither Timeout nor what a connection may idle."""
    s = site("Timeout 2\n<Location /w/short>\nFcgipmTimeout 1\n</Location>\n<Location /w/long>\nFcgipmTimeout 30\n</Location>\n")

    async def go():
        return await asyncio.gather(one(s.port, "/w/short?wait=20"), one(s.port, "/w/long?wait=5"), one(s.port, "/w?wait=20"), one(s.port, "/w?wait=1"))

    short, long, default, quick = run(go())
    assert (short[0], long[0], default[0], quick[0]) == (504, 200, 504, 200)


def test_everything_at_once(site):
    s = site()
    luck = random.Random(7)
    (s.httpd.root / ".htaccess").write_text("RewriteEngine On\nRewriteRule ^front/(.*)$ /w/$1 [QSA,L]\n")

    async def talk(i):
        client, done = Client(s.port), 0
        for _ in range(12):
            size, wait = luck.choice((0, 10, 5000, 70000, 400000)), luck.choice((0, 0, 0.01, 0.05, 0.2))
            path = f"{luck.choice(('/w', '/front/x', '/z'))}?wait={wait}&size={size}&pieces={luck.choice((1, 1, 3))}&pause={luck.choice((0, 0.03))}"
            body = luck.randbytes(luck.choice((10, 30000, 200000))) if luck.random() < 0.3 else None
            if luck.random() < 0.2:
                await client.send(path, body)
                await asyncio.sleep(luck.choice((0, 0.01, 0.1)))
                client.close()
                continue
            status, fields, got = await client.get(path, body)
            assert status == 200 and len(got) == size // int(path.split("pieces=")[1][0]) * int(path.split("pieces=")[1][0]), (path, status, len(got))
            assert fields["x-body"].split()[0] == str(len(body or b"")), path
            done += 1
        client.close()
        return done

    assert sum(run(many(150, talk))) > 1000
    wait_for(lambda: s.waiting() == 0)
    assert s.httpd.get("/w").status == 200
