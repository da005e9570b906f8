"""Sockets: unix, private, TCP; stale, live, in the way, shut down."""
import os
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest
from apps import pool
from conftest import BUILD, needs_root, wait_for
from fcgi import request
from frontends import free_port


@pytest.mark.parametrize("host, family", (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)))
def test_tcp(fcgipm, host, family):
    port = free_port(family, host)
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    m = fcgipm("pools:" + pool("c", workers=2, extra=f'listen: "{shown}"')).ready()
    assert request((host, port), "pid").startswith(b"pid=")
    assert m.pool()["listen"] == shown
    before = m.pids()
    m.cli("restart", "app", check=0)
    assert not set(before) & set(m.pids())


def test_queue_limit_is_the_backlog(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=1, extra="queue: {limit: 7}")).ready()
    m.cli("stop", "app", check=0)
    clients = []
    try:
        while len(clients) < 20:
            s = socket.socket(socket.AF_UNIX)
            s.setblocking(False)
            clients.append(s)
            if s.connect_ex(str(m.socket())) != 0:
                break
        assert len(clients) == 9  # backlog + 1 wait, the next is refused at once
        assert m.pool()["queue"]["limit"] == 7
    finally:
        for s in clients:
            s.close()


@needs_root
def test_owner_group_and_mode_of_a_socket(fcgipm, accounts):
    a = accounts[0]
    m = fcgipm("pools:" + pool("c", workers=1, extra=f'socket: {{user: {a.pw_name}, group: {a.pw_name}, mode: "0600"}}')).ready()
    st = m.socket().stat()
    assert (st.st_uid, st.st_gid, st.st_mode & 0o7777) == (a.pw_uid, a.pw_gid, 0o600)


def test_a_private_socket_is_reached_by_its_door_alone(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=1, extra="socket: {private: true}")).ready()
    assert m.cli("request", "app", "/x?pid", check=0).stdout.startswith("pid=")
    assert (m.run / "private").stat().st_mode & 0o7777 == 0o700
    if os.geteuid() == 0:
        refused = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c",
                                  f"import socket; socket.socket(socket.AF_UNIX).connect('{m.run}/private/app.sock')"], capture_output=True, check=False)
        assert b"PermissionError" in refused.stderr


def test_a_stale_socket_is_replaced_a_live_one_refused_and_a_file_left(fcgipm, place):
    for name in ("stale", "live", "file"):
        (place / name).mkdir()
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(place / "stale" / "s"))
    (place / "file" / "s").write_text("mine")
    with socket.socket(socket.AF_UNIX) as live:
        live.bind(str(place / "live" / "s"))
        live.listen(1)
        m = fcgipm("pools:" + "".join(pool("c", name=n, workers=1, extra=f"listen: @DIR@/{n}/s") for n in ("stale", "live", "file")))
        m.expected_errors |= {"listener.failed", "pool.failed"}
        m.event("manager.go")
        wanted = {"stale": "ready", "live": "failed", "file": "failed"}
        wait_for(lambda: {p["name"]: p["state"] for p in m.status()["pools"]} == wanted,
                 message=lambda: f"{m.status()['pools']}\n" + "\n".join(m.lines))
        assert request(place / "stale" / "s", "pid").startswith(b"pid=")
        assert "listens on" in m.pool("live")["last_error"] and "no socket" in m.pool("file")["last_error"]
        m.stop()
        assert (place / "file" / "s").read_text() == "mine" and (place / "live" / "s").is_socket()


def shut_down_listener_of(pid):
    """What a worker may do with its descriptor 0."""
    fd = os.pidfd_open(pid)
    libc = __import__("ctypes").CDLL(None, use_errno=True)
    listener = socket.socket(fileno=libc.syscall(438, fd, 0, 0))
    os.close(fd)
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_a_listener_that_somebody_shut_down_is_bound_anew(fcgipm):
    m = fcgipm("pools:" + pool("python", workers=2)).ready()
    shut_down_listener_of(m.pids()[0])
    m.event("listener.renewed", pool="app")
    wait_for(lambda: m.pool()["state"] == "ready" and len(m.pids()) == 2)
    assert request(m.socket(), "pid").startswith(b"pid=")


def test_a_listener_shut_down_while_a_new_generation_boots_is_the_new_ones_too(fcgipm, place):
    m = fcgipm("pools:" + pool("python", workers=2)).ready()
    old = m.pids()
    (place / "apps" / "gate").unlink(missing_ok=True)
    m.write("pools:" + pool("python", workers=2, extra="environment: {BOOT_GATE: @DIR@/apps/gate}"))
    m.cli("reload", "--no-wait", check=0)
    m.event("pool.replacing", pool="app")
    shut_down_listener_of(old[0])
    m.event("listener.renewed", pool="app")
    (place / "apps" / "gate").touch()
    m.event("pool.replaced", pool="app")
    wait_for(lambda: m.pool()["state"] == "ready" and len(m.pids()) == 2 and not set(m.pids()) & set(old))
    for _ in range(4):
        assert request(m.socket(), "pid").startswith(b"pid=")


def test_a_reload_moves_a_pool_to_another_address(fcgipm, place):
    (place / "new").mkdir()
    m = fcgipm("pools:" + pool("c", workers=2)).ready()
    m.write("pools:" + pool("c", workers=2, extra="listen: @DIR@/new/s"))
    m.cli("reload", check=0)
    assert request(place / "new" / "s", "pid").startswith(b"pid=")
    wait_for(lambda: not m.socket().exists())


@needs_root
def test_below_an_accounts_directory_its_own_rights_bind(fcgipm, place, accounts):
    a = accounts[0]
    home = place / "home"
    home.mkdir()
    home.chmod(0o755)
    os.chown(home, a.pw_uid, a.pw_gid)
    m = fcgipm("pools:" + pool("c", workers=1, user=a.pw_name, extra="listen: @DIR@/home/s")).ready()
    assert (home / "s").stat().st_uid == a.pw_uid
    assert request(home / "s", "pid").startswith(b"pid=")
    assert m.stop() == 0 and not (home / "s").exists()


def test_no_two_fcgipm_in_one_runtime_directory(fcgipm, place):
    m = fcgipm("pools:" + pool("c", workers=1)).ready()
    second = subprocess.run([m.build / "bin" / "fcgipm", "run", "-c", m.config], capture_output=True, text=True, timeout=20, check=False)
    assert second.returncode != 0 and "another fcgipm" in second.stderr
    assert request(m.socket(), "pid").startswith(b"pid=")
    assert m.process.poll() is None and signal


@pytest.mark.parametrize("kind", ("unix", "tcp"))
def test_a_pool_that_is_renamed_keeps_its_socket(fcgipm, place, kind):
    port = free_port()
    listen = f"listen: 127.0.0.1:{port}" if kind == "tcp" else "listen: @RUN@/pools/kept.sock"
    address = ("127.0.0.1", port) if kind == "tcp" else place / "run/pools/kept.sock"
    m = fcgipm("pools:" + pool("c", name="old", extra=listen)).ready()
    for name in ("new", "newer"):
        m.write("pools:" + pool("c", name=name, extra=listen))
        m.cli("reload", check=0)
        wait_for(lambda name=name: [p["name"] for p in m.status()["pools"]] == [name])
        assert request(address, "").startswith(b"pid=")


@needs_root
def test_a_reload_that_fails_leaves_the_socket_as_it_is(fcgipm):
    text = "pools:" + pool("c", extra='socket: {mode: "0600"}')
    m = fcgipm(text).ready()
    m.write(text.replace("0600", "0666").replace("@DIR@/apps/app", "/bin/false"))
    m.expected_errors |= {"pool.replace_failed", "reload.pool_failed"}
    m.cli("reload", check=1)
    assert stat.S_IMODE(m.socket().stat().st_mode) == 0o600
    m.write(text.replace("0600", "0640"))
    m.cli("reload", check=0)
    assert stat.S_IMODE(m.socket().stat().st_mode) == 0o640


def activated(*sockets):
    """systemd-socket-activate with (name, address) each: it starts the command at the first connection."""
    return ["systemd-socket-activate", *(f"--listen={address}" for _, address in sockets), "--fdname=" + ":".join(name for name, _ in sockets)]


def test_sockets_that_systemd_hands_over_are_matched_by_name_and_by_address(fcgipm, place):
    tcp, nobodys = f"127.0.0.1:{free_port()}", place / "nobodys"
    wrap = activated(("app", place / "handed"), ("any", tcp), ("nobody", nobodys))
    m = fcgipm("pools:" + pool("c", workers=1) + pool("c", name="other", workers=1, extra=f"listen: {tcp}"), wrap=wrap)
    wait_for((place / "handed").exists)
    os.chmod(place / "handed", 0o640)
    assert request(place / "handed", "pid").startswith(b"pid="), "what waited before we were started is served"
    m.event("ready")
    assert m.event("listener.unclaimed")["address"] == str(nobodys)
    assert {p["name"]: p["listen"] for p in m.status()["pools"]} == {"app": str(place / "handed"), "other": tcp}
    assert not m.socket().exists()
    m.write("pools:" + pool("c", workers=2, extra="socket: {mode: \"0666\"}") + pool("c", name="other", workers=1, extra=f"listen: {tcp}"))
    m.cli("reload", check=0)
    assert request(place / "handed", "pid").startswith(b"pid=")
    assert "LISTEN_" not in Path(f"/proc/{m.pids()[0]}/environ").read_text()
    assert m.stop() == 0
    assert (place / "handed").stat().st_mode & 0o777 == 0o640, "it is the supervisor's"


def test_a_socket_handed_over_for_another_address_is_refused(fcgipm, place):
    m = fcgipm("pools:" + pool("c", workers=1, extra="listen: 127.0.0.1:9"), wrap=activated(("app", place / "handed")))
    m.expected_errors |= {"listener.failed", "pool.failed"}
    wait_for((place / "handed").exists)
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(place / "handed"))
        assert m.event("listener.failed", pool="app")["error"] == f"the socket that was handed over for it is {place}/handed, but listen says 127.0.0.1:9 (make them the same)"


def test_a_descriptor_that_is_no_listening_socket_is_not_taken(place):
    (place / "pools.yaml").write_text("pools: {}\n")
    code = "import os,sys; os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); os.dup2(2, 3); os.set_inheritable(3, True); os.execv(sys.argv[1], sys.argv[1:])"
    done = subprocess.run(["/usr/bin/python3", "-c", code, BUILD / "bin" / "fcgipm", "run", "-c", place / "pools.yaml"], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1 and "descriptor 3 of LISTEN_FDS" in done.stderr
