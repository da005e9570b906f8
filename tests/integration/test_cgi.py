"""CGI by the exec broker: SetHandler fcgipm-cgi, AddHandler, ScriptAlias with FcgipmExecProfile, in each MPM, and by httpd itself (local, prefork)."""
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from cgi_bench import OTHER, OWNER, Bench
from conftest import comm, directory, needs_root, wait_for
from httpd import MPMS

pytestmark = needs_root
CONFIG = """
FcgipmExecProfile @PROFILE@
ScriptAlias /cgi-bin/ @PLACE@/cgi-bin/
Alias /files/ @PLACE@/cgi-bin/
AliasMatch ^/~([a-z]+)/(.*)$ @PLACE@/home/$1/public_html/cgi-bin/$2
<Directory @PLACE@/cgi-bin>
  Options +ExecCGI
  AcceptPathInfo On
</Directory>
<Location /files>
  AddHandler fcgipm-cgi .cgi
</Location>
<Directory @PLACE@/home>
  SetHandler fcgipm-cgi
  Options +ExecCGI
</Directory>
Alias /forbidden/ @PLACE@/cgi-bin/
<Location /forbidden>
  SetHandler fcgipm-cgi
  Options -ExecCGI
</Location>
Alias /pathless/ @PLACE@/cgi-bin/
<Location /pathless>
  SetHandler fcgipm-cgi
  AcceptPathInfo Off
</Location>
Alias /brief/ @PLACE@/cgi-bin/
<Location /brief>
  SetHandler fcgipm-cgi
  FcgipmTimeout 1
</Location>
Alias /limited/ @PLACE@/cgi-bin/
<Location /limited>
  SetHandler fcgipm-cgi
  LimitRequestBody 1000
</Location>
Alias /plain/ @PLACE@/cgi-bin/
<Location /plain>
  SetHandler cgi-script
</Location>
Alias /crowded/ @PLACE@/cgi-bin/
<Location /crowded>
  SetHandler fcgipm-cgi
  FcgipmMaxWaiting 1
  FcgipmExecProfile @PROFILE@
</Location>
"""
MODULES = ("alias", "deflate", "filter")
MODES = [*MPMS, "local"]


@pytest.fixture(scope="module", params=MODES)
def bench(request, accounts):
    """One manager and one httpd for all tests of this file."""
    local = request.param == "local"
    with directory() as place:
        b = Bench(place, "prefork" if local else request.param, CONFIG, modules=MODULES, local=local)
        b.httpd.start()
        yield b
        b.stop()


@pytest.fixture
def httpd(bench):
    return bench.httpd


def play(part, **args):
    return "/cgi-bin/cgi?" + "&".join([part, *(f"{k}={v}" for k, v in args.items())])


def variables(answer):
    return dict(line.split("=", 1) for line in answer.body.decode().splitlines())


def soon(ask, is_whole):
    """An answer that httpd had as a whole before it sent any of it; on a busy machine a program may take a while between its last byte and its end."""
    return wait_for(lambda: answer if is_whole(answer := ask()) else None)


# ---- what runs

def test_hello(httpd):
    answer = soon(lambda: httpd.get(play("hello")), lambda a: "Content-Length" in a.headers)
    assert (answer.status, answer.body, answer.headers["Content-Type"], answer.headers["Content-Length"]) == (200, b"hello\n", "text/plain", "6")


def test_kept_connection(httpd):
    got, _ = httpd.raw(b"".join(f"GET {play('hello')} HTTP/1.1\r\nHost: x\r\n{'Connection: close' if i == 19 else 'X: y'}\r\n\r\n".encode() for i in range(20)))
    assert got.count(b"hello\n") == 20 and got.count(b"HTTP/1.1 200") == 20


def test_handlers(httpd):
    """SetHandler cgi-script and AddHandler fcgipm-cgi; without ExecCGI nothing but ScriptAlias runs."""
    assert httpd.get("/plain/cgi?hello").body == b"hello\n"
    assert httpd.get("/files/shell.cgi").body.startswith(b"sh ")
    assert httpd.get("/files/cgi?hello").body[:4] == b"\x7fELF"
    at = httpd.mark()
    assert httpd.get("/forbidden/cgi?hello").status == 403
    httpd.line("FP0332: Options ExecCGI is off", at)


def test_languages(bench):
    httpd, who = bench.httpd, "www-data" if bench.local else OWNER
    at = httpd.mark()
    assert httpd.request("/cgi-bin/shell.cgi?q", "POST", b"body").body.decode() == f"sh {who} POST q {bench.bin}\nbody"
    httpd.line(r"FP0301: profile \S+: POST /cgi-bin/shell.cgi: to standard error", at)
    assert httpd.get("/cgi-bin/awk.cgi/a/b").body == b"awk /cgi-bin/awk.cgi /a/b\n"
    answer = httpd.request("/cgi-bin/perl.cgi?one+two%21", "POST", b"abc")
    assert answer.body.decode() == f"<p>perl one two! {bench.bin}/perl.cgi [abc]</p>\n" and answer.headers["Content-Type"] == "text/html"
    httpd.line(r"FP0301: .*/cgi-bin/perl.cgi: of perl", at)


def test_owner_runs_it(bench):
    if bench.local:
        pytest.skip("httpd itself changes no account")
    assert bench.httpd.get("/~alice/shell.cgi").body.startswith(f"sh {OWNER} ".encode())
    assert bench.httpd.get("/~bob/shell.cgi").body.startswith(f"sh {OTHER} ".encode())


def test_environment(bench):
    env = variables(bench.httpd.get(play("env") + "&a=b%20c", X_Own="1", Proxy="evil", Authorization="Basic x", Cookie="k=v"))
    expected = {"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1", "REQUEST_METHOD": "GET", "QUERY_STRING": "env&a=b%20c", "SCRIPT_NAME": "/cgi-bin/cgi",
                "SCRIPT_FILENAME": f"{bench.bin}/cgi", "REQUEST_URI": play("env") + "&a=b%20c", "REMOTE_ADDR": "127.0.0.1", "HTTP_X_OWN": "1", "HTTP_COOKIE": "k=v",
                "SERVER_PORT": str(bench.httpd.port), "DOCUMENT_ROOT": str(bench.httpd.root)}
    assert {k: env.get(k) for k in expected} == expected
    assert not {"HTTP_PROXY", "HTTP_AUTHORIZATION", "PATH_INFO", "CONTENT_LENGTH"} & set(env)
    env = variables(bench.httpd.get("/cgi-bin/cgi/a%20b/c?env&"))
    assert (env["PATH_INFO"], env["PATH_TRANSLATED"], env["SCRIPT_NAME"]) == ("/a b/c", f"{bench.httpd.root}/a b/c", "/cgi-bin/cgi")


def test_words(bench):
    """RFC 3875, 4.4: a query without "=" is arguments."""
    program = f"{bench.bin}/cgi"
    assert bench.httpd.get("/cgi-bin/cgi?a+b%20c+%24d").body.decode().splitlines() == [program, "a", "b c", "\\$d"]
    assert bench.httpd.get("/cgi-bin/cgi?a+b=c").body.decode().splitlines() == [program]
    assert bench.httpd.get("/cgi-bin/cgi").body.decode().splitlines() == [program]


def test_methods(httpd):
    assert httpd.request("/cgi-bin/shell.cgi", "PUT", b"x").body.startswith(b"sh ")
    assert b" DELETE " in httpd.request("/cgi-bin/shell.cgi", "DELETE").body
    answer = httpd.request(play("hello"), "HEAD")
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, b"", "text/plain")


# ---- bodies

def test_post(httpd):
    assert httpd.request(play("echo"), "POST", b"abc").body == b"abc"
    assert httpd.request(play("echo"), "POST", b"").body == b""
    assert variables(httpd.request(play("env"), "POST", b"abcd", {"Content-Type": "x/y"}))["CONTENT_LENGTH"] == "4"


@pytest.mark.parametrize("part,args", [("count", {}), ("echo", {}), ("flood", {"N": 20_000_000})])
def test_big_bodies_both_ways(httpd, part, args):
    """Neither side waits for the other, also where the program writes before it reads; what comes back is more than all buffers hold."""
    size = 30_000_000
    data = os.urandom(1 << 20) * (size >> 20)
    got = both_ways(httpd, play(part, **args), data)
    assert got == data if part == "echo" else got[args.get("N", 0):] == str(len(data)).encode()


def both_ways(httpd, path, data):
    """The body of the answer, for a client that reads while it writes."""
    with httpd.connect() as s:
        def send():
            s.sendall(f"POST {path} HTTP/1.0\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)

        sender = threading.Thread(target=send)
        sender.start()
        got = bytearray()
        while more := s.recv(1 << 18):
            got += more
        sender.join()
    return bytes(got).split(b"\r\n\r\n", 1)[1]


def test_chunked_body(httpd):
    """It is streamed: no CONTENT_LENGTH, and the program's answer to the first part is there before the second is sent."""
    assert httpd.request(play("echo"), "POST", iter([b"a" * 100_000, b"b" * 100_000]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}).body == b"a" * 100_000 + b"b" * 100_000
    env = variables(httpd.request(play("env"), "POST", iter([b"x"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}))
    assert "CONTENT_LENGTH" not in env
    with httpd.connect() as s:
        s.sendall(f"POST {play('echo')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n".encode())
        assert b"first" in receive_until(s, b"first")
        s.sendall(b"6\r\nsecond\r\n0\r\n\r\n")
        assert b"second" in receive_until(s, b"0\r\n\r\n")


def receive_until(s, what):
    got = b""
    while what not in got:
        more = s.recv(65536)
        assert more, f"it ended: {got[-300:]!r}"
        got += more
    return got


def test_expect_continue(httpd):
    with httpd.connect() as s:
        s.sendall(f"POST {play('echo')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n".encode())
        assert receive_until(s, b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        s.sendall(b"abc")
        assert receive_until(s, b"abc")


def test_early_answer(httpd):
    """The answer of a program that does not read is there while the client still sends."""
    with httpd.connect() as s:
        s.sendall(f"POST {play('hello')} HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\npart".encode())
        assert b"hello" in receive_until(s, b"hello")
    answer = httpd.request(play("hello"), "POST", b"x" * 3_000_000)
    assert answer.body == b"hello\n"


def test_limits_of_a_body(httpd):
    assert httpd.request("/limited/cgi?count&", "POST", b"x" * 1001).status == 413
    assert httpd.request("/limited/cgi?count&", "POST", iter([b"x" * 2000]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}).status == 413
    assert httpd.request("/limited/cgi?count&", "POST", b"x" * 1000).body == b"1000"
    got, _ = httpd.raw(f"POST {play('count')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n".encode())
    assert got.startswith(b"HTTP/1.1 400 ")
    wait_for(lambda: httpd.counters("exec:cgi").get("Current", 0) == httpd.counters("exec:local").get("Current", 0) == 0)


def test_memory_is_bounded(bench):
    """100 MB in and out leave httpd's children as they were."""
    def peak():
        return max(int(re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{pid}/status", encoding="ascii").read()).group(1)) for pid in bench.httpd.children())

    assert bench.httpd.request(play("big", N=10_000_000)).body.count(b"x") == 10_000_000
    before = peak()
    done = bench.httpd.curl(play("echo"), "-o", "/dev/null", "-w", "%{size_download}", "-H", "Expect:", "--data-binary", f"@{sparse(bench.place / 'zeros', 100 << 20)}")
    assert int(done.stdout) == 100 << 20
    assert peak() - before < 20_000


def sparse(path, size):
    with open(path, "wb") as f:
        f.truncate(size)
    return path


# ---- answers

def test_heads(httpd):
    answer = httpd.get(play("status", N=404))
    assert (answer.status, answer.body) == (404, b"as it is")
    answer = httpd.get(play("cookies"))
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"] and answer.headers["X-More"] == "yes"
    assert httpd.get(play("location", to="http://127.0.0.1/there")).status == 302
    assert httpd.get(play("location", to="http://127.0.0.1/there")).headers["Location"] == "http://127.0.0.1/there"
    assert b'<a href="http://127.0.0.1/there">' in httpd.get(play("location", to="http://127.0.0.1/there")).body
    answer = httpd.get(play("see", to="/x"))
    assert (answer.status, answer.body, answer.headers["Location"]) == (303, b"go there", "/x")


def test_local_redirect(httpd):
    answer = httpd.request(play("location", to="/cgi-bin/shell.cgi"), "POST", b"was a body")
    assert answer.status == 200 and b" GET " in answer.body and b"was a body" not in answer.body


def test_conditions_and_ranges(httpd):
    answer = httpd.get(play("dated"))
    assert (answer.status, answer.body, answer.headers["ETag"]) == (200, b"dated", '"e"')
    assert httpd.get(play("dated"), If_None_Match='"e"').status == 304
    assert httpd.get(play("dated"), If_Modified_Since="Tue, 01 Feb 2022 10:00:00 GMT").status == 304
    answer = httpd.get(play("dated"), If_Match='"other"')
    assert answer.status == 412 and b"Precondition Failed" in answer.body and answer.headers["ETag"] is None
    answer = soon(lambda: httpd.get(play("dated"), Range="bytes=1-2"), lambda a: a.status == 206)
    assert answer.body == b"at"


def test_unparsed_head(httpd):
    """nph-: what it writes is what the client gets, and the connection ends behind it."""
    got, _ = httpd.raw(b"GET /cgi-bin/nph-cgi?unparsed& HTTP/1.1\r\nHost: x\r\n\r\n")
    assert got == b"HTTP/1.1 299 Own Words\r\nX-Own: yes\r\n\r\nraw"
    assert httpd.get("/cgi-bin/nph-cgi?nothing&").status == 500


def test_output_is_flushed(bench):
    """When the program pauses, what it has said is sent."""
    with bench.httpd.connect() as s:
        s.sendall(f"GET {play('paused', gate=bench.gate('flush'))} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        receive_until(s, b"one\n")
        bench.gate("flush").touch()
        receive_until(s, b"two\n")


def test_big_answer_to_a_slow_client(httpd):
    with httpd.connect() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        s.sendall(f"GET {play('big', N=3_000_000)} HTTP/1.0\r\n\r\n".encode())
        got = 0
        while more := s.recv(8192):
            got += more.count(b"x")
    assert got >= 3_000_000


def test_standard_error(httpd):
    at = httpd.mark()
    assert httpd.get(play("lines", N=3)).body == b"said"
    for i in range(3):
        httpd.line(rf"FP0301: profile \S+: GET /cgi-bin/cgi: line {i}$", at)
    time.sleep(1.1)  # the bound is on lines a second
    at = httpd.mark()
    assert httpd.get(play("lines", N=5000)).body == b"said"
    assert 90 <= len(httpd.lines("FP0301", at)) <= 110


# ---- failures

def test_no_answer(httpd):
    at = httpd.mark()
    assert httpd.get(play("nothing")).status == 500
    httpd.line(r"FP0320: profile \S+: ended without an answer: \S+/cgi-bin/cgi: exit status 3", at)
    assert httpd.get(play("garbage")).status == 500
    httpd.line(r"FP0321: .*no proper head: \S+/cgi-bin/cgi: ", at)


@pytest.mark.parametrize("said,why", [
    ("this is no header\\n\\n", 'a line without a colon: "this is no header"'), ("X A: b\\n\\n", 'no field name before the colon: "X A: b"'),
    ("A: b\\nX-A: a\\001b\\n\\n", r'a control byte: "X-A: a\\x01b"'), ("Status: abc\\n\\n", 'no HTTP status: "abc"'),
    ("Content-Length: x2\\n\\n", 'no Content-Length, or not the one before: "x2"'), ("A: b\\n", "no empty line behind it, exit status 0"),
])
def test_what_is_wrong_with_a_head_is_said(bench, said, why):
    at = bench.httpd.mark()
    bench.script("head", f"#!/bin/sh\nprintf '{said}'\n")
    assert bench.httpd.get("/cgi-bin/head").status == 500
    bench.httpd.line("FP0321: .*/head: " + re.escape(why), at)


@pytest.mark.parametrize("goes_on", ["echo line", ":"])
def test_a_restart_of_httpd_ends_what_runs(bench, goes_on):
    """httpd closes its clients' sockets then: neither does a thread spin, or wait on, nor the program go on."""
    bench.script("stream", f"#!/bin/sh\nprintf 'A: b\\n\\n'; echo first; while sleep 0.05; do {goes_on}; done\n")
    with bench.httpd.connect() as s:
        s.sendall(b"GET /cgi-bin/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        assert s.recv(1000)
        began = time.monotonic()
        bench.httpd.restart()
    assert time.monotonic() - began < 8, "httpd waits ten seconds before it kills"
    wait_for(lambda: not list(scripts(bench.bin / "stream")), message="the program goes on")


def scripts(path):
    return (p for p in os.listdir("/proc") if p.isdigit() and str(path) in environment(p))


def environment(pid):
    try:
        return open(f"/proc/{pid}/environ", errors="replace", encoding="utf-8").read()
    except OSError:
        return ""


def test_killed_program(httpd):
    """What has been said does not pass for all there was to say."""
    at = httpd.mark()
    assert is_noticed(httpd.get(play("kill", N=100)))
    httpd.line(r"FP0322: .*cut short: \S+/cgi-bin/cgi: killed by signal 9", at)
    assert httpd.get(play("kill", N=1_000_000)).broken
    assert is_noticed(httpd.get(play("length", N=5)))
    assert httpd.get(play("length", N=15)).body == b"x" * 10


def is_noticed(answer):
    """500, or, where it took the program a while to end, a part that is broken off."""
    return answer.status == 500 or answer.broken


def test_silence(bench):
    httpd, at = bench.httpd, bench.httpd.mark()
    began = time.monotonic()
    assert httpd.get(f"/brief/cgi?silent&gate={bench.gate('silence')}").status == 504
    assert 0.9 < time.monotonic() - began < 5
    httpd.line(r"FP0318: .*silent for too long \(FcgipmTimeout\): \S+/cgi-bin/cgi", at)
    bench.noted("silence", "begun")
    wait_for(lambda: not programs(bench), message="the program goes on")


def programs(bench):
    """Processes that run the program of many parts."""
    return [int(p) for p in os.listdir("/proc") if p.isdigit() and comm(p) in ("cgi", "nph-cgi") or p.isdigit() and runs(p, bench.bin / "cgi")]


def runs(pid, path):
    try:
        return os.readlink(f"/proc/{pid}/exe") == str(path)
    except OSError:
        return False


@pytest.mark.parametrize("how", ["close", "reset", "shutdown"])
def test_client_leaves(bench, how):
    """The program ends with it."""
    name = f"leaves-{how}"
    with bench.httpd.connect() as s:
        s.sendall(f"GET {play('silent', gate=bench.gate(name))} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        bench.noted(name, "begun")
        assert programs(bench)
        if how == "reset":
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if how == "shutdown":
            s.shutdown(socket.SHUT_WR)
            wait_for(lambda: not programs(bench), message="the program goes on")
    wait_for(lambda: not programs(bench), message="the program goes on")


def test_program_that_goes_on(bench):
    """The client has its answer as soon as the output is closed; what is still to be done is done."""
    if bench.local:
        pytest.skip("httpd ends it with the request, as mod_cgi does")
    assert bench.httpd.get(play("on", gate=bench.gate("on"))).body == b"answered"
    for _ in range(5):
        assert bench.httpd.get(play("hello")).body == b"hello\n"
    bench.gate("on").touch()
    bench.noted("on", "gone on")


def test_what_it_leaves_behind(bench):
    if bench.local:
        pytest.skip("httpd itself does not know of it")
    assert bench.httpd.get(play("child")).body == b"parent"
    wait_for(lambda: not programs(bench), message="its child goes on")


def test_objections(bench):
    httpd, at = bench.httpd, bench.httpd.mark()
    assert httpd.get("/cgi-bin/none.cgi").status == 404
    httpd.line("FP0334: script not found", at)
    (bench.bin / "sub").mkdir(exist_ok=True)
    assert httpd.get("/plain/sub/").status == 403
    httpd.line("FP0335: attempt to invoke directory", at)
    assert httpd.get("/pathless/cgi/info?hello&").status == 404
    httpd.line("FP0336: AcceptPathInfo off", at)


def test_max_waiting(bench):
    """FcgipmMaxWaiting bounds how many of a child's threads a profile holds: where a child has one thread, that is no bound."""
    if bench.mpm == "prefork":
        pytest.skip("one request a child")
    with bench.httpd.connect() as s:
        s.sendall(f"GET /crowded/cgi?paused&gate={bench.gate('crowd')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        receive_until(s, b"one\n")
        answer = bench.httpd.get("/crowded/cgi?hello&")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        bench.gate("crowd").touch()
        receive_until(s, b"two\n")


def test_many_at_once(bench):
    """None is lost, whoever waits for whom; and nothing is left open."""
    failed = []

    def some():
        for _ in range(25):
            answer = bench.httpd.get(play("hello"))
            if answer.body != b"hello\n":
                failed.append(answer)

    threads = [threading.Thread(target=some) for _ in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed, failed[:3]


def test_connections_are_kept(bench):
    """A child asks the manager once, not for each request."""
    if bench.mpm == "prefork":
        pytest.skip("requests meet any of many children")
    before = bench.httpd.counters("exec:cgi")["Requests"]
    for _ in range(50):
        assert bench.httpd.get(play("hello")).body == b"hello\n"
    assert bench.httpd.counters("exec:cgi")["Requests"] - before == 50
    assert all(len(broker_connections(pid)) <= 40 for pid in bench.httpd.children())


def broker_connections(pid):
    """Connected sockets of the control socket's kind (SOCK_SEQPACKET)."""
    rows = [line.split() for line in open("/proc/net/unix", encoding="ascii").read().splitlines()[1:]]
    inodes = {r[6] for r in rows if r[4] == "0005" and r[5] == "03"}
    return [link for fd in os.listdir(f"/proc/{pid}/fd") if (link := link_of(f"/proc/{pid}/fd/{fd}")).startswith("socket:") and link[8:-1] in inodes]


def link_of(path):
    try:
        return os.readlink(path)
    except FileNotFoundError:  # closed meanwhile
        return ""


def test_counters(bench):
    name = "exec:local" if bench.local else "exec:cgi"
    before = bench.httpd.counters(name)
    assert bench.httpd.get(play("nothing")).status == 500
    after = bench.httpd.counters(name)
    assert after["Requests"] - before["Requests"] == 1 and after["Failed[EXEC_NO_OUTPUT]"] - before["Failed[EXEC_NO_OUTPUT]"] == 1
    assert after["Current"] == 0


def test_children_do_not_fork(bench):
    if bench.local:
        pytest.skip("it is told to")
    children = bench.httpd.children()
    tracers = [subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=clone,clone3,fork,vfork,execve", "-p", str(pid)], stderr=subprocess.PIPE, text=True) for pid in children[:4]]
    try:
        wait_for(lambda: all(traced(pid) for pid in children[:4]), message="strace does not trace")
        for _ in range(20):
            assert bench.httpd.get(play("hello")).body == b"hello\n"
    finally:
        for t in tracers:
            t.send_signal(signal.SIGINT)
    said = "".join(t.communicate(timeout=20)[1] for t in tracers)
    assert "execve" not in said and not re.search(r"v?fork\(|clone3?\((?!.*CLONE_THREAD)", said), said


def traced(pid):
    return all(int(re.search(r"TracerPid:\s+(\d+)", open(f"/proc/{pid}/task/{t}/status", encoding="ascii").read()).group(1)) != 0 for t in os.listdir(f"/proc/{pid}/task"))
