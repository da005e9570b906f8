"""Commands, exit codes, permissions, the shape of status."""
import json
import os
import shutil
import socket
import struct
import subprocess

import pytest
from apps import pool
from conftest import BUILD, make_linger, needs_root, wait_for
from fcgi import request

KEYS = {
    "name": str, "state": str, "start": str, "start_reason": str, "listen": str, "queue": dict, "workers": dict, "served": (int, type(None)),
    "restarts": dict, "at_max_ms": int, "abandoned": (int, type(None)), "memory_bytes": int, "template": dict, "last_error": (str, type(None)),
}


def run(*args, **more):
    return subprocess.run([BUILD / "bin" / "fcgipm", *map(str, args)], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL, check=False, **more)


def test_status_json_has_every_key_with_its_type(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=2)).ready()
    s = m.status()
    assert {"version", "pid", "launcher_pid", "uptime_ms", "generation", "workers", "max_workers"} <= set(s["manager"])
    assert s["manager"]["launcher_pid"] == m.launcher_pid and s["manager"]["pid"] == m.manager_pid
    p = m.pool()
    for key, kind in KEYS.items():
        assert isinstance(p[key], kind), key
    assert set(p["queue"]) >= {"depth", "limit", "peak"}
    w = p["workers"]
    assert w["total"] == w["idle"] + w["busy"] + w["booting"] + w["retiring"] == 2 and len(w["pids"]) == 2
    assert {"exit", "signal", "timeout"} <= set(p["restarts"])


def test_exit_codes(fcgipm, place):
    m = fcgipm("pools:" + pool("c", workers=1)).ready()
    assert m.cli("restart", "nobody").returncode == 1
    assert m.cli("scale", "app", "--min", "many").returncode == 2
    assert run("frobnicate").returncode == 2
    assert run("-s", place / "nothing.sock", "status").returncode == 3
    (place / "bad.yaml").write_text("pools: {x: {}}\n")
    (place / "bad.yaml").chmod(0o644)
    assert run("run", "-c", place / "bad.yaml").returncode == 78
    assert run("check", "-c", place / "bad.yaml").returncode == 78
    assert run("check", "-c", place / "missing.yaml").returncode == 78


def test_every_command_has_help():
    commands = ("run", "check", "status", "top", "reload", "restart", "scale", "stop", "start", "shutdown", "request")
    for command in commands:
        done = run(command, "--help")
        assert done.returncode == 0 and command in done.stdout
    assert all(c in run("--help").stdout for c in commands)


def test_all_errors_of_a_file_at_once_with_line_and_column(place):
    config = place / "bad.yaml"
    config.write_text("pools:\n  blog:\n    command: [bin/app]\n    user: nosuchuser\n    workers: {min: 5, max: 2}\n    colour: red\n")
    config.chmod(0o644)
    done = run("check", "-c", config)
    assert done.returncode == 78
    lines = (done.stdout + done.stderr).splitlines()
    assert any(l.startswith(f"{config}:3:15: pools.blog.command") for l in lines), lines
    assert any(l.startswith(f"{config}:4:11: pools.blog.user") for l in lines), lines
    assert any(l.startswith(f"{config}:5:") and "pools.blog.workers" in l for l in lines), lines
    assert any(l.startswith(f"{config}:6:5: pools.blog.colour: unknown key") for l in lines), lines


def test_check_looks_with_the_accounts_own_rights(place):
    config = place / "look.yaml"
    config.write_text("pools:\n  blog:\n    command: [/usr/bin/nothing-there]\n    user: nobody\n")
    config.chmod(0o644)
    done = run("check", "-c", config)
    assert done.returncode == 78 and f"{config}:3:" in done.stderr and "pools.blog.command: /usr/bin/nothing-there" in done.stderr


def test_request_is_a_full_client(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=1)).ready()
    assert m.cli("request", "app", "/x?echo", "-d", "hello", check=0).stdout == "hello"
    assert m.cli("request", "app", "/x?pid", check=0).stdout.startswith("pid=")
    m.cli("request", "app", "/x?exit=0", check=1)


@needs_root
def test_permission_is_by_credentials(fcgipm, accounts):
    a = accounts[0]
    m = fcgipm("manager:\n  runtime_directory: @RUN@\n  control: {operators: [root], observers: [" + a.pw_name + "]}\npools:" + pool("c", workers=1)).ready()

    def as_uid(uid, *args):
        return subprocess.run(["setpriv", f"--reuid={uid}", "--clear-groups", BUILD / "bin" / "fcgipm", "-s", m.run / "control.sock", *args],
                              capture_output=True, text=True, timeout=20, check=False)

    assert json.loads(as_uid(a.pw_uid, "status", "--json").stdout)["pools"]
    assert as_uid(a.pw_uid, "restart", "app").returncode == 1
    assert as_uid(12345, "status").returncode == 1
    assert as_uid(65534, "status").returncode != 0  # the overflow uid is nobody's


def test_a_client_that_floods_or_lies_slows_nobody(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=1)).ready()
    silent = []
    try:
        for _ in range(200):
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.settimeout(1)
            try:
                s.connect(str(m.run / "control.sock"))
                s.send(os.urandom(64))
            except OSError:
                pass
            silent.append(s)
        uid = ["setpriv", "--reuid=12345", "--clear-groups"] if os.geteuid() == 0 else []
        done = subprocess.run([*uid, BUILD / "bin" / "fcgipm", "-s", m.run / "control.sock", "request", "nothing", "/"], capture_output=True, timeout=20, check=False)
        assert done.returncode == 1
    finally:
        for s in silent:
            s.close()
    assert m.status()["pools"]


CONNECTS = """
import socket, sys
held = []
for _ in range(140):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(sys.argv[1])
    held.append(s)
print("there", flush=True)
sys.stdin.read()
"""


@needs_root
def test_many_accounts_together_cannot_keep_an_operator_out(fcgipm, accounts):
    a = accounts[0]
    m = fcgipm("manager:\n  runtime_directory: @RUN@\n  control: {operators: [root, " + a.pw_name + "]}\npools:" + pool("c", workers=1)).ready()
    crowd = [subprocess.Popen(["setpriv", f"--reuid={uid}", "--clear-groups", "/usr/bin/python3", "-c", CONNECTS, m.run / "control.sock"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) for uid in range(23001, 23007)]
    try:
        for p in crowd:
            assert p.stdout.readline() == b"there\n"
        assert m.cli("status", check=0, timeout=10).stdout
        operator = ["setpriv", f"--reuid={a.pw_uid}", "--clear-groups", BUILD / "bin" / "fcgipm", "-s", m.run / "control.sock"]
        assert subprocess.run([*operator, "restart", "app"], capture_output=True, timeout=20, check=False).returncode == 0
    finally:
        for p in crowd:
            p.communicate(timeout=10)


@pytest.mark.skipif("RUN_SOAK" not in os.environ, reason="a minute: make soak")
def test_a_client_that_leaves_its_answers_unread_is_closed(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=1)).ready()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.connect(str(m.run / "control.sock"))
        for sequence in range(1, 1001):  # a lease of an unknown pool: an answer each, more than the socket holds and less than the manager keeps
            s.send(struct.pack("<HHII", 8, 0, sequence, 4) + b"none\0\0")
        m.event("control.closed", why="does not read", timeout=90)


@needs_root
def test_started_by_an_ordinary_user_it_runs_that_users_pools(place, accounts):
    a = accounts[0]
    own = place / "own"
    own.mkdir()
    config, log = own / "pools.yaml", own / "log"
    config.write_text(f"manager:\n  runtime_directory: {own}/run\npools:\n  app:\n    command: [{place}/apps/app]\n    workers: {{min: 1, max: 2}}\n")
    for path in (own, config):
        os.chown(path, a.pw_uid, a.pw_gid)
    as_user = ["setpriv", f"--reuid={a.pw_uid}", f"--regid={a.pw_gid}", "--clear-groups"]
    build = place / "build"  # a build below root's home is not an ordinary user's to run
    shutil.copytree(BUILD / "bin", build / "bin")
    shutil.copytree(BUILD / "libexec", build / "libexec")
    with open(log, "wb") as out:
        process = subprocess.Popen([*as_user, build / "bin" / "fcgipm", "run", "-c", config], stderr=out, stdin=subprocess.DEVNULL)
    try:
        wait_for(lambda: "event=ready" in log.read_text(), message=log.read_text)
        socket_path = own / "run" / "pools" / "app.sock"
        assert f"uid={a.pw_uid} " in request(socket_path, "id").decode()
        done = subprocess.run([*as_user, build / "bin" / "fcgipm", "-s", own / "run" / "control.sock", "restart", "app"], capture_output=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr
    finally:
        process.terminate()
        assert process.wait(20) == 0
    assert not socket_path.exists()


def test_a_socket_that_lingers_holds_nobody(fcgipm):
    """Closing a socket that somebody passed must not wait for what he left unsent in it."""
    m = fcgipm("pools:" + pool("c")).ready()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        with socket.create_connection(listener.getsockname()) as full, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control:
            make_linger(full)
            control.connect(str(m.run / "control.sock"))
            try:
                socket.send_fds(control, [bytes(8)], [full.fileno()])
            except PermissionError:  # Linux 6.16: the kernel refuses it for the manager, who need not close it
                control.send(bytes(8))
                full.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))  # our own close() would wait
            full.close()
            assert m.cli("status", check=0, timeout=10).stdout
