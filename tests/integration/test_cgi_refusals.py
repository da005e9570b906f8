"""What the exec broker refuses, as httpd's clients and its log see it; ScriptLog; the owner's scripts by mod_userdir."""
import os
import re
import signal
import subprocess
import threading

import pytest

from cgi_bench import OTHER, OWNER, PROFILES, Bench, own
from conftest import HERE, directory, needs_root, wait_for
from test_cgi import receive_until

pytestmark = needs_root
CONFIG = """
ScriptLog @PLACE@/logs/script.log
ScriptLogLength 20000
ScriptLogBuffer 5
UserDir @PLACE@/home/*/public_html
Alias /cgi-bin/ @PLACE@/cgi-bin/
Alias /outside/ @PLACE@/outside/
<DirectoryMatch ^@PLACE@/(cgi-bin|home|outside)>
  SetHandler fcgipm-cgi
  Options +ExecCGI
  FcgipmExecProfile cgi
</DirectoryMatch>
""" + "".join(f"""
Alias /{name}/ @PLACE@/cgi-bin/
<Location /{name}>
  FcgipmExecProfile {name}
</Location>
""" for name in ("few", "brief", "words", "closed", "unknown")) + """
Alias /unset/ @ROOT@/
<Location /unset>
  SetHandler fcgipm-cgi
  Options +ExecCGI
</Location>
ScriptAlias /forgotten/ @ROOT@/
Alias /misspelt/ @ROOT@/
<Location /misspelt>
  SetHandler fcgipm-cgi:cgi
</Location>
LoadModule actions_module /usr/lib/apache2/modules/mod_actions.so
Alias /action/ @ROOT@/
Alias /static/ @ROOT@/
<Location /action>
  SetHandler cgi-script
  Action cgi-script /static/x
</Location>
<Location /static>
  AcceptPathInfo On
</Location>
"""


@pytest.fixture(scope="module")
def bench(accounts):
    with directory() as place:
        (place / "logs").mkdir()
        own(place / "logs", "www-data")
        b = Bench(place, "event", CONFIG, modules=("alias", "userdir"))
        (b.httpd.root / "x").write_text("x")
        b.httpd.start()
        yield b
        b.stop()


def refusal(bench, path, status, name):
    at = bench.httpd.mark()
    answer = bench.httpd.get(path)
    assert answer.status == status, answer
    bench.httpd.line(rf"FP031\d: profile \S+: not run: \S+{re.escape(path.rpartition('/')[2].partition('?')[0])}: {name}", at)
    return answer


def test_files_that_are_refused(bench):
    """500, as behind suexec, and the log says which of the rules it is."""
    text = "#!/bin/sh\necho\n"
    bench.script("writable", text, mode=0o775)
    refusal(bench, "/cgi-bin/writable", 500, "writable")
    bench.script("setuid", text, mode=0o4755)
    refusal(bench, "/cgi-bin/setuid", 500, "setuid")
    bench.script("plain", text, mode=0o644)
    refusal(bench, "/cgi-bin/plain", 500, "step")
    (bench.bin / "roots").mkdir()
    bench.script("of-root", text, account="root", directory=bench.bin / "roots")
    refusal(bench, "/cgi-bin/roots/of-root", 500, "root")
    bench.script("foreign", text, account=OTHER)
    refusal(bench, "/cgi-bin/foreign", 500, "directory-owner")
    (bench.place / "outside").mkdir()
    bench.script("script", text, directory=bench.place / "outside")
    refusal(bench, "/outside/script", 500, "outside-roots")
    (bench.bin / "link").symlink_to(bench.bin / "cgi")
    refusal(bench, "/cgi-bin/link", 500, "link")
    bench.script("interpreter", "#!/none/such\n")
    refusal(bench, "/cgi-bin/interpreter", 500, "step")


def test_directories_that_are_refused(bench):
    loose = bench.bin / "loose"
    loose.mkdir()
    bench.script("script", "#!/bin/sh\necho\n", directory=loose)
    own(loose, OWNER, 0o777)
    refusal(bench, "/cgi-bin/loose/script", 500, "directory-writable")


def test_profiles_that_are_refused(bench):
    refusal(bench, "/unknown/cgi?hello&", 500, "unknown-profile")
    refusal(bench, "/closed/cgi?hello&", 500, "client-not-permitted")
    at = bench.httpd.mark()
    assert bench.httpd.get("/unset/x").status == 500
    bench.httpd.line("FP0331: handler fcgipm-cgi without FcgipmExecProfile", at)


@pytest.mark.parametrize("path,why", [("/forgotten/x", "FP0337: a CGI program where no FcgipmExecProfile is set"), ("/misspelt/x", "FP0338: no handler")])
def test_no_source_is_sent_where_a_program_was_meant(bench, path, why):
    at = bench.httpd.mark()
    assert bench.httpd.get(path).status == 500
    bench.httpd.line(why, at)
    assert bench.httpd.get(path + "y").status == 404


def test_a_module_behind_ours_may_still_answer(bench):
    assert bench.httpd.get("/action/x").body == b"x"


def test_arguments(bench):
    """Words of the query that the profile does not permit are the client's mistake."""
    assert bench.httpd.get("/words/cgi?one+two").body.decode().splitlines()[1:] == ["one", "two"]
    refusal(bench, "/words/cgi?one+Two", 403, "arguments")


def test_too_much(bench):
    headers = {f"X-H{i}": "x" * 8000 for i in range(40)}
    at = bench.httpd.mark()
    assert bench.httpd.request("/cgi-bin/cgi?hello&", headers=headers).status == 431
    bench.httpd.line("FP0315: profile cgi: not run: ", at)
    headers = {f"X-H{i}": "x" * 8000 for i in range(20)}
    assert bench.httpd.request("/cgi-bin/cgi?hello&", headers=headers).body == b"hello\n"


def test_busy(bench):
    """One runs, one waits; the third is told so at once, and told when to come again."""
    def ask(gate):
        s = bench.httpd.connect()
        s.sendall(f"GET /few/cgi?paused&gate={bench.gate(gate)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return s

    with ask("one") as one:
        receive_until(one, b"one\n")
        with ask("two") as two:
            wait_for(lambda: next(p for p in bench.manager.status()["exec"] if p["name"] == "few")["queue"]["depth"] == 1)
            at = bench.httpd.mark()
            answer = bench.httpd.get("/few/cgi?hello&")
            assert answer.status == 503
            assert answer.headers["Retry-After"] == "1"
            bench.httpd.line("FP0313: profile few: not run: .*busy", at)
            for gate in ("one", "two"):
                bench.gate(gate).touch()
            receive_until(one, b"two\n")
            receive_until(two, b"two\n")
    assert bench.httpd.get("/few/cgi?hello&").body == b"hello\n"


def test_waiting_client_leaves(bench):
    """Its turn is not waited for any more."""
    with bench.httpd.connect() as one:
        one.sendall(f"GET /few/cgi?paused&gate={bench.gate('a')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        receive_until(one, b"one\n")
        with bench.httpd.connect() as two:
            two.sendall(f"GET /few/cgi?silent&gate={bench.gate('b')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            wait_for(lambda: bench.httpd.counters("exec:few")["Current"] == 2)
        wait_for(lambda: bench.httpd.counters("exec:few")["Current"] == 1)
        bench.gate("a").touch()
        receive_until(one, b"two\n")
    assert bench.httpd.get("/few/cgi?hello&").body == b"hello\n"


def test_timeout_of_the_profile(bench):
    at = bench.httpd.mark()
    assert bench.httpd.get(f"/brief/cgi?silent&gate={bench.gate('t')}").status == 500
    bench.httpd.line("FP0322: profile brief: .*killed by signal 15, at the profile's timeout", at)
    answer = bench.httpd.get(f"/brief/cgi?paused&gate={bench.gate('t2')}")
    assert answer.broken and answer.body == b"one\n"


def test_userdir(bench):
    """~alice's script runs as alice, ~bob's as bob."""
    assert bench.httpd.get("/~alice/cgi-bin/shell.cgi").body.startswith(f"sh {OWNER} GET".encode())
    assert bench.httpd.get("/~bob/cgi-bin/shell.cgi").body.startswith(f"sh {OTHER} GET".encode())


def test_chroot(accounts):
    """FcgipmChroot says which part of a path a program in a chroot does not see."""
    profiles = PROFILES + """
  jail: {chroot: @DIR@/jail, roots: [/cgi-bin], min_uid: 1, min_gid: 1}
"""
    config = """
Alias /jail/ @PLACE@/jail/cgi-bin/
<Location /jail>
  SetHandler fcgipm-cgi
  Options +ExecCGI
  FcgipmExecProfile jail
  FcgipmChroot @PLACE@/jail
</Location>
"""
    with directory() as place:
        (place / "jail" / "cgi-bin").mkdir(parents=True)
        program = place / "jail" / "cgi-bin" / "cgi"
        subprocess.run(["cc", "-static", "-D_GNU_SOURCE", "-o", program, HERE / "apps" / "cgi.c"], check=True)
        own(program)
        b = Bench(place, "event", config, modules=("alias",), profiles=profiles)
        b.httpd.start()
        env = dict(line.split("=", 1) for line in b.httpd.get("/jail/cgi?env&").body.decode().splitlines())
        assert (env["SCRIPT_FILENAME"], env["SCRIPT_NAME"]) == ("/cgi-bin/cgi", "/jail/cgi")
        b.stop()


# ---- ScriptLog

def entries(bench):
    log = bench.place / "logs" / "script.log"
    return log.read_text() if log.exists() else ""


def test_script_log(bench):
    """As mod_cgi writes it: lines of standard error, objections, and answers that have no head with what was asked."""
    before = len(entries(bench))
    assert bench.httpd.request("/cgi-bin/cgi?garbage&", "POST", b"0123456789", {"X-Own": "yes"}).status == 500
    said = entries(bench)[before:]
    assert re.fullmatch(r"%% \[\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\] POST /cgi-bin/cgi\?garbage& HTTP/1\.1\n"
                        r"%% 500 \S+/cgi-bin/cgi\n%request\n(?:[\w-]+: .*\n)*X-Own: yes\n(?:[\w-]+: .*\n)*\n01234\n"
                        r"%response\nthis is no head\n%stdout\nand this no body\n\n", said), said
    before = len(entries(bench))
    assert bench.httpd.get("/cgi-bin/cgi?lines&N=2").status == 200
    assert entries(bench)[before:].count("%error\nline 1\n") == entries(bench)[before:].count("%error\n") - 1 == 1
    before = len(entries(bench))
    assert bench.httpd.get("/cgi-bin/none").status == 404
    assert entries(bench)[before:].endswith(f"%% 404 {bench.bin}/none\n%error\nscript not found or unable to stat\n")


def test_script_log_has_an_end(bench):
    with open(bench.place / "logs" / "script.log", "a", encoding="ascii") as f:
        f.write("x" * 20000)
    before = len(entries(bench))
    assert bench.httpd.get("/cgi-bin/cgi?garbage&").status == 500
    assert len(entries(bench)) == before
    os.truncate(bench.place / "logs" / "script.log", 0)


# ---- without a manager

def test_manager_gone_and_come_back(bench):
    """Its end ends no run, and the connections of httpd's children outlive it; without a launcher the answer is 503 at once."""
    assert bench.httpd.get("/cgi-bin/cgi?hello&").body == b"hello\n"
    bench.manager.expected_errors.add("manager.exit")
    os.kill(bench.manager.manager_pid, signal.SIGKILL)
    for _ in range(10):
        assert bench.httpd.get("/cgi-bin/cgi?hello&").body == b"hello\n"


def test_no_manager(accounts):
    with directory() as place:
        b = Bench(place, "event", CONFIG, modules=("alias", "userdir"))
        b.httpd.start()
        assert b.httpd.get("/cgi-bin/cgi?hello&").body == b"hello\n"
        assert b.manager.stop() == 0
        at = b.httpd.mark()
        answer = b.httpd.get("/cgi-bin/cgi?hello&")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        b.httpd.line("FP0317: profile cgi: the exec broker cannot be asked: ", at)
        again = type(b.manager)(place, b.manager.config.read_text()).ready()
        for _ in range(5):
            assert b.httpd.get("/cgi-bin/cgi?hello&").body == b"hello\n"
        b.httpd.stop()
        assert again.stop() == 0
        again.check_end()


def test_programs_that_run_when_the_launcher_ends(accounts):
    with directory() as place:
        b = Bench(place, "event", CONFIG, modules=("alias", "userdir"))
        b.httpd.start()
        got = []
        asking = threading.Thread(target=lambda: got.append(b.httpd.get(f"/cgi-bin/cgi?paused&gate={b.gate('end')}")))
        asking.start()
        wait_for(lambda: b.httpd.counters("exec:cgi").get("Current") == 1)
        wait_for(lambda: subprocess.run(["pgrep", "-f", f"^{b.bin}/cgi"], check=False, capture_output=True).returncode == 0)
        assert b.manager.stop() == 0
        asking.join()
        assert got[0].broken or got[0].status == 500
        b.httpd.stop()
        b.manager.check_end()
