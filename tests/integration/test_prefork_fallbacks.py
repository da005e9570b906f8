"""workers.start: auto always ends in a pool that serves, and status says why it is exec (docs/prefork.md)."""
import os
import re
import shutil
import socket
import subprocess

import pytest

import fcgi
from conftest import BUILD, HERE, needs_root, wait_for

LIBRARY = BUILD / "lib/fcgipm/libfcgipm-prefork.so"


def pool(environment="", command="[@DIR@/apps/direct]", start="auto", extra="", workers="min: 2, max: 2"):
    return f"""
pools:
  app:
    command: {command}
    user: nobody
    environment: {{{environment}}}
    workers: {{{workers}, start: {start}, boot_timeout: 3s}}
    {extra}
"""


def serves(m, way, why):
    assert fcgi.request(m.socket(), "").startswith(b"pid=")
    shown = m.pool()
    assert shown["start"] == way and why in shown["start_reason"], shown["start_reason"]
    assert shown["state"] == "ready" and shown["workers"]["total"] == 2, shown
    with fcgi.Load(m.socket(), "", clients=4) as load:
        load.wait(100)
        m.cli("restart", "app", check=0)
    assert not load.failures


def build(place, name, *how):
    source = next(p for p in [place / "apps/direct.c"] if p.exists())
    subprocess.run([*how, "-D_GNU_SOURCE", "-o", place / name, source], check=True)
    return f"[@DIR@/{name}]"


def test_a_plain_application_is_forked(fcgipm):
    serves(fcgipm(pool()).ready(), "prefork", "template")


def test_an_application_with_threads_serves(fcgipm):
    m = fcgipm(pool("WAY: thread")).ready()
    serves(m, "exec", "several threads")
    assert m.event("pool.exec")["why"] == m.pool()["start_reason"]


def test_an_event_driven_server_serves_and_is_known_at_once(fcgipm):
    m = fcgipm(pool("WAY: epoll")).ready()
    assert int(m.event("worker.start")["pid"])
    serves(m, "exec", "epoll")


@pytest.mark.parametrize("way,start,clients", [("threads", "exec", 8), ("fork", "prefork", 2)])
def test_who_serves_several_at_once_loses_nothing_from_its_first_moment_on(fcgipm, way, start, clients):
    """Each restart meets workers that have just come.  (One that forks goes when none of its children serves: there are moments for that.)"""
    m = fcgipm(pool(f"WAY: {way}")).ready()
    with fcgi.Load(m.socket(), "", clients=clients) as load:
        for _ in range(6):
            m.cli("restart", "app", check=0)
        assert m.pool()["start"] == start
        wait_for(lambda: m.pool()["served"] is None and m.pool()["busy_ms"] is None, message="what it does cannot be told")
    assert not load.failures and load.served > 10, (load.failures[:3], load.served)


def test_a_server_that_calls_no_accept_of_the_c_library_serves(fcgipm):
    serves(fcgipm(pool("WAY: syscall")).ready(), "exec", "does not wait for connections by accept")


def test_what_turned_out_to_be_no_template_holds_no_restart_back(fcgipm):
    """To the launcher, too, it is a worker, though it has never said so."""
    m = fcgipm(pool("WAY: syscall", workers="min: 1, max: 4")).ready()
    held = []
    for _ in range(4):
        seen = len(m.events)
        held.append(fcgi.connect(m.socket()))  # a worker reads from it for as long as it is open
        wait_for(lambda: m.pool()["queue"]["depth"] == 0)
        m.cli("restart", "app", "--no-wait", check=0)
        m.event("pool.replaced", after=seen)
    assert not [e for e in m.events if e["event"] == "manager.refused"]
    for s in held:
        s.close()


def test_an_application_that_closes_what_it_does_not_know_serves(fcgipm):
    serves(fcgipm(pool("WAY: close")).ready(), "exec", "closed the template's descriptor")


def test_a_template_that_exits_is_replaced_by_workers_that_serve(fcgipm, place):
    open_to_all = place / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    (open_to_all / "gate").touch()
    serves(fcgipm(pool(f"WAY: exit, GATE: {open_to_all}/gate")).ready(), "exec", "ended before its first accept")


def test_a_static_binary_serves(fcgipm, place):
    serves(fcgipm(pool(command=build(place, "static", "gcc", "-static", "-pthread"))).ready(), "exec", "linked statically")


def test_a_binary_of_another_c_library_serves_and_is_not_forked(fcgipm, place):
    """Its threads would have the template's number: pthread_create() hangs in a forked worker of musl's, and raise() signals the template."""
    m = fcgipm(pool(command=build(place, "musl", "musl-gcc"))).ready()
    serves(m, "exec", "its C library")
    assert m.pool()["served"] > 100, "the library is in it"


@needs_root
def test_a_chroot_without_proc_serves(fcgipm, place):
    root = place / "root"
    for library in re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", place / "apps/direct"], capture_output=True, text=True, check=True).stdout):
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)
    shutil.copy(place / "apps/direct", root / "direct")
    m = fcgipm(pool(command="[/direct]", extra=f"chroot: {root}")).ready()
    serves(m, "exec", "cannot reach /proc in its chroot")


@pytest.mark.parametrize("way,why", [("thread", "several threads"), ("epoll", "epoll")])
def test_prefork_or_nothing_is_an_error_that_says_why(fcgipm, way, why):
    m = fcgipm(pool(f"WAY: {way}", start="prefork"))
    m.expected_errors.add("pool.failed")
    assert why in m.event("pool.failed")["error"]
    wait_for(lambda: m.pool()["state"] == "failed")
    shown = m.pool()
    assert why in shown["last_error"] and shown["start"] == "prefork" and any("fcgipm start app" in note for note in shown["notes"]), shown
    assert m.cli("start", "app").returncode == 1 and m.pool()["state"] == "failed" and not m.pids(), "as it says, it does not go by exec"
    m.write(pool(f"WAY: {way}", start="prefork", extra="request: {slow: 30s}"))
    m.expected_errors.add("reload.pool_failed")
    assert m.cli("reload").returncode == 1 and why in m.pool()["last_error"] and not m.pids(), "nor after a reload that changes something else"


def readelf(*what, library=LIBRARY):
    return subprocess.run(["readelf", "-W", *what, library], capture_output=True, text=True, check=True).stdout


def fits_any_c_library(library):
    assert "NEEDED" not in readelf("-d", library=library), "it names no library"
    assert "Version needs section" not in readelf("-V", library=library), "it names no version of a symbol"
    assert not re.findall(r"UND (__\w*(?:atomic|aarch64)\w*)", readelf("--dyn-syms", library=library)), "it wants the compiler's own library"


def test_the_library_fits_any_c_library():
    fits_any_c_library(LIBRARY)


@pytest.mark.skipif(not os.environ.get("RUN_SOAK"), reason="minutes: make soak")
def test_the_library_for_arm64_fits_any_c_library_and_loads(place):
    library, run = place / "arm64/lib/fcgipm" / LIBRARY.name, place / "app.sock"
    subprocess.run(["make", f"BUILD={place}/arm64", "CC=aarch64-linux-gnu-gcc", library], cwd=HERE.parent.parent, check=True)
    assert "AArch64" in readelf("-h", library=library)
    fits_any_c_library(library)
    build(place, "direct", "aarch64-linux-gnu-gcc", "-pthread")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(run))
        listener.listen(8)
        with subprocess.Popen(["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", "-E", f"LD_PRELOAD={library}", place / "direct"], stdin=listener, stderr=subprocess.PIPE) as app:
            for _ in range(3):
                assert fcgi.request(run).startswith(b"pid=")
            app.kill()
            assert b"preload" not in app.stderr.read(), "ld.so did not take it"


def test_the_library_shows_only_what_it_interposes():
    shown = set(re.findall(r" (?:FUNC|OBJECT)\s+GLOBAL\s+DEFAULT\s+\d+ (\S+)", readelf("--dyn-syms")))
    assert shown == {"accept", "accept4", "poll", "ppoll", "select", "epoll_ctl", "read", "recv", "close", "fork", "__register_atfork",
                     "execve", "execv", "execvp"}


def test_the_library_allocates_nothing():
    wanted = set(re.findall(r"UND (\S+)", readelf("--dyn-syms")))
    assert not wanted & {"malloc", "calloc", "realloc", "free", "strdup", "mmap64", "pthread_create"}, wanted


def test_what_a_request_needs_lies_together():
    """Pages cost more than instructions (docs/measured.md): code on one, what is written on another."""
    symbols = subprocess.run(["nm", LIBRARY], capture_output=True, text=True, check=True).stdout
    at = {name: int(address, 16) for address, name in re.findall(r"^([0-9a-f]+) \w (\S+)$", symbols, re.M)}
    assert len({at[f] >> 12 for f in ("accept4", "accept", "read", "recv", "close", "board_step", "go_to", "board_leaves", "waits", "take", "hook_boots")}) == 1, at
    assert at["prefork"] >> 12 == at["other_listener"] >> 12, at


def test_the_library_is_short_enough_to_read():
    files = sorted((HERE.parent.parent / "fcgipm/prefork").glob("*.[ch]")) or pytest.fail("not beside its sources")
    code = [line for f in files for line in re.sub(r"/\*.*?\*/", "", f.read_text(), flags=re.S).splitlines() if line.strip()]
    assert len(code) < 600, len(code)
