"""The exec broker (docs/exec.md): what runs, as whom, what is refused, and what is left of it."""
import array
import mmap
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

import broker
from broker import Broker, Refused
from conftest import BUILD, ROOT, children_of, make_linger, needs_root, wait_for, with_and_without_cgroups

REFUSALS = {int(number): name for number, name in re.findall(r'X\(\w+, (\d+), "([a-z-]+)"', (Path(__file__).parents[2] / "include/fcgipm/refusal.h").read_text())}
SHOW = """#!/bin/sh
echo "uid=$(id -u) gid=$(id -g) groups=$(id -G) pwd=$PWD args=$* umask=$(umask)"
env
cat
echo problem >&2
exit 3
"""


class Site:
    """A directory of programs below the test's own, and the file that admits them."""

    def __init__(self, place, owner):
        self.place, self.root, self.owner = place, place / "cgi", owner
        self.root.mkdir()
        self.chown(self.root)

    def chown(self, path):
        if self.owner is not None:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def put(self, name, text=SHOW, mode=0o755):
        path = self.root / name
        path.write_text(text)
        path.chmod(mode)
        self.chown(path)
        return path

    def config(self, more="", user="owner", clients="[root]"):
        ids = "min_uid: 1, min_gid: 1, " if "min_uid" not in more and ROOT else ""
        clients = f"clients: {clients}, " if ROOT else f"clients: [{os.getuid()}], "
        return f"pools: {{}}\nexec:\n  cgi: {{roots: [@DIR@/cgi], user: {user}, {clients}{ids}{more}}}\n"


@pytest.fixture
def site(place, request):
    owner = request.getfixturevalue("accounts")[0] if ROOT else None
    return Site(place, owner)


def control(m):
    return m.run / "control.sock"


def start(fcgipm, site, *more, **words):
    m = fcgipm(site.config(*more, **words))
    m.event("ready")
    return m


def refused(m, *what, **more):
    b = Broker(control(m))
    with pytest.raises(Refused) as no:
        b.ask(*what, **more)
        b.started()
    b.close()
    return REFUSALS[no.value.code]


def test_a_program_runs_as_its_owner_and_its_descriptors_come_back(fcgipm, site):
    program = site.put("show")
    m = start(fcgipm, site)
    b = Broker(control(m))
    status, out, err = b.run("cgi", [str(program), "a b", "$c"], data=b"the body\n", env=["QUERY_STRING=x", "SECRET=1"])
    out = out.decode()
    uid, gid = (site.owner.pw_uid, site.owner.pw_gid) if ROOT else (os.getuid(), os.getgid())
    assert f"uid={uid} gid={gid}" in out and f"pwd={site.root}" in out and "args=a b $c" in out
    if ROOT:
        assert f"groups={gid} " in out, "no supplementary group"
    assert "QUERY_STRING=x" in out and "SECRET" not in out and "PATH=/usr/local/bin:/usr/bin:/bin" in out and out.endswith("the body\n")
    assert (status, err) == (3, b"problem\n")
    assert b.run("cgi", [str(program)])[0] == 3, "the same connection serves again"


def test_the_end_brings_processor_time_and_peak_memory(fcgipm, site):
    program = site.put("work", "#!/usr/bin/perl\nmy $x = 'x' x 50_000_000; my $n = 0; $n += $_ for 1..2_000_000; kill 'USR1', $$;\n")
    b = Broker(control(start(fcgipm, site)))
    b.ask("cgi", [str(program)])
    pid, fds = b.started()
    assert pid > 0 and len(fds) == 4
    status, user, system, peak, why = b.ended()
    assert os.waitstatus_to_exitcode(status) == -signal.SIGUSR1
    assert user > 10_000 and system >= 0 and peak > 40_000 and why == 0


def test_descriptors_that_are_given_are_its_own(fcgipm, site, place):
    program = site.put("show")
    m = start(fcgipm, site)
    with (place / "out").open("w+b") as out, open("/dev/null", "rb") as null:
        b = Broker(control(m))
        b.send(broker.run_message("cgi", [str(program)], stdio=3), [null.fileno(), out.fileno()])
        _, fds = b.started()
        assert len(fds) == 2, "the pipe of standard error, and a pidfd"
        assert os.read(fds[0], 100) == b"problem\n"
        b.ended()
        out.seek(0)
        assert b"uid=" in out.read()


def test_a_descriptor_may_be_nothing(fcgipm, site):
    program = str(site.put("read", "#!/bin/sh\nread x || echo nothing\n"))
    b = Broker(control(start(fcgipm, site)))
    b.ask("cgi", [program], stdio=0x50)
    _, fds = b.started()
    assert len(fds) == 2 and os.read(fds[0], 100) == b"nothing\n"
    b.ended()
    b.ask("cgi", [program], stdio=0x11)
    with pytest.raises(Refused):
        b.started()


def links_of(pid):
    """What it has open, and goes on to have."""
    links = []
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(os.readlink(fd))
        except FileNotFoundError:
            pass  # closed meanwhile
    return links


def test_the_launcher_never_has_a_clients_descriptors(fcgipm, site, place):
    """To close a file can take as long as its file system likes: so the child takes them from the socket."""
    program = str(site.put("wait", "#!/bin/sh\nread x\necho over\n"))
    m = start(fcgipm, site, "max_running: 1")
    first = Broker(control(m))
    first.ask("cgi", [program])
    stdin = first.started()[1][0]
    with (place / "given").open("w+b") as given, open("/dev/null", "rb") as null:
        waiting, refused_one, gone = Broker(control(m)), Broker(control(m)), Broker(control(m))
        waiting.send(broker.run_message("cgi", [program], stdio=3), [null.fileno(), given.fileno()])
        gone.send(broker.run_message("cgi", [program], stdio=2), [given.fileno()])
        refused_one.send(broker.run_message("cgi", ["/none"], stdio=2), [given.fileno()])
        with pytest.raises(Refused):
            refused_one.started()
        with pytest.raises((EOFError, ConnectionResetError)):  # nobody here takes what it has given
            refused_one.answer()
        gone.close()
        held = links_of(m.launcher_pid) if ROOT else []
        assert str(place / "given") not in held
        os.close(stdin)
        first.ended()
        waiting.started()
        waiting.ended()
        given.seek(0)
        assert given.read() == b"over\n"
        waiting.send(broker.run_message("cgi", [program], stdio=3), [null.fileno()])  # fewer than are named
        with pytest.raises(Refused) as no:
            waiting.started()
        assert REFUSALS[no.value.code] == "malformed"


def test_nothing_else_is_open_in_a_run(fcgipm, site):
    program = site.put("fds", "#!/bin/sh\nls -l /proc/self/fd\n")
    listing = Broker(control(start(fcgipm, site))).run("cgi", [str(program)])[1].decode()
    numbers = {int(n) for n in re.findall(r" (\d+) -> ", listing)}
    assert numbers <= {0, 1, 2, 3, 19}, listing  # 3: the directory that ls reads; 19: the script
    assert "-> pipe:" in listing and str(program) in listing


def test_a_compiled_program_has_not_even_itself_open(fcgipm, site):
    source = site.place / "fds.c"
    source.write_text("#include <dirent.h>\n#include <stdio.h>\nint main(void) { DIR *d = opendir(\"/proc/self/fd\"); struct dirent *e;"
                      "while ((e = readdir(d))) puts(e->d_name); }")
    subprocess.run(["gcc", "-o", site.root / "compiled", source], check=True)
    site.chown(site.root / "compiled")
    assert Broker(control(start(fcgipm, site))).run("cgi", [str(site.root / "compiled")])[1].split() == [b".", b"..", b"0", b"1", b"2", b"3"]


def test_fcgipm_exec_passes_descriptors_and_status_on(fcgipm, site):
    program = site.put("show")
    m = start(fcgipm, site, "environment_allow: [GREETING]")
    done = subprocess.run([BUILD / "bin/fcgipm", "exec", "-s", control(m), "cgi", "--", program, "--help", "x"], input="in\n", capture_output=True, text=True,
                          env={**os.environ, "GREETING": "hello", "OTHER": "1"}, timeout=30, check=False)
    assert done.returncode == 3 and done.stderr == "problem\n"
    assert "args=--help x" in done.stdout and "GREETING=hello" in done.stdout and "OTHER" not in done.stdout and done.stdout.endswith("in\n")
    assert m.cli("exec", "cgi", "--", site.root / "none").returncode == 125
    assert "not-found" in m.cli("exec", "cgi", "--", site.root / "none").stderr
    assert m.cli("exec", "nobody", "--", program).returncode == 125
    assert m.cli("exec", "cgi", "--", site.put("signal", "#!/bin/sh\nkill -KILL $$\n")).returncode == 128 + 9


def test_a_signal_to_fcgipm_exec_ends_what_it_runs(fcgipm, site):
    program = site.put("wait", "#!/bin/sh\ntrap 'echo told; exit 7' TERM\necho here\nwhile :; do sleep 0.1; done\n")
    m = start(fcgipm, site)
    with subprocess.Popen(["env", "--default-signal=INT", BUILD / "bin/fcgipm", "-s", control(m), "exec", "cgi", "--", program], stdout=subprocess.PIPE, text=True) as p:
        assert p.stdout.readline() == "here\n"
        p.send_signal(signal.SIGINT)
        assert p.communicate(timeout=20)[0] == "told\n" and p.returncode == 7


def test_a_signal_before_the_broker_says_that_it_runs_is_no_other(fcgipm, site):
    """The launcher is slower than the program here: it has what the others leave of a processor."""
    program = site.put("wait", "#!/bin/sh\ntrap 'exit 7' TERM\necho here\nwhile :; do :; done\n")
    m = start(fcgipm, site)
    os.sched_setaffinity(m.launcher_pid, {min(os.sched_getaffinity(0))})  # its children's, too
    os.sched_setscheduler(m.launcher_pid, os.SCHED_IDLE | os.SCHED_RESET_ON_FORK, os.sched_param(0))
    for _ in range(10):
        with subprocess.Popen(["env", "--default-signal=INT", "taskset", "-c", str(max(os.sched_getaffinity(0))), BUILD / "bin/fcgipm", "-s", control(m), "exec", "cgi", "--", program],
                              stdout=subprocess.PIPE, text=True) as p:
            assert p.stdout.readline() == "here\n"
            p.send_signal(signal.SIGINT)
            assert p.wait(20) == 7


def test_a_signal_to_fcgipm_exec_that_waits_says_that_nothing_has_begun(fcgipm, site):
    program = site.put("wait", "#!/bin/sh\nread x\n")
    m = start(fcgipm, site, "max_running: 1")
    first = Broker(control(m))
    first.ask("cgi", [str(program)])
    first.started()
    with subprocess.Popen([BUILD / "bin/fcgipm", "-s", control(m), "exec", "cgi", "--", program], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as p:
        wait_for(lambda: profile_of(m)["queue"]["depth"] == 1)
        p.send_signal(signal.SIGTERM)
        assert p.communicate(timeout=20)[1] == "fcgipm: cancelled before it began\n" and p.returncode == 125


def test_the_documented_variables_are_those_that_are_let_through():
    source = (Path(__file__).parents[2] / "fcgipm/broker/words.c").read_text()
    said = (Path(__file__).parents[2] / "docs/exec.md").read_text().partition("what the client gives: ")[2].partition(": suexec's list")[0]
    assert re.split(r",\s+", said) == ["HTTP_*", "SSL_*", *re.findall(r'^\t"([A-Z_]+)",$', source, re.M)]


def run_exec(m, shell, program):
    """Through a shell that prepares descriptors or signals: what is before {} and behind it."""
    return subprocess.run(["/bin/sh", "-c", shell.format(f"{BUILD}/bin/fcgipm -s {control(m)} exec cgi -- {program}")], capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_program_never_has_its_client_s_own_connection(fcgipm, site, closed):
    """The broker knows the client by it: whoever had it would be the client."""
    program = site.put("look", f"#!/bin/sh\nls -l /proc/$$/fd >{site.root}/fds\ncat\necho out\necho err >&2\nexit 4\n")
    m = start(fcgipm, site)
    (site.root / "fds").write_text("")
    (site.root / "fds").chmod(0o666)
    done = run_exec(m, f"{{}} {closed}", program)
    assert done.returncode == 4, done
    assert "socket:" not in (site.root / "fds").read_text()


def test_what_ignores_a_signal_goes_on(fcgipm, site):
    program = site.put("rest", "#!/bin/sh\necho here\nread x\necho done\n")
    m = start(fcgipm, site)
    with subprocess.Popen(["/bin/sh", "-c", f"trap '' HUP INT; exec {BUILD}/bin/fcgipm -s {control(m)} exec cgi -- {program}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        assert p.stdout.readline() == "here\n"
        p.send_signal(signal.SIGHUP)
        p.send_signal(signal.SIGINT)
        assert p.communicate("x\n", timeout=20)[0] == "done\n" and p.returncode == 0


def test_what_is_behind_the_program_is_its_own(fcgipm, site):
    program = site.put("show")
    m = start(fcgipm, site)
    for words in (["--", program, "-c", "x"], [program, "-c", "x"]):
        done = m.cli("exec", "cgi", *words, check=3)
        assert "args=-c x" in done.stdout, done


def test_a_socket_that_lingers_does_not_hold_the_launcher(fcgipm, site):
    """Descriptors that no run takes are closed by a child: how long that takes is their sender's word."""
    program = str(site.put("show"))
    m = start(fcgipm, site)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for wrong in (True, False):  # where none may be; with a request that is refused
            full, b = socket.create_connection(listener.getsockname()), Broker(control(m))
            make_linger(full)
            b.send(broker.words_message(b"x") if wrong else broker.run_message("unknown", [program], stdio=1), [full.fileno()])
            threading.Thread(target=full.close, daemon=True).start()  # ours may linger, too, if it is the last
            with pytest.raises(Refused):
                b.started()
            with pytest.raises((EOFError, ConnectionResetError)):
                b.answer()
            other = Broker(control(m))
            other.s.settimeout(5)
            assert other.run("cgi", [program])[0] == 3


# ---- refusals: docs/exec.md ----

@needs_root
def test_who_is_no_client_holds_no_connection(fcgipm, site, accounts):
    program = site.put("show")
    m = start(fcgipm, site)
    done = subprocess.run(["setpriv", f"--reuid={accounts[1].pw_uid}", f"--regid={accounts[1].pw_gid}", "--clear-groups", BUILD / "bin/fcgipm", "-s", control(m), "exec", "cgi",
                           "--", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 125 and "client-not-permitted" in done.stderr
    assert m.event("exec.refused", refusal="client-not-permitted")["uid"] == str(accounts[1].pw_uid)


@needs_root
def test_groups_may_be_clients(fcgipm, site, accounts):
    program = site.put("show")
    m = start(fcgipm, site, clients=f'["@{accounts[1].pw_name}"]')
    done = subprocess.run(["setpriv", f"--reuid={accounts[1].pw_uid}", f"--regid={accounts[1].pw_gid}", "--clear-groups", BUILD / "bin/fcgipm", "-s", control(m), "exec", "cgi",
                           "--", program], capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 3, done.stderr


def test_paths_that_are_refused(fcgipm, site, place):
    program = site.put("show")
    (place / "cgi2").mkdir()
    (place / "cgi2/show").write_text(SHOW)
    (site.root / "sub").mkdir()
    m = start(fcgipm, site)
    for path, why in {"cgi/show": "path-form", f"{site.root}/../cgi/show": "path-form", f"{site.root}//show": "path-form", f"{site.root}/./show": "path-form",
                      f"{site.root}/show\n": "path-form", f"{place}/cgi2/show": "outside-roots", "/bin/sh": "outside-roots", f"{site.root}": "not-a-file",
                      f"{site.root}/none": "not-found", f"{site.root}/show/x": "not-found", f"{site.root}/sub": "not-a-file"}.items():
        assert refused(m, "cgi", [path]) == why, path
    assert refused(m, "cgi", [str(program)], directory="cgi") == "directory-form"
    assert refused(m, "other", [str(program)]) == "unknown-profile"
    logged = m.event("exec.refused", refusal="unknown-profile")
    assert (logged["profile"], logged["program"], logged["code"], logged["uid"]) == ("other", str(program), "1", str(os.getuid()))


def test_a_nul_in_a_word_is_no_word(fcgipm, site):
    site.put("show")
    m = start(fcgipm, site)
    assert refused(m, "cgi", [f"{site.root}/show\0/../../bin/sh"]) == "malformed"


@pytest.mark.parametrize("what,why", [("link", "link"), ("away", "link"), ("setuid", "setuid"), ("setgid", "setuid"), ("group-writable", "writable"), ("world-writable", "writable"),
                                      ("fifo", "not-a-file"), ("directory-group-writable", "directory-writable"), ("directory-world-writable", "directory-writable"),
                                      ("not-executable", "step")])
def test_files_that_are_refused(fcgipm, site, place, what, why):
    program = site.put("show")
    m = start(fcgipm, site)
    if what == "link":
        (site.root / "x").symlink_to("show")
        os.chown(site.root / "x", *((site.owner.pw_uid, -1) if ROOT else (-1, -1)), follow_symlinks=False)
        program = site.root / "x"
    elif what == "away":
        (site.root / "x").symlink_to("/bin")
        program = site.root / "x/sh"
    elif what == "fifo":
        os.mkfifo(site.root / "x")
        program = site.root / "x"
    elif what.startswith("directory"):
        site.root.chmod({"directory-group-writable": 0o775, "directory-world-writable": 0o1777}[what])
    else:
        program.chmod({"setuid": 0o4755, "setgid": 0o2755, "group-writable": 0o775, "world-writable": 0o757, "not-executable": 0o644}[what])
    assert refused(m, "cgi", [str(program)]) == why


@needs_root
def test_accounts_that_are_refused(fcgipm, site, accounts):
    program = site.put("show")
    m = start(fcgipm, site)
    own = {name: __import__("pwd").getpwnam(name) for name in ("fcgipm", "fcgipm-conf")}
    for uid, gid, why in [(0, 0, "root"), (accounts[0].pw_uid, 0, "root"), (own["fcgipm"].pw_uid, 100, "own-account"), (own["fcgipm-conf"].pw_uid, 100, "own-account")]:
        os.chown(program, uid, gid)
        os.chown(site.root, uid, gid)
        assert refused(m, "cgi", [str(program)]) == why
    os.chown(program, accounts[0].pw_uid, accounts[0].pw_gid)
    os.chown(site.root, accounts[1].pw_uid, accounts[1].pw_gid)
    assert refused(m, "cgi", [str(program)]) == "directory-owner", "a foreign owner"
    os.chown(site.root, 0, 0)
    for more, why in (("min_uid: 60000, min_gid: 1", "min-uid"), ("min_uid: 1, min_gid: 60000", "min-gid")):
        m.write(site.config(more))
        m.cli("reload", check=0)
        assert refused(m, "cgi", [str(program)]) == why


@needs_root
def test_a_named_account_runs_what_is_its_own_or_roots(fcgipm, site, accounts):
    program = site.put("show")
    m = start(fcgipm, site, user=accounts[1].pw_name)
    assert refused(m, "cgi", [str(program)]) == "owner"
    os.chown(program, 0, 0)
    os.chown(site.root, 0, 0)
    assert f"uid={accounts[1].pw_uid} gid={accounts[1].pw_gid} ".encode() in Broker(control(m)).run("cgi", [str(program)])[1]
    m.write(site.config("file_owner: any, file_group: run", user=accounts[1].pw_name))
    m.cli("reload", check=0)
    assert refused(m, "cgi", [str(program)]) == "group"


@needs_root
def test_a_home_that_is_closed_is_closed_to_root_too(fcgipm, site):
    program = site.put("show")
    m = start(fcgipm, site)
    site.root.chmod(0o700)
    assert refused(m, "cgi", [str(program)]) == "unreachable"


def test_arguments_and_sizes_that_are_refused(fcgipm, site):
    program = str(site.put("show"))
    m = start(fcgipm, site, "arguments: {max: 2, allow: [\"-*\", \"name=*\"]}")
    assert Broker(control(m)).run("cgi", [program, "-v", "name=x"])[0] == 3
    assert refused(m, "cgi", [program, "-v", "-w", "-x"]) == "arguments"
    assert refused(m, "cgi", [program, "v"]) == "arguments"
    assert refused(m, "cgi", []) == "malformed"


def test_an_environment_that_is_too_large_is_refused_and_a_large_one_is_not(fcgipm, site):
    program = str(site.put("count", "#!/bin/sh\nprintf %s \"$HTTP_COOKIE\" | wc -c\n"))
    m = start(fcgipm, site)
    cookie = "x" * 100_000
    env = {**os.environ, "HTTP_COOKIE": cookie}
    done = subprocess.run([BUILD / "bin/fcgipm", "-s", control(m), "exec", "cgi", "--", program], capture_output=True, text=True, env=env, timeout=30, check=False)
    assert done.stdout.strip() == "100000", done.stderr
    b = Broker(control(m))
    for _ in range(9):
        b.send(broker.words_message(b"x" * 30000))
    b.ask("cgi", [program])
    with pytest.raises(Refused) as no:
        b.started()
    assert REFUSALS[no.value.code] == "too-large"
    assert b.run("cgi", [program])[1].strip() == b"0", "the connection can be used again"
    whole = broker.words([program], ["HTTP_COOKIE=" + "x" * (128 << 10)])  # one that the kernel takes from nobody
    pieces = [whole[at:at + 30000] for at in range(0, len(whole), 30000)]
    for piece in pieces[:-1]:
        b.send(broker.words_message(piece))
    b.send(broker.message(broker.X_RUN, broker.text("cgi") + broker.text("") + b"\0" + broker.blob(pieces[-1])))
    with pytest.raises(Refused) as no:
        b.started()
    assert REFUSALS[no.value.code] == "too-large"
    assert b.run("cgi", [program])[1].strip() == b"0"


def test_a_start_that_fails_refuses_once_and_runs_nothing(fcgipm, site, place):
    """Before fcgipm-start is there nobody has taken the client's descriptors: they are left in its socket, which is closed."""
    program, build = str(site.put("show")), place / "build"
    for part in ("bin", "libexec", "lib"):
        shutil.copytree(BUILD / part, build / part)
    m = fcgipm(site.config(), build=build)
    m.event("ready")
    starter = build / "libexec/fcgipm/fcgipm-start"
    with (place / "out").open("w+b") as out, open("/dev/null", "rb") as null:
        starter.chmod(0o644)
        b = Broker(control(m))
        b.send(broker.run_message("cgi", [program], stdio=3), [null.fileno(), out.fileno()])
        with pytest.raises(Refused, match="start: Permission denied"):
            b.started()
        with pytest.raises((EOFError, ConnectionResetError)):
            b.answer()
        starter.chmod(0o755)
        assert Broker(control(m)).run("cgi", [program])[0] == 3
        assert out.read() == b""
    assert m.status()["exec"][0]["started"] == 1


def test_a_script_that_is_swapped_between_check_and_exec_is_never_run(fcgipm, site, place):
    """What was looked at is executed, whatever its name means by then."""
    good, evil, name = site.put("good", "#!/bin/sh\necho good\n"), place / "evil", site.root / "name"
    evil.write_text("#!/bin/sh\necho evil\n")
    evil.chmod(0o755)
    m = start(fcgipm, site)
    over = threading.Event()

    def swap():
        turn = 0
        while not over.is_set():
            turn += 1
            other = site.root / f"other{turn % 2}"
            if turn % 2:
                other.symlink_to(evil)
            else:
                os.link(good, other)
            os.rename(other, name)
    racer = threading.Thread(target=swap)
    racer.start()
    said = {"good": 0, "link": 0}
    try:
        b = Broker(control(m))
        for _ in range(300):
            try:
                said[b.run("cgi", [str(name)])[1].decode().strip()] += 1
            except Refused as no:
                said[REFUSALS[no.code]] += 1
    finally:
        over.set()
        racer.join()
    assert said["good"] > 0 and said["link"] > 0, said


@pytest.mark.parametrize("permitted", ["false", "true"])
def test_a_client_that_descends_from_a_run_or_a_worker(fcgipm, site, place, permitted):
    inner = site.put("inner", "#!/bin/sh\necho inner\n")
    outer = site.put("outer", f"#!/bin/sh\n{BUILD}/bin/fcgipm -s {place}/run/control.sock exec cgi -- {inner} 2>&1\n")
    client = site.owner.pw_name if ROOT else os.getuid()
    m = start(fcgipm, site, f"worker_clients: {permitted}", clients=f"[root, {client}]")
    said = Broker(control(m)).run("cgi", [str(outer)])[1].decode()
    assert said == "inner\n" if permitted == "true" else "client-is-a-worker" in said, said


@needs_root
def test_a_worker_of_the_same_account_is_not_httpd(fcgipm, site, place):
    inner = site.put("inner", "#!/bin/sh\necho inner\n")
    open_to_all = place / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    # A session of its own and a dead parent do not help it: the launcher gets every orphan.
    worker = f"setsid sh -c 'sh -c \"{BUILD}/bin/fcgipm -s {place}/run/control.sock exec cgi -- {inner} >{open_to_all}/said 2>&1; touch {open_to_all}/done\" &'; exec {place}/apps/app"
    m = fcgipm(site.config(clients=f"[{site.owner.pw_name}]").replace(
        "pools: {}", f"pools:\n  app: {{command: [/bin/sh, -c, {__import__('json').dumps(worker)}], user: {site.owner.pw_name}, workers: {{min: 1, start: exec}}}}"))
    m.event("ready")
    wait_for((open_to_all / "done").exists)
    assert "client-is-a-worker" in (open_to_all / "said").read_text()


@needs_root
def test_a_client_far_down_is_still_a_client_that_descends(fcgipm, site):
    inner = site.put("inner", "#!/bin/sh\necho inner\n")
    deep = site.put("deep", f"""#!/usr/bin/perl
for (1 .. $ARGV[0]) {{ my $pid = fork; if ($pid) {{ waitpid $pid, 0; exit }} }}
exec "{BUILD}/bin/fcgipm", "-s", "{site.place}/run/control.sock", "exec", "cgi", "--", "{inner}";
""")
    m = start(fcgipm, site, "limits: {nproc: 0}", clients=f"[root, {site.owner.pw_name}]")
    for depth in (70, 1100):
        assert b"client-is-a-worker" in Broker(control(m)).run("cgi", [str(deep), str(depth)])[2]


def test_a_client_that_has_ended_is_nobody(fcgipm, site):
    """Its number may be another's by now."""
    program = str(site.put("show"))
    m = start(fcgipm, site)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    pid = os.fork()
    if pid == 0:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.connect(str(control(m)))
        theirs.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [s.fileno()]))])
        os._exit(0)
    fd = array.array("i", ours.recvmsg(1, 64)[1][0][2])[0]
    os.waitpid(pid, 0)
    b = Broker.__new__(Broker)
    b.s = socket.socket(fileno=fd)
    b.s.settimeout(20)
    b.send(broker.message(broker.C_EXEC, seq=1))
    with pytest.raises(Refused) as no:
        b.started()
    assert REFUSALS[no.value.code] == "client-gone"
    assert Broker(control(m)).run("cgi", [program])[0] == 3


@needs_root
def test_a_group_that_the_owner_is_not_in_is_not_gained(fcgipm, site, accounts):
    """A file gets its group from a setgid directory, and is moved from there."""
    program = site.put("show")
    os.chown(program, site.owner.pw_uid, accounts[1].pw_gid)
    m = start(fcgipm, site)
    assert refused(m, "cgi", [str(program)]) == "group"
    os.chown(site.root, site.owner.pw_uid, accounts[1].pw_gid)
    assert Broker(control(m)).run("cgi", [str(program)])[0] == 3, "root, or the owner who is in it, has given the directory to that group"


@needs_root
def test_a_run_that_its_account_stops_on_its_way_is_overdue(fcgipm, site):
    """What has root's rights for a moment is not held for longer."""
    program = str(site.put("show"))
    stopper = str(site.put("stopper", "#!/usr/bin/perl\n$SIG{TERM} = sub { exit }; $| = 1; print qq(here\n); while (1) { kill 'STOP', grep { $_ != $$ } map { m{/(\\d+)$} } glob '/proc/[0-9]*' }\n"))
    m = start(fcgipm, site)
    b, victim = Broker(control(m)), Broker(control(m))
    b.ask("cgi", [stopper])
    os.read(b.started()[1][1], 10)
    overdue = 0
    for _ in range(3):
        victim.ask("cgi", [program])
        try:
            victim.started()
            os.kill(m.launcher_pid, 0)
            victim.close()
            victim = Broker(control(m))
        except Refused as no:
            overdue += REFUSALS[no.code] == "overdue"
            break
    b.send(broker.message(broker.X_CANCEL, b"\1"))
    b.ended()
    assert Broker(control(m)).run("cgi", [program])[0] == 3


def test_nothing_is_begun_when_fcgipm_ends(fcgipm, site):
    program = str(site.put("short", "#!/bin/sh\necho here\nsleep 0.7\n"))
    m = start(fcgipm, site)
    b, other = Broker(control(m)), Broker(control(m))
    b.ask("cgi", [program])
    os.read(b.started()[1][1], 10)
    m.kill(signal.SIGTERM)
    m.event("launcher.stopping")
    other.ask("cgi", [program])
    with pytest.raises(Refused) as no:
        other.started()
    assert REFUSALS[no.value.code] == "ending"
    b.ended()


def test_nonsense_closes_the_connection_and_nothing_else(fcgipm, site):
    program = str(site.put("show"))
    m = start(fcgipm, site)
    good = broker.run_message("cgi", [program])
    nonsense = [b"", b"\1", broker.message(7), broker.message(broker.X_RUN), good[:-1], good + b"\0", good[:20], broker.message(broker.X_CANCEL, b"\2"),
                broker.run_message("cgi", [program], stdio=1), broker.run_message("cgi", [program], stdio=9), broker.message(broker.X_WORDS, b"1"), os.urandom(200), b"\1\0\0\0" + b"\xff" * 30000]
    fds_before = len(os.listdir(f"/proc/{m.launcher_pid}/fd")) if ROOT else 0
    for n in nonsense[1:]:
        b = Broker(control(m))
        b.send(n)
        said = []
        with pytest.raises((EOFError, ConnectionResetError)):
            while True:
                said.append(b.answer()[0])
        assert said in ([], [broker.X_REFUSED]), n
        b.close()
    with open("/dev/null", "rb") as null:  # a flood of descriptors
        b = Broker(control(m))
        for count in (5, 100, 250):
            try:
                b.send(good, [null.fileno()] * count)
            except (BrokenPipeError, ConnectionResetError):
                b = Broker(control(m))
    b.close()
    assert Broker(control(m)).run("cgi", [program])[0] == 3
    if ROOT:
        wait_for(lambda: len(os.listdir(f"/proc/{m.launcher_pid}/fd")) <= fds_before + 12)


def test_one_run_at_a_time_on_a_connection(fcgipm, site):
    program = str(site.put("wait", "#!/bin/sh\nread x\n"))
    b = Broker(control(start(fcgipm, site)))
    b.ask("cgi", [program])
    b.started()
    b.ask("cgi", [program])
    with pytest.raises(Refused) as no:
        b.started()
    assert REFUSALS[no.value.code] == "malformed"


# ---- order, bounds, ends ----

def test_500_at_once_are_served_in_order_and_none_is_lost(fcgipm, site, place):
    log = place / "cgi/log"
    site.put("log", "")
    program = str(site.put("append", f"#!/bin/sh\necho $1 >>{log}\n"))
    m = start(fcgipm, site, "max_running: 1, queue: {limit: 511}")
    brokers = [Broker(control(m)) for _ in range(500)]
    for i, b in enumerate(brokers):
        b.ask("cgi", [program, str(i)])
    assert all(os.waitstatus_to_exitcode((b.started(), b.ended())[1][0]) == 0 for b in brokers)
    assert log.read_text().split() == [str(i) for i in range(500)]


def test_a_profile_that_comes_back_counts_what_still_runs(fcgipm, site):
    program = str(site.put("wait", "#!/bin/sh\nread x\n"))
    m = start(fcgipm, site, "max_running: 1, queue: {limit: 2}")
    first, second = Broker(control(m)), Broker(control(m))
    first.ask("cgi", [program])
    stdin = first.started()[1][0]
    with_it = m.config.read_text()
    for configuration in ("pools: {}\n", with_it):
        m.config.write_text(configuration)
        m.cli("reload")
    second.ask("cgi", [program])
    second.s.settimeout(0.5)
    with pytest.raises(TimeoutError):
        second.answer()
    os.close(stdin)
    first.ended()
    second.s.settimeout(20)
    second.started()


@needs_root
def test_what_one_account_keeps_leaves_room_for_the_others(fcgipm, site, accounts):
    """Requests that are never made count as those that wait do."""
    program = str(site.put("show"))
    m = start(fcgipm, site, clients=f"[root, {accounts[1].pw_name}]")
    filler = f"""
import sys
from broker import Broker, words_message
kept = [Broker({str(control(m))!r}) for _ in range(300)]
for b in kept:
    for _ in range(16):
        b.send(words_message(bytes(15000)))
print(flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(["/usr/bin/python3", "-c", filler], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parent,
                          user=accounts[1].pw_uid, group=accounts[1].pw_gid, extra_groups=[]) as p:
        assert p.stdout.readline() == b"\n"
        assert Broker(control(m)).run("cgi", [program])[0] == 3
        p.stdin.close()
        p.wait(20)
    assert Broker(control(m)).run("cgi", [program])[0] == 3


def test_max_running_is_kept_and_beyond_the_queue_the_answer_is_busy_at_once(fcgipm, site):
    program = str(site.put("wait", "#!/bin/sh\nread x\n"))
    m = start(fcgipm, site, "max_running: 3, queue: {limit: 2}")
    running = [Broker(control(m)) for _ in range(3)]
    for b in running:
        b.ask("cgi", [program])
    stdin = [b.started()[1][0] for b in running]
    waiting = [Broker(control(m)) for _ in range(2)]
    for b in waiting:
        b.ask("cgi", [program])
    assert refused(m, "cgi", [program]) == "busy"
    waiting[0].s.setblocking(False)
    with pytest.raises(BlockingIOError):
        waiting[0].answer()
    waiting[0].s.settimeout(20)
    os.close(stdin[0])
    running[0].ended()
    _, fds = waiting[0].started()
    waiting[1].close()  # who goes while he waits makes room
    other = Broker(control(m))
    wait_for(lambda: asks(other, program))
    os.close(fds[0])
    waiting[0].ended()
    other.started()


def profile_of(m, name="cgi"):
    return next(p for p in m.status()["exec"] if p["name"] == name)


def test_status_tells_what_a_profile_has_done(fcgipm, site):
    """Through a reload and another manager; nobody asks the launcher for it."""
    wait, fails = str(site.put("wait", "#!/bin/sh\nread x\n")), str(site.put("fails", "#!/bin/sh\ni=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 1\n"))
    m = start(fcgipm, site, "max_running: 1, queue: {limit: 1}, timeout: 60s")
    m.expected_errors |= {"manager.died"}
    nothing = {"running": 0, "max_running": 1, "queue": {"depth": 0, "limit": 1, "peak": 0}, "started": 0, "failed": 0, "timeouts": 0, "busy": 0, "refused": 0, "cpu_ms": 0}
    assert m.status()["exec"] == [{"name": "cgi", **nothing}]
    assert refused(m, "cgi", ["/bin/true"]) == "outside-roots" and refused(m, "no", [wait]) == "unknown-profile"
    running, waiting = Broker(control(m)), Broker(control(m))
    running.ask("cgi", [wait])
    stdin = running.started()[1][0]
    waiting.ask("cgi", [fails])
    assert refused(m, "cgi", [wait]) == "busy"
    assert profile_of(m) == {"name": "cgi", **nothing, "running": 1, "queue": {"depth": 1, "limit": 1, "peak": 1}, "started": 1, "busy": 1, "refused": 1}
    os.kill(m.manager_pid, signal.SIGKILL)
    m.event("manager.started", starts=1)
    os.write(stdin, b"\n")
    running.ended()
    waiting.started()
    waiting.ended()
    m.config.write_text(m.config.read_text().replace("limit: 1", "limit: 7"))
    m.cli("reload", check=0)
    now = profile_of(m)
    assert now.pop("cpu_ms") > 0
    assert now == {"name": "cgi", **{k: v for k, v in nothing.items() if k != "cpu_ms"}, "queue": {"depth": 0, "limit": 7, "peak": 1}, "started": 2, "failed": 1, "busy": 1, "refused": 1}
    table = m.cli("status", check=0).stdout
    assert re.search(r"^PROFILE +RUNNING +QUEUE", table, re.M) and re.search(r"^cgi +0/1 +0/7 +2 +1 +0 +1 +1 ", table, re.M), table
    assert 'fcgipm_exec_started_total{profile="cgi"} 2\n' in m.cli("status", "--openmetrics", check=0).stdout
    m.config.write_text("pools: {}\n")
    m.cli("reload", check=0)
    assert m.status()["exec"] == []


@needs_root
def test_the_ledger_of_profiles_is_the_launchers_to_write(fcgipm, site):
    m = start(fcgipm, site)
    fds = Path(f"/proc/{m.launcher_pid}/fd")
    ledger, = (fd for fd in fds.iterdir() if "fcgipm-ledger" in os.readlink(fd))
    fd = os.open(ledger, os.O_RDWR)
    with pytest.raises(PermissionError):
        os.write(fd, b"x")
    with pytest.raises(PermissionError):
        mmap.mmap(fd, 0)
    with pytest.raises(PermissionError):
        os.ftruncate(fd, 0)
    assert mmap.mmap(fd, 0, prot=mmap.PROT_READ)[:3] == b"cgi"
    os.close(fd)


def asks(b, program):
    """It waits now, and was not refused."""
    b.ask("cgi", [program])
    b.s.settimeout(0.3)
    try:
        b.started()
    except TimeoutError:
        return True
    except Refused:
        return False
    finally:
        b.s.settimeout(20)
    raise AssertionError("it runs beyond max_running")


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return True


LEAVER = """#!/bin/sh
trap '' HUP
setsid sh -c 'sleep 300 & echo $! $$; exec sleep 300' </dev/null 2>/dev/null &
sleep 0.2
(setsid sh -c '(sleep 300 & echo $!)' </dev/null 2>/dev/null &)
sleep 0.2
echo over
"""


def pids_said(out):
    return [int(p) for p in re.findall(rb"\d+", out)]


@with_and_without_cgroups
def test_what_a_run_started_ends_with_it_wherever_it_went(fcgipm, site, wrap):
    program = str(site.put("leave", LEAVER))
    m = fcgipm(site.config(), wrap=wrap)
    m.event("ready")
    b = Broker(control(m))
    b.ask("cgi", [program])
    _, fds = b.started()
    out = b""
    while not out.endswith(b"over\n"):
        out += os.read(fds[1], 1000)
    assert os.waitstatus_to_exitcode(b.ended()[0]) == 0
    pids = pids_said(out)
    assert len(pids) == 3, out
    wait_for(lambda: all(map(is_gone, pids)), timeout=5)
    assert bool([e for e in m.events if e["event"] == "exec.without_cgroups"]) == (bool(wrap) or not ROOT)


@with_and_without_cgroups
def test_what_it_left_stays_where_the_profile_says_so(fcgipm, site, wrap):
    program = str(site.put("leave", LEAVER))
    m = fcgipm(site.config("leaves_descendants: true"), wrap=wrap)
    m.event("ready")
    b = Broker(control(m))
    b.ask("cgi", [program])
    _, fds = b.started()
    out = b""
    while not out.endswith(b"over\n"):
        out += os.read(fds[1], 1000)
    b.ended()
    pids = pids_said(out)
    assert len(pids) == 3 and not any(map(is_gone, pids))
    m.stop()
    wait_for(lambda: all(map(is_gone, pids)), timeout=5, message="nothing outlives fcgipm itself")


@with_and_without_cgroups
@pytest.mark.parametrize("how", ["cancel", "vanish", "timeout"])
def test_what_must_end_ends(fcgipm, site, wrap, how):
    program = str(site.put("stay", "#!/bin/sh\ntrap '' TERM\necho $$\nwhile :; do sleep 1; done\n"))
    m = fcgipm(site.config("stop: {timeout: 200ms}" + (", timeout: 300ms" if how == "timeout" else "")), wrap=wrap)
    m.event("ready")
    b = Broker(control(m))
    b.ask("cgi", [program])
    _, fds = b.started()
    pid = int(os.read(fds[1], 20))
    if how == "vanish":
        b.close()
        wait_for(lambda: is_gone(pid), timeout=5)
        return
    if how == "cancel":
        b.send(broker.message(broker.X_CANCEL, b"\0"))
    status, *_, why = b.ended()
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL and why == {"timeout": 1, "cancel": 2}[how]
    wait_for(lambda: is_gone(pid), timeout=5)
    assert how != "timeout" or m.event("exec.timeout")["profile"] == "cgi"


def test_a_run_outlives_its_client_where_the_profile_says_so(fcgipm, site, place):
    mark = site.put("mark", "")
    program = str(site.put("go-on", f"#!/bin/sh\necho here\nsleep 0.5\necho done >{mark}\n"))
    m = start(fcgipm, site, "outlives_client: true")
    b = Broker(control(m))
    b.ask("cgi", [program])
    b.started()
    b.close()
    wait_for(lambda: mark.read_text() == "done\n")


def test_killing_the_manager_ends_no_run(fcgipm, site):
    program = str(site.put("wait", "#!/bin/sh\nread x\necho $x\n"))
    m = start(fcgipm, site)
    b = Broker(control(m))
    b.ask("cgi", [program])
    _, fds = b.started()
    os.kill(m.manager_pid, signal.SIGKILL)
    m.event("manager.died")
    os.write(fds[0], b"still\n")
    assert os.read(fds[1], 100) == b"still\n"
    b.ended()
    assert b.run("cgi", [program], data=b"x\n")[1] == b"x\n", "the connection is the launcher's"
    assert Broker(control(m)).run("cgi", [program], data=b"y\n")[1] == b"y\n"


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGQUIT])
def test_the_end_of_fcgipm_lets_a_short_run_finish(fcgipm, site, signo):
    program = str(site.put("short", "#!/bin/sh\necho here\nsleep 0.7\necho whole\n"))
    m = start(fcgipm, site)
    b = Broker(control(m))
    b.ask("cgi", [program])
    _, fds = b.started()
    assert os.read(fds[1], 100) == b"here\n"
    m.kill(signo)
    m.event("launcher.stopping")
    assert os.read(fds[1], 100) == b"whole\n" and os.waitstatus_to_exitcode(b.ended()[0]) == 0


def test_the_end_of_fcgipm_ends_a_long_run(fcgipm, site):
    program = str(site.put("long", "#!/bin/sh\ntrap '' TERM\necho $$\nwhile :; do sleep 1; done\n"))
    m = start(fcgipm, site, "stop: {timeout: 200ms}")
    b = Broker(control(m))
    b.ask("cgi", [program])
    pid = int(os.read(b.started()[1][1], 20))
    assert m.stop(timeout=10) == 0
    assert is_gone(pid)


def test_a_reload_changes_what_is_run_from_then_on(fcgipm, site):
    program = str(site.put("wait", "#!/bin/sh\nread x\n"))
    m = start(fcgipm, site, "max_running: 1")
    first, second = Broker(control(m)), Broker(control(m))
    first.ask("cgi", [program])
    _, fds = first.started()
    second.ask("cgi", [program])
    m.write("pools: {}\nexec: {}\n")
    m.cli("reload", check=0)
    os.close(fds[0])
    first.ended()
    with pytest.raises(Refused) as no:
        second.started()
    assert REFUSALS[no.value.code] == "unknown-profile"
    m.write(site.config("limits: {nofile: 77}"))
    m.cli("reload", check=0)
    site.put("limit", "#!/bin/sh\nulimit -n\n")
    assert Broker(control(m)).run("cgi", [str(site.root / "limit")])[1] == b"77\n"


def test_a_run_that_cannot_be_entered_says_the_step(fcgipm, site):
    program = str(site.put("show"))
    m = start(fcgipm, site)
    b = Broker(control(m))
    b.ask("cgi", [program], directory="/none")
    with pytest.raises(Refused, match="directory: No such file or directory"):
        b.started()
    assert b.run("cgi", [program], directory="/")[1].decode().count("pwd=/ ") == 1


@needs_root
def test_a_program_in_a_chroot(fcgipm, site, place):
    (place / "jail/bin").mkdir(parents=True)
    (place / "where.c").write_text('#include <stdio.h>\n#include <unistd.h>\nint main(void) { char d[100]; printf("%s %d\\n", getcwd(d, 100), access("/where.c", F_OK)); }')
    subprocess.run(["gcc", "-static", "-o", place / "jail/bin/where", place / "where.c"], check=True)
    m = fcgipm(f"pools: {{}}\nexec:\n  cgi: {{roots: [/bin], user: {site.owner.pw_name}, clients: [root], chroot: @DIR@/jail}}\n")
    m.event("ready")
    assert Broker(control(m)).run("cgi", ["/bin/where"])[1] == b"/bin -1\n"
    assert refused(m, "cgi", ["/bin/sh"]) == "not-found"
    (place / "jail").rename(place / "gone")
    assert refused(m, "cgi", ["/bin/where"]) == "chroot"


def test_nothing_of_the_launcher_grows(fcgipm, site):
    program = str(site.put("show"))
    m = start(fcgipm, site)
    b = Broker(control(m))

    def turn(n):
        for _ in range(n):
            b.run("cgi", [program])
            with pytest.raises(Refused):
                b.ask("cgi", ["/none"])
                b.started()
        c = Broker(control(m))
        c.close()
        return len(os.listdir(f"/proc/{m.launcher_pid}/fd")) if ROOT else 0

    before = turn(5)
    assert wait_for(lambda: turn(20) <= before + 1)
    assert m.manager_pid in children_of(m.launcher_pid) and len(children_of(m.launcher_pid)) == 1
