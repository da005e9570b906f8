"""mod_fcgipm and an application that plays every part (apps/scripted.py), in each MPM: FACTS of the protocol, bodies, environment, failures."""
import http.client
import itertools
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.parse

import pytest

from conftest import Manager, directory, needs_root, wait_for
from httpd import MPMS, Httpd

pytestmark = needs_root
IDS = itertools.count()
POOLS = """
pools:
  app:
    command: [/usr/bin/python3, @DIR@/apps/scripted.py]
    user: fcgipm-t1
    environment: {SCRIPTED_DIR: @DIR@/notes}
    workers: {min: 6, max: 12, spare: 2}
    restart: {delay: 10ms, max_delay: 50ms}
  first:
    command: [/usr/bin/python3, @DIR@/apps/scripted.py]
    user: fcgipm-t1
    environment: {SCRIPTED_DIR: @DIR@/notes, SCRIPTED_FIRST: "1"}
    workers: {min: 1, max: 1}
  one:
    command: [/usr/bin/python3, @DIR@/apps/scripted.py]
    user: fcgipm-t1
    environment: {SCRIPTED_DIR: @DIR@/notes}
    workers: {min: 1, max: 1}
    queue: {limit: 1, timeout: 700ms}
  forbidden:
    command: [/usr/bin/python3, @DIR@/apps/scripted.py]
    user: fcgipm-t1
    frontends: [fcgipm-t2]
    socket: {private: true}
"""
CONFIG = """
LimitRequestLine 200000
LimitRequestFieldSize 250000
FcgipmSendfile {place}/send
<Location /app>
  SetHandler fcgipm:app
  LimitRequestBody 0
</Location>
<Location /first>
  SetHandler fcgipm:first
</Location>
<Location /one>
  SetHandler fcgipm:one
</Location>
<Location /brief>
  SetHandler fcgipm:app
  FcgipmTimeout 1
</Location>
<Location /limited>
  SetHandler fcgipm:app
  LimitRequestBody 1000
</Location>
<Location /auth>
  SetHandler fcgipm:app
  CGIPassAuth On
</Location>
<Location /unsent>
  SetHandler fcgipm:app
  FcgipmSendfile /nonexistent
</Location>
<Location /chosen>
  FcgipmPool "%{{req:X-Pool}}"
</Location>
<Location /forbidden>
  SetHandler fcgipm:forbidden
</Location>
<Location /nobody>
  SetHandler fcgipm:nobody
</Location>
<Directory {root}/site>
  DirectoryIndex index.app
  FallbackResource /site/index.app
</Directory>
<Files *.app>
  SetHandler fcgipm:app
</Files>
<Location /document>
  ErrorDocument 404 /app/error?row=env
</Location>
<Directory {root}/ssi>
  Options +Includes
</Directory>
<Files *.shtml>
  SetOutputFilter INCLUDES
</Files>
<Location /zipped>
  SetHandler fcgipm:app
  SetOutputFilter DEFLATE
</Location>
CacheRoot {place}/cache
CacheEnable disk /cached
<Location /cached>
  SetHandler fcgipm:app
</Location>
Alias /real {root}/site/index.app
Alias /rooted {root}/site/index.app
<Location /rooted>
  FcgipmChroot {root}
</Location>
"""
MODULES = ("alias", "rewrite", "include", "deflate", "filter", "cache", "cache_disk", "headers")


class Bench:
    def __init__(self, place, mpm):
        self.place, self.mpm = place, mpm
        self.notes = place / "notes"
        self.notes.mkdir()
        self.notes.chmod(0o777)
        for name, text in (("send/a.txt", "sent as it is"), ("send2/b.txt", "not below it"), ("send/deep/c.txt", "deep"), ("cache/x", "")):
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (place / "cache").chmod(0o777)
        (place / "send" / "out").symlink_to(place / "send2" / "b.txt")
        os.mkfifo(place / "send" / "fifo")
        self.manager = Manager(place, POOLS).ready()
        self.httpd = Httpd(place / "httpd", mpm, self.manager.run / "control.sock", modules=MODULES)
        root = self.httpd.root
        self.httpd.write(CONFIG.format(place=place, root=root))
        (root / "site").mkdir()
        (root / "site" / "index.app").write_text("an application")
        (root / "ssi").mkdir()
        (root / "ssi" / "page.shtml").write_text('<!--#include virtual="/app?row=hello" -->|<!--#include virtual="/app?row=hello" -->')
        (root / "rules").mkdir()
        (root / "rules" / ".htaccess").write_text("RewriteEngine On\nRewriteRule ^(.*)$ /app/$1?row=env [QSA,L]\n")
        self.httpd.start()

    def ask(self, row, method="GET", body=None, headers=None, where="/app", **more):
        return self.httpd.request(f"{where}?{urllib.parse.urlencode({'row': row, **more})}", method, body, headers)

    def env(self, path, method="GET", body=None, headers=None):
        return json.loads(self.httpd.request(path, method, body, headers).body)

    def head(self, text, **more):
        return self.ask("head", text=text, **more)

    def name(self):
        return f"{next(IDS)}-"

    def note(self, name):
        path = self.notes / name
        return wait_for(lambda: path.exists() and (path.read_text() or "empty"), message=lambda: f"no {name}; {self.httpd.log()[-500:]}")

    def go(self, name):
        (self.notes / name).touch()

    def failed(self, kind):
        return self.httpd.counters("app").get(f"Failed[{kind}]", 0)

    def background(self, *args, **more):
        """An answer that is not there yet."""
        got = []
        thread = threading.Thread(target=lambda: got.append(self.ask(*args, **more)))
        thread.start()

        def result():
            thread.join(30)
            return got[0]

        return result


@pytest.fixture(scope="module", params=MPMS)
def b(request, accounts):
    with directory() as place:
        bench = Bench(place, request.param)
        yield bench
        bench.httpd.stop()
        assert bench.manager.stop() == 0
        bench.manager.check_end()


# ---- what is not an answer

@pytest.mark.parametrize("row, status, kind", [
    ("overloaded", 503, "OVERLOADED"), ("unknown_role", 500, "UNKNOWN_ROLE"), ("cant_mpx", 502, "REFUSED"), ("unknown_status", 502, "REFUSED"),
    ("no_output", 502, "NO_OUTPUT"), ("eof_at_once", 502, "LOST"), ("eof_in_head", 502, "LOST"), ("garbage_record", 502, "LOST"), ("other_request", 502, "LOST"),
])
def test_an_application_that_does_not_answer(b, row, status, kind):
    before = b.failed(kind)
    answer = b.ask(row)
    assert answer.status == status and b"stolen" not in answer.body
    assert b.failed(kind) == before + 1
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert b.ask("hello").status == 200


# ---- records

@pytest.mark.parametrize("row, body", [
    ("app_status", b"status 3\n"), ("stderr_between", b"body\n"), ("one_byte_records", b"one by one\n"), ("lf_only", b"lf\n"), ("management", b"fine\n"),
    ("other_request_between", b"own\n"), ("largest_record", b"x" * (65535 - 28)),
])
def test_records_of_every_kind(b, row, body):
    answer = b.ask(row)
    assert answer.status == 200 and not answer.broken and len(answer.body) == len(body) and answer.body == body


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 8, 9, 11, 13, 64])
def test_records_in_pieces_of_any_size(b, n):
    assert b.ask("split", n=n).body == b"whole answer\n"


# ---- answers that are not whole

@pytest.mark.parametrize("row", ["eof_in_body", "longer"])
def test_a_small_answer_that_is_not_whole_is_502(b, row):
    answer = b.ask(row)
    assert (answer.status, answer.broken) == (502, False)
    assert b"part of the body" not in answer.body and b"only ten" not in answer.body


def test_a_small_answer_gets_a_length(b):
    assert b.ask("hello").headers["Content-Length"]


@pytest.mark.parametrize("row", ["eof_behind_much", "longer_than_much"])
def test_an_answer_that_is_not_whole_is_never_taken_for_whole(b, row):
    answer = b.ask(row)
    assert answer.status == 200 and answer.broken, answer
    data, _ = b.httpd.raw(f"GET /app?row={row} HTTP/1.0\r\n\r\n".encode())
    old, reset = b.httpd.raw(f"GET /app?row={row} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".encode())
    for got in (data, old):
        head, _, body = got.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        assert b" 502 " in head or (length and len(body) < int(length.group(1))) or reset or not got


def test_no_more_than_content_length(b):
    answer = b.ask("shorter")
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"ten ", "4")


def test_two_lengths_that_differ_are_no_head(b):
    assert b.ask("two_lengths").status == 502


# ---- heads

def test_a_local_redirect_is_answered_in_its_place(b):
    answer = b.ask("redirect", to="/app/x?row=env&y=1")
    env = json.loads(answer.body)
    assert answer.status == 200 and env["REQUEST_METHOD"] == "GET" and env["QUERY_STRING"] == "row=env&y=1"
    posted = b.ask("redirect", "POST", b"abc", to="/app?row=env")
    assert json.loads(posted.body)["REQUEST_METHOD"] == "GET" and "CONTENT_LENGTH" not in json.loads(posted.body)
    assert b.ask("redirect", to="/nothing").status == 404


def test_redirects_in_a_circle_end(b):
    assert b.ask("loop").status == 500


def test_a_redirect_to_elsewhere_is_302(b):
    answer = b.ask("redirect", to="http://example.org/x")
    assert (answer.status, answer.headers["Location"]) == (302, "http://example.org/x")
    assert b.head("Status: 301 Moved\r\nLocation: /there\r\n\r\n").status == 301
    kept = b.head("Status: 302 Found\r\nLocation: /there\r\nContent-Type: text/plain\r\n\r\nbody")
    assert (kept.status, kept.body) == (302, b"body")


def test_status_lines(b):
    assert b.head("Status: 418 I'm a teapot\r\n\r\n").status == 418
    assert b.head("HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\n\r\nnph").status == 201
    assert b.head("Content-Type: text/plain\r\nStatus: 404 Gone\r\n\r\nmine").body == b"mine"


@pytest.mark.parametrize("text", ["rubbish without a colon\r\n\r\nx", "Status: abc\r\n\r\n", "Status: 99 x\r\n\r\n", "X: a\x00b\r\n\r\n", ": x\r\n\r\n", "Content-Length: 1x\r\n\r\n"])
def test_what_is_no_head_is_502(b, text):
    assert b.head(text).status == 502


@pytest.mark.parametrize("date", ["yesterday", "", "2022-02-01T10:00:00Z"])
def test_a_last_modified_that_is_no_date_is_left_out(b, date):
    """1970 would tell a cache that it may be kept for years."""
    answer = b.head(f"Last-Modified: {date}\r\nContent-Type: text/plain\r\n\r\nx")
    assert (answer.status, answer.body, answer.headers["Last-Modified"]) == (200, b"x", None)


def test_a_redirect_has_the_page_of_httpd(b):
    """RFC 3875, 6.2.3: without a status a Location is all of the answer.  With one the page is the application's."""
    answer = b.head("Location: http://127.0.0.1/there\r\nSet-Cookie: a=1\r\nContent-Type: text/plain\r\n\r\nown")
    assert (answer.status, answer.headers["Location"], answer.headers["Set-Cookie"]) == (302, "http://127.0.0.1/there", "a=1")
    assert b'<a href="http://127.0.0.1/there">' in answer.body and b"own" not in answer.body
    answer = b.head("Status: 302 Found\r\nLocation: http://127.0.0.1/there\r\nContent-Type: text/plain\r\n\r\nown")
    assert (answer.status, answer.body) == (302, b"own")


def test_interim_answers_are_never_the_answer(b):
    text = "Status: 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\nStatus: 200 OK\r\nContent-Type: text/plain\r\n\r\nfinal"
    data, _ = b.httpd.raw(f"GET /app?row=head&text={urllib.parse.quote(text)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert re.search(rb"\A(HTTP/1.1 103 .*?rel=preload.*?\r\n\r\n)?HTTP/1.1 200 OK\r\n", data, re.S), data
    assert b"final" in data and data.count(b"HTTP/1.1 200") == 1
    for status in ("100 Continue", "101 Switching"):
        answer = b.head(f"Status: {status}\r\n\r\nStatus: 200 OK\r\nContent-Type: text/plain\r\n\r\nfinal")
        assert (answer.status, answer.body) == (200, b"final")


def test_304_and_head_have_no_body(b):
    answer = b.head("Status: 304 Not Modified\r\nETag: \"x\"\r\n\r\nbody")
    assert (answer.status, answer.body) == (304, b"")
    head = b.ask("head", "HEAD", text="Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", "4")


def test_conditions_and_ranges(b):
    text = "Content-Type: text/plain\r\nETag: \"v1\"\r\nContent-Length: 10\r\n\r\n0123456789"
    assert b.ask("head", headers={"If-None-Match": '"v1"'}, text=text).status == 304
    part = b.ask("head", headers={"Range": "bytes=2-4"}, text=text)
    assert (part.status, part.body) == (206, b"234")


def test_large_heads(b):
    answer = b.ask("large_head", n=40000)
    assert answer.status == 200 and len([k for k in answer.headers if k.startswith("X-")]) == 39
    assert b.ask("large_head", n=90000).status == 502


def test_fields_are_passed_on_with_errors_too(b):
    answer = b.head("Status: 500 Oops\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Type: text/plain\r\nConnection: close, X-Y\r\nTransfer-Encoding: chunked\r\n\r\nmine")
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"] and answer.body == b"mine"


@pytest.mark.parametrize("file, status", [("send/a.txt", 200), ("send/deep/c.txt", 200), ("send2/b.txt", 404), ("send/../send2/b.txt", 404), ("send/out", 404), ("send/fifo", 404),
                                          ("send/deep", 404), ("send/none", 404), ("send", 404)])
def test_sendfile_below_its_roots_alone(b, file, status):
    answer = b.ask("sendfile", file=f"{b.place}/{file}")
    assert answer.status == status and "X-Sendfile" not in answer.headers and b"not this" not in answer.body
    if status == 200:
        assert answer.body == (b.place / file).read_bytes() and answer.headers["Content-Type"] == "text/x-sent"


def test_sendfile_with_a_range_and_without_a_root(b):
    path = f"{b.place}/send/a.txt"
    assert b.ask("sendfile", headers={"Range": "bytes=0-3"}, file=path).body == b"sent"
    assert b.ask("sendfile", where="/unsent", file=path).status == 404


# ---- bodies of requests

@pytest.mark.parametrize("size", [0, 1, 5, 65535, 65536, 100000, 5000000])
def test_bodies_of_any_size_of_known_and_unknown_length(b, size):
    body = bytes(size)
    assert b.ask("count", "POST", body).body == b"%d %d\n" % (size, size)

    def pieces():
        for at in range(0, size, 30000):
            yield body[at:at + 30000]

    chunked = b.httpd.request("/app?row=count", "POST", pieces(), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert chunked.body == b"%d %d\n" % (size, size)


def test_an_echo_of_both_kinds(b):
    body = os.urandom(200000)
    answer = b.ask("echo", "PUT", body)
    assert answer.body == body and answer.headers["X-Length"] == "200000"


def test_limit_request_body(b):
    assert b.ask("count", "POST", b"x" * 1000, where="/limited").status == 200
    assert b.ask("count", "POST", b"x" * 1001, where="/limited").status == 413
    chunked = b.httpd.request("/limited?row=count", "POST", iter([b"x" * 900, b"x" * 900]), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert chunked.status == 413


def test_expect_100_continue(b):
    with b.httpd.connect() as s:
        s.sendall(b"POST /app?row=count HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert s.recv(1000).startswith(b"HTTP/1.1 100")
        s.sendall(b"12345")
        assert b"5 5" in s.recv(4096)


def test_a_body_that_is_no_body(b):
    data, _ = b.httpd.raw(b"POST /app?row=count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n")
    assert b" 400 " in data.split(b"\r\n")[0]


def test_an_answer_before_the_body_has_been_read(b):
    """The client stalls in the middle of its upload, and has its answer all the same."""
    name = b.name()
    with b.httpd.connect() as s:
        s.sendall(f"POST /app?row=early&id={name} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n".encode() + bytes(1000))
        got = b""
        while b"too much" not in got:
            got += s.recv(4096)
        assert got.startswith(b"HTTP/1.1 413")
    assert b.ask("early", "POST", bytes(5000000), id=name).status == 413


def test_an_application_that_writes_while_we_send_never_deadlocks(b):
    with b.httpd.connect() as s:
        s.sendall(b"POST /app?row=writes_first&n=5000000 HTTP/1.0\r\nContent-Length: 5000000\r\n\r\n")
        sender = threading.Thread(target=s.sendall, args=(bytes(5000000),))
        sender.start()
        got = b""
        while more := s.recv(1 << 20):
            got += more
        sender.join()
    assert len(got.partition(b"\r\n\r\n")[2]) == 5000007 and got.endswith(b"5000000")
    assert b.ask("first_then_read", "POST", bytes(3000000)).body == b"first\n3000000\n"


def test_an_application_that_answers_at_the_first_record(b):
    assert b.httpd.request("/first", "POST", bytes(100000), {"Cookie": "c" * 100000}).body == b"first record\n"


# ---- answers that take their time

def ask_for_two_parts(s, name):
    """What has come when the first is there."""
    s.sendall(f"GET /app?row=two_parts&id={name} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    got = b""
    while b"first\n" not in got:
        got += s.recv(4096)
    return got


def test_what_an_application_has_said_is_sent_when_it_pauses(b):
    name = b.name()
    with b.httpd.connect() as s:
        got = ask_for_two_parts(s, name)
        b.go(name + "go")
        while b"second\n" not in got:
            got += s.recv(4096)
    small = b.background("two_parts", id=name + "2-", head="X: y\r\n")
    b.go(name + "2-go")
    assert small().body == b"first\nsecond\n"


def test_server_sent_events(b):
    name = b.name()
    with b.httpd.connect() as s:
        s.sendall(f"GET /app?row=events&n=5&id={name} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        got = b""
        while b"\r\n\r\n" not in got:
            got += s.recv(4096)
        b.go(f"{name}opened")
        for n in range(5):
            while b"data: %d\n" % n not in got:
                got += s.recv(4096)
            b.go(f"{name}go{n}")


@pytest.mark.parametrize("how", [{"read": 1}, {}, {"read": 1, "say": 1}])
def test_an_application_sees_that_the_client_has_left(b, how):
    name = b.name()
    with b.httpd.connect() as s:
        query = urllib.parse.urlencode({"row": "left", "id": name, **how})
        s.sendall(f"POST /app?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc".encode())
        b.note(name + "begun")
    seen = b.note(name + "seen")
    assert seen.startswith("ABORT") or seen == "RESET", seen


def test_an_application_that_floods_a_client_that_has_left_is_cut(b):
    name = b.name()
    with b.httpd.connect() as s:
        s.sendall(f"GET /app?row=floods&id={name} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        b.note(name + "begun")
        s.recv(100000)
    assert b.note(name + "seen") == "RESET"


def test_the_connection_is_closed_when_the_request_has_ended(b):
    name = b.name()
    assert b.ask("closes_and_stays", id=name).body == b"whole\n"
    b.note(name + "closed")


# ---- environment

def test_cgi_variables(b):
    env = b.env("/site/index.app/extra/path?row=env&a=b")
    root = b.httpd.root
    assert (env["SCRIPT_NAME"], env["PATH_INFO"], env["QUERY_STRING"]) == ("/site/index.app", "/extra/path", "row=env&a=b")
    assert (env["SCRIPT_FILENAME"], env["PATH_TRANSLATED"], env["DOCUMENT_ROOT"]) == (f"{root}/site/index.app", f"{root}/extra/path", str(root))
    assert (env["GATEWAY_INTERFACE"], env["SERVER_PROTOCOL"], env["REQUEST_METHOD"], env["REDIRECT_STATUS"]) == ("CGI/1.1", "HTTP/1.1", "GET", "200")
    assert env["REQUEST_URI"] == "/site/index.app/extra/path?row=env&a=b" and env["REMOTE_ADDR"] == "127.0.0.1" and env["SERVER_PORT"] == str(b.httpd.port)
    assert "PATH" not in env and "HTTPS" not in env and "CONTENT_LENGTH" not in env


def test_paths_as_a_chroot_sees_them(b):
    env = b.env("/rooted/extra?row=env")
    assert (env["SCRIPT_FILENAME"], env["PATH_TRANSLATED"], env["DOCUMENT_ROOT"]) == ("/site/index.app", "/extra", "/")


def test_https(fcgipm, place, accounts):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", place / "key.pem", "-out", place / "cert.pem"],
                   check=True, capture_output=True)
    (place / "notes").mkdir()
    fcgipm(POOLS).ready()
    httpd = Httpd(place / "httpd", "event", place / "run" / "control.sock", "<Location /app>\nSetHandler fcgipm:app\n</Location>\n"
                  f"SSLEngine On\nSSLCertificateFile {place}/cert.pem\nSSLCertificateKeyFile {place}/key.pem\n", modules=("ssl",)).start()
    done = subprocess.run(["curl", "-sS", "--cacert", place / "cert.pem", "--resolve", f"localhost:{httpd.port}:127.0.0.1", f"https://localhost:{httpd.port}/app?row=env"],
                          capture_output=True, check=True)
    env = json.loads(done.stdout)
    assert (env["HTTPS"], env["REQUEST_SCHEME"]) == ("on", "https")
    httpd.stop()


def test_what_a_client_cannot_set(b):
    env = b.env("/app?row=env", headers={"Proxy": "http://evil", "Authorization": "Basic eDp5", "X-Y": "good", "X_Y": "spoofed", "Content-Length": "0"})
    assert "HTTP_PROXY" not in env and "HTTP_AUTHORIZATION" not in env and env["HTTP_X_Y"] == "good"
    assert b.env("/auth?row=env", headers={"Authorization": "Basic eDp5"})["HTTP_AUTHORIZATION"] == "Basic eDp5"


def test_parameters_of_any_size(b):
    env = b.env("/app?row=env", headers={"X-Large": "l" * 200000, "X-Short": "s"})
    assert len(env["HTTP_X_LARGE"]) == 200000 and env["HTTP_X_SHORT"] == "s" and env["(records)"] > 3
    many = {f"X-{n}": "v" * 2000 for n in range(90)}
    env = b.env("/app?row=env", headers=many)
    assert all(env[f"HTTP_X_{n}"] == "v" * 2000 for n in range(90))


# ---- in httpd

def test_behind_what_httpd_does_with_requests(b):
    assert b.env("/site/?row=env")["SCRIPT_NAME"] == "/site/index.app"
    fallback = b.env("/site/not/there?row=env")
    assert fallback["SCRIPT_NAME"] == "/site/index.app" and fallback["REQUEST_URI"] == "/site/not/there?row=env"
    rewritten = b.env("/rules/x/y?z=1")
    assert rewritten["QUERY_STRING"] == "row=env&z=1" and rewritten["REQUEST_URI"] == "/rules/x/y?z=1" and rewritten["REDIRECT_URL"] == "/rules/x/y"
    document = b.httpd.get("/document/missing")
    assert document.status == 404 and json.loads(document.body)["REDIRECT_STATUS"] == "404"
    assert re.fullmatch(rb"pid=\d+\n\|pid=\d+\n", b.httpd.get("/ssi/page.shtml").body)
    assert b.env("/real/z?row=env")["PATH_INFO"] == "/z"


def test_under_deflate_and_cache(b):
    answer = b.ask("head", headers={"Accept-Encoding": "gzip"}, where="/zipped", text="Content-Type: text/plain\r\n\r\n" + "z" * 3000)
    assert answer.headers["Content-Encoding"] == "gzip" and len(answer.body) < 200
    text = "Content-Type: text/plain\r\nCache-Control: max-age=60\r\nETag: \"a\"\r\n\r\ncached"
    before = b.httpd.counters("app")["Requests"]
    assert b.ask("head", where="/cached", text=text).body == b"cached"
    wait_for(lambda: b.ask("head", where="/cached", text=text).headers.get("Age") is not None)
    after = b.httpd.counters("app")["Requests"]
    assert b.ask("head", where="/cached", text=text).body == b"cached" and b.httpd.counters("app")["Requests"] == after > before


def test_a_pool_by_an_expression(b):
    assert b.httpd.request("/chosen?row=hello", headers={"X-Pool": "app"}).status == 200
    assert b.httpd.request("/chosen?row=hello").status == 404, "empty: none of ours"
    assert b.httpd.request("/chosen?row=hello", headers={"X-Pool": "../etc"}).status == 503


@pytest.mark.parametrize("path", ["/nobody", "/forbidden"])
def test_a_pool_that_is_unknown_or_forbidden_is_503_with_one_line(b, path):
    for _ in range(20):
        assert b.httpd.get(path).status == 503
    lines = b.httpd.lines(f"FP0001: pool {path[1:]}:")
    assert 1 <= len(lines) <= 1 + 2 * len(b.httpd.children()), lines


# ---- failing

def test_a_worker_killed_before_a_byte_of_the_answer(b):
    name, retried = b.name(), b.httpd.counters("app")["Retried"]
    answer = b.ask("killed", id=name)
    assert (answer.status, answer.body) == (200, b"attempt 2\n")
    assert b.httpd.counters("app")["Retried"] == retried + 1
    assert b.ask("killed", id=b.name(), times=2).status == 502, "once"
    name = b.name()
    assert b.ask("killed", "POST", b"abc", id=name).status == 502
    assert b.note(name + "died") == "x", "a POST is not tried again once somebody has begun to read it"


def test_a_worker_killed_after_the_first_byte(b):
    name = b.name()
    answer = b.ask("killed", id=name, part="half")
    assert answer.broken or answer.status == 502
    assert b.note(name + "died") == "x"


def test_a_restart_of_httpd_ends_what_waits(b):
    """httpd closes its clients' sockets then, and kills after ten seconds who still waits with one."""
    name = b.name()
    with b.httpd.connect() as s:
        ask_for_two_parts(s, name)
        began = time.monotonic()
        b.httpd.restart()
    assert time.monotonic() - began < 8
    b.go(name + "go")
    assert b.ask("hello").status == 200


def test_silence_is_504_and_a_full_queue_503(b):
    name = b.name()
    answer = b.ask("holds", where="/brief", id=name)
    assert answer.status == 504
    b.go(name + "go")
    name = b.name()
    busy = b.background("holds", where="/one", id=name)
    b.note(name + "begun")
    waiting = [b.background("hello", where="/one") for _ in range(2)]
    wait_for(lambda: b.manager.pool("one")["queue"]["depth"] == 2)
    full = b.ask("hello", where="/one")
    assert (full.status, full.headers["Retry-After"]) == (503, "1")
    assert b.httpd.counters("one")["Failed[QUEUE_FULL]"] >= 1
    data, _ = b.httpd.raw(b"POST /one HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
    assert data.startswith(b"HTTP/1.1 503"), "no 100 for what cannot be served"
    assert [w().status for w in waiting] == [503, 503], "queue.timeout"
    assert b.httpd.counters("one")["Failed[QUEUE_TIMEOUT]"] == 2
    b.go(name + "go")
    assert busy().status == 200


def test_a_client_that_reads_slowly_is_not_the_applications_silence(b):
    """Longer than FcgipmTimeout (1 s), while the application waits to be heard."""
    with b.httpd.connect() as s:
        s.sendall(b"GET /brief?row=writes_first&n=30000000 HTTP/1.0\r\n\r\n")
        got = len(s.recv(65536))
        time.sleep(2.5)
        while more := s.recv(1 << 20):
            got += len(more)
    assert got > 30000000


def test_standard_error_in_whole_lines(b):
    at = b.httpd.mark()
    assert b.ask("says", lines=3).body == b"said\n"
    b.httpd.line("half a line", at)
    assert "pool app: GET /app: half a line" in b.httpd.line("half a line", at)
    b.httpd.line("no end$", at)
    at = b.httpd.mark()
    assert b.ask("says", lines=5000).body == b"said\n"
    assert len(b.httpd.lines("line ", at)) < 500, "rate-limited"


def test_status_for_people(b):
    text = b.httpd.get("/server-status").body.decode()
    assert "FastCGI pools (mod_fcgipm)" in text and "<td>app</td>" in text and f"<td>{b.manager.socket('app')}</td><td>address</td>" in text
    assert f"FcgipmLease[app]: {b.manager.socket('app')}\n" in b.httpd.get("/server-status?auto").body.decode()


def test_a_client_that_keeps_its_connection(b):
    c = http.client.HTTPConnection("127.0.0.1", b.httpd.port, timeout=20)
    try:
        for row in ("hello", "eof_at_once", "hello", "head", "env"):
            c.request("POST", f"/app?row={row}&text=Status:%20204%20x%0d%0a%0d%0a", b"some body")
            answer = c.getresponse()
            answer.read()
            assert answer.status in (200, 204, 502)
    finally:
        c.close()


# ---- leases

@pytest.mark.parametrize("how", ["graceful", "restart"])
def test_a_restart_of_httpd_touches_no_application(b, how):
    before = set(b.manager.pids("app"))
    getattr(b.httpd, how)()
    assert b.ask("hello").status == 200
    assert set(b.manager.pids("app")) >= before


def test_with_the_manager_dead_leased_pools_serve_on(b):
    assert b.ask("hello").status == 200
    os.kill(b.manager.manager_pid, signal.SIGKILL)
    for _ in range(50):
        assert b.ask("hello").status == 200
    b.manager.event("manager.started", timeout=20)


def test_a_pool_that_comes_moves_and_goes(b):
    base = b.manager.config.read_text()
    late = "  late:\n    command: [/usr/bin/python3, @DIR@/apps/scripted.py]\n    user: fcgipm-t1\n    environment: {SCRIPTED_DIR: @DIR@/notes}\n"

    def ask():
        return b.httpd.request("/chosen?row=hello", headers={"X-Pool": "late"}).status

    assert ask() == 503
    b.manager.write(base + late)
    b.manager.cli("reload", check=0)
    wait_for(lambda: ask() == 200)
    b.manager.write(base + late + "    listen: @RUN@/pools/elsewhere.sock\n")
    b.manager.cli("reload", check=0)
    wait_for(lambda: ask() == 200)
    b.manager.write(base + late + "    socket: {private: true}\n")
    b.manager.cli("reload", check=0)
    wait_for(lambda: all(ask() == 200 for _ in range(20)))  # a child that was refused asks again after a second
    b.manager.write(base)
    b.manager.cli("reload", check=0)
    wait_for(lambda: ask() == 503)


def test_httpd_starts_without_a_manager_and_takes_its_leases_when_it_comes(fcgipm, place, accounts):
    httpd = Httpd(place / "httpd", "event", place / "run" / "control.sock", "<Location /app>\nSetHandler fcgipm:app\n</Location>\n")
    (httpd.root / "s.txt").write_text("static")
    httpd.start()
    try:
        assert httpd.get("/app").status == 503 and httpd.get("/s.txt").body == b"static"
        (place / "notes").mkdir()
        fcgipm(POOLS).ready()
        wait_for(lambda: httpd.get("/app?row=hello").status == 200)
        assert httpd.lines("FP0002: pool app: leased")
    finally:
        httpd.stop()


def test_the_parent_holds_the_listener_and_hands_it_to_no_program(b):
    inode = next(line.split()[6] for line in open("/proc/net/unix", encoding="ascii") if line.strip().endswith(str(b.manager.socket("app"))) and line.split()[3] == "00010000")
    pid = b.httpd.process.pid
    held = [fd for fd in os.listdir(f"/proc/{pid}/fd") if os.readlink(f"/proc/{pid}/fd/{fd}") == f"socket:[{inode}]"]
    assert held
    flags = int(re.search(r"flags:\s+(\d+)", open(f"/proc/{pid}/fdinfo/{held[0]}", encoding="ascii").read()).group(1), 8)
    assert flags & os.O_CLOEXEC


# ---- what takes longer

soak = pytest.mark.skipif(not os.environ.get("RUN_SOAK"), reason="minutes: make soak")


def resident_kb(b, field="VmRSS"):
    total = 0
    for pid in b.httpd.children():
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            total += int(re.search(rf"{field}:\s+(\d+)", status.read()).group(1))
    return total


@soak
def test_2_gb_each_way_in_bounded_memory(b):
    size = 2 << 30
    before = resident_kb(b)
    with b.httpd.connect(600) as s:
        s.sendall(f"POST /app?row=count HTTP/1.0\r\nContent-Length: {size}\r\n\r\n".encode())
        piece = bytes(1 << 20)
        for _ in range(size >> 20):
            s.sendall(piece)
        got = b""
        while more := s.recv(65536):
            got += more
    assert got.endswith(b"%d %d\n" % (size, size))
    with b.httpd.connect(600) as s:
        s.sendall(f"GET /app?row=writes_first&n={size} HTTP/1.0\r\n\r\n".encode())
        got = 0
        while more := s.recv(1 << 20):
            got += len(more)
    assert got > size
    assert resident_kb(b) < before + 64 * 1024 * max(1, len(b.httpd.children())), "memory grew with the bodies"


@soak
def test_100000_requests_leave_no_descriptor_and_no_memory_behind(b):
    rows = itertools.cycle(("hello", "hello", "app_status", "stderr_between", "no_output", "eof_in_body", "shorter", "redirect&to=/app", "count", "large_head&n=20000"))
    lock = threading.Lock()

    def client(n):
        for _ in range(n):
            with lock:
                row = next(rows)
            connection = http.client.HTTPConnection("127.0.0.1", b.httpd.port, timeout=60)
            try:
                connection.request("POST" if row == "count" else "GET", f"/app?row={row}", b"x" * 3000 if row == "count" else None)
                connection.getresponse().read()
            except (http.client.HTTPException, ConnectionError):
                pass
            finally:
                connection.close()

    def run(count):
        threads = [threading.Thread(target=client, args=(count // 16,)) for _ in range(16)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return resident_kb(b), sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in b.httpd.children()), sorted(b.httpd.children())

    run(20000)
    first = run(20000)
    last = run(100000)
    if first[2] == last[2]:  # the same children
        assert last[0] < first[0] * 1.1 + 8192 and last[1] <= first[1] + 16, (first, last)
