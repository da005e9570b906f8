"""A template or worker that has been taken over confuses its own pool at most (docs/threats.md)."""
import os
import time

import pytest

import fcgi
from conftest import children_of, wait_for


def pools(rogue, start):
    return f"""
pools:
  good: {{command: [@DIR@/apps/app], user: nobody, workers: {{min: 2, max: 4}}}}
  rogue:
    command: [@DIR@/apps/rogue]
    user: nobody
    environment: {{ROGUE: {rogue}}}
    restart: {{delay: 200ms}}
    stop: {{timeout: 1s}}
    request: {{slow: 100ms}}
    workers: {{min: 1, max: 2, start: {start}, boot_timeout: 2s}}
"""


def program(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:  # it has just ended
        return ""


def used_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("rogue,start", [("words", "prefork"), ("words", "auto"), ("deaf", "prefork"), ("twins", "prefork"), ("garbage", "exec"), ("garbage", "auto")])
def test_it_confuses_its_own_pool_at_most(fcgipm, rogue, start):
    m = fcgipm(pools(rogue, start))
    m.expected_errors.update({"pool.failed", "worker.start_failed"})
    wait_for(lambda: m.socket("good").exists() and m.pool("good")["workers"]["idle"] == 2)
    good, manager, launcher = set(m.pids("good")), m.manager_pid, m.launcher_pid
    before, began, said = used_s(manager) + used_s(launcher), time.monotonic(), len(m.lines)
    with fcgi.Load(m.socket("good"), "sleep=2", clients=2) as load:
        time.sleep(3)
    spent = (used_s(manager) + used_s(launcher) - before) / (time.monotonic() - began)
    assert not load.failures and load.served > 100
    assert good <= set(m.pids("good")), "a worker of another pool was touched"
    assert m.manager_pid == manager, "the manager died of it"
    assert spent < 0.5, f"{spent:.2f} of a core"
    assert len(m.lines) - said < 1000, "the log is flooded"
    shown = m.status()["pools"]
    assert all(p[key] is None or p[key] >= 0 for p in shown for key in ("served", "abandoned", "busy_ms")), shown
    assert all(0 <= p["workers"]["busy"] <= p["workers"]["total"] <= 8 for p in shown), shown
    m.cli("stop", "rogue", check=0, timeout=30)
    wait_for(lambda: not [p for p in children_of(m.launcher_pid) if program(p) == "rogue"],
             message="one of them stayed")
    assert m.stop() == 0


def test_a_template_that_talks_without_end_is_ended(fcgipm):
    m = fcgipm(pools("words", "prefork"))
    m.expected_errors.update({"pool.failed"})
    m.event("template.refused", pool="rogue")
    assert m.event("template.exit", pool="rogue")["asked"] == "0"


LINGERS = """
import array, os, socket, struct, sys, time
listener = socket.create_server(("127.0.0.1", 0))
full = socket.create_connection(listener.getsockname())
full.setblocking(False)
try:
    while True:
        full.send(bytes(65536))
except BlockingIOError:
    pass
full.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
sock = socket.socket(fileno=os.dup(int(sys.argv[1])))
try:
    sock.sendmsg([bytes(8)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [full.fileno()]))])
except PermissionError:  # Linux 6.16: the kernel refuses it
    full.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
print("sent", file=sys.stderr, flush=True)
full.close()
accepts = socket.socket(fileno=0)
while True:
    accepts.accept()[0].close()
"""


@pytest.mark.parametrize("descriptor", [4, 5], ids=["manager", "launcher"])
def test_a_socket_that_lingers_holds_neither(fcgipm, place, descriptor):
    """How long a close() takes is its sender's word: nobody of ours may be whoever closes it."""
    (place / "lingers.py").write_text(LINGERS)
    m = fcgipm(f"""
pools:
  good: {{command: [@DIR@/apps/app], user: nobody, workers: {{min: 1, max: 2}}}}
  rogue: {{command: [/usr/bin/python3, @DIR@/lingers.py, "{descriptor}"], user: nobody, workers: {{start: prefork, min: 1, max: 1, boot_timeout: 5s}}}}
""")
    m.expected_errors.update({"pool.failed", "worker.start_failed"})
    m.event("worker.output", pool="rogue", text="sent")
    m.cli("restart", "good", timeout=10)
    assert fcgi.request(m.socket("good"), "").startswith(b"pid=")
    assert m.stop(timeout=15) == 0
