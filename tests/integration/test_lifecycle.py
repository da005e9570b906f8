"""Starting, crashing, stopping, signals, output, and a manager that dies."""
import json
import os
import signal
import socket
import time
from pathlib import Path

import pytest
from apps import pool
from conftest import children_of, comm, needs_root, wait_for
from fcgi import Broken, Load, request


def crash(m, query):
    with pytest.raises((Broken, OSError)):
        request(m.socket(), query)


def test_status_and_log_name_the_signal_and_the_last_lines(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=1)).ready()
    request(m.socket(), "stderr=last words")
    m.event("worker.output", pool="app", text="last words")
    crash(m, "crash")
    e = m.event("worker.exit", end="signal")
    assert e["signal"] == "11" and e["level"] == "warn"
    wait_for(lambda: len(m.pids()) == 1)
    wait_for(lambda: m.pool()["notes"] == [], message="that it crashed once is no news when it serves")
    error = m.pool()["last_error"]
    assert "SEGV" in error and "last words" in error
    assert m.pool()["restarts"]["signal"] == 1


def test_a_crash_is_damped_and_delays_no_other_pool(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=1) + """
  bad:
    command: [/bin/false]
    user: nobody
    restart: {delay: 50ms, max_delay: 400ms}
""")
    waits = []
    for turn in range(1, 6):
        e = m.event("pool.backoff", pool="bad", in_row=turn)
        waits.append(int(e["wait_ms"]))
    assert waits == [50, 100, 200, 400, 400]
    assert m.event("ready")["failed"] == "1", "it cannot have its workers.min"
    start = time.monotonic()
    m.cli("restart", "app", check=0)
    assert time.monotonic() - start < 3
    assert m.pool("bad")["restarts"]["exit"] >= 5


def test_give_up_after_leaves_the_pool_failed(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=1) + """
  bad:
    command: [/bin/false]
    user: nobody
    restart: {delay: 10ms, give_up_after: 3}
""")
    m.expected_errors.add("pool.failed")
    m.event("manager.go")
    wait_for(lambda: m.pool("bad")["state"] == "failed")
    assert m.pool("bad")["restarts"]["exit"] == 3


def test_stop_leaves_requests_waiting_and_start_serves_them(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=2)).ready()
    m.cli("stop", "app", check=0)
    assert m.pool()["state"] == "stopped" and m.pids() == []
    with Load(m.socket(), query="pid", clients=3, limit=0) as l:
        wait_for(lambda: m.pool()["queue"]["depth"] == 3)
        m.cli("start", "app", check=0)
    assert l.served == 3 and not l.failures


def test_a_bad_file_at_reload_changes_nothing(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=2)).ready()
    m.expected_errors.add("reload.refused")
    before = m.pids()
    m.write("pools:" + pool("c", workers=2).replace("min: 2", "minn: 2"))
    done = m.cli("reload")
    assert done.returncode != 0
    assert 'pools.app.workers.minn: unknown key (did you mean "min"?)' in done.stdout + done.stderr
    assert m.pids() == before and m.status()["manager"]["generation"] == 1


def test_a_reload_touches_only_pools_that_differ(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=2) + pool("c", name="other", workers=2)).ready()
    before, other = m.pids(), m.pids("other")
    m.write("pools:" + pool("c", workers=2) + pool("c", name="other", workers=2, extra="umask: \"0077\""))
    m.cli("reload", check=0)
    assert m.pids() == before and not set(m.pids("other")) & set(other)


def test_the_next_manager_touches_no_pool_that_a_reload_left_as_it_was(fcgipm):
    """Generations that differ in nothing of a pool are the same to it."""
    def both(umask):
        return "pools:" + pool("c", "quiet") + pool("c", "other", extra=f'umask: "{umask}"')
    m = fcgipm(both("0022")).ready()
    quiet, seen = m.pids("quiet"), len(m.events)
    m.write(both("0027"))
    m.cli("reload", check=0)
    os.kill(m.manager_pid, signal.SIGKILL)
    m.event("manager.go", after=seen)
    m.cli("restart", "other", check=0)  # by then the manager has looked at every pool
    assert m.pids("quiet") == quiet
    assert not [e for e in m.events[seen:] if e.get("pool") == "quiet" and e["event"] in ("worker.start", "worker.exit", "template.start", "template.exit")]


def test_a_new_generation_that_dies_at_boot_leaves_the_old(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=2)).ready()
    m.expected_errors |= {"reload.pool_failed", "pool.replace_failed"}
    before = m.pids()
    m.write("pools:" + pool("c", workers=2).replace("[@DIR@/apps/app]", "[/bin/false]"))
    done = m.cli("reload")
    assert done.returncode == 1 and "app" in done.stdout + done.stderr
    assert m.pids() == before
    assert request(m.socket(), "pid").startswith(b"pid=")


@pytest.mark.parametrize("moment", ("restart", "reload", "boot"))
def test_the_manager_killed_in_the_middle_is_back_with_everything(fcgipm, moment):
    text = "pools:" + pool("c", workers=4)
    m = fcgipm(text).ready()
    m.cli("scale", "app", "--min", 5, check=0)
    with Load(m.socket()) as l:
        l.wait(20)
        if moment == "restart":
            m.cli("restart", "--no-wait", "app")
        elif moment == "reload":
            m.write(text + "    umask: \"0077\"\n")
            m.cli("reload", "--no-wait")
        else:
            m.cli("scale", "app", "--min", 8, "--no-wait")
        seen = len(m.events)
        os.kill(m.manager_pid, signal.SIGKILL)
        died = m.event("manager.died", after=seen)
        back = m.event("manager.go", after=seen)
        assert died["level"] == "warn" and back
        l.wait(40)
        want = 8 if moment == "boot" else 5
        wait_for(lambda: m.pool()["workers"]["min"] == want and m.pool()["workers"]["retiring"] == 0 and len(m.pids()) >= want)
    assert not l.failures


def test_the_manager_is_back_within_200_ms_and_damped_when_it_dies_in_a_loop(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=2)).ready()
    times = []
    for _ in range(3):
        seen, start = len(m.events), time.monotonic()
        os.kill(m.manager_pid, signal.SIGKILL)
        m.event("manager.go", after=seen)
        times.append(time.monotonic() - start)
    assert times[0] < 0.2, times
    assert times[2] > 0.15, "not damped"
    assert request(m.socket(), "pid").startswith(b"pid=")


@pytest.mark.parametrize("signo", (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT))
def test_after_any_ending_nothing_of_ours_stays(fcgipm, signo):
    m = fcgipm("pools:" + pool("c", workers=3)).ready()
    pids = m.pids() + [m.manager_pid]
    assert m.stop(signo) == 0
    assert not [p for p in pids if comm(p)]
    assert not m.socket().exists() and not (m.run / "control.sock").exists()


def test_quit_drains_what_is_queued(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=1)).ready()
    with Load(m.socket(), query="sleep=200", clients=4, limit=0) as l:
        wait_for(lambda: m.pool()["queue"]["depth"] >= 2)
        m.kill(signal.SIGQUIT)
    assert l.served == 4 and not l.failures
    assert m.stop() == 0


def test_hup_reloads(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=2)).ready()
    m.write("pools:" + pool("c", workers=3))
    m.kill(signal.SIGHUP)
    wait_for(lambda: len(m.pids()) == 3)


def test_a_hup_is_never_lost(fcgipm):
    """Not while the start still looks at the pools, not during a reload, not without a manager."""
    m = fcgipm("pools:" + pool("c", workers=1) + "".join(pool("c", name=f"p{i}", workers=1) for i in range(30)))
    m.event("manager.go")
    m.write("pools:" + pool("c", workers=3))
    m.kill(signal.SIGHUP)
    wait_for(lambda: len(m.pids()) == 3)
    m.write("pools:" + pool("c", workers=4))
    m.kill(signal.SIGHUP)
    m.write("pools:" + pool("c", workers=5))
    m.kill(signal.SIGHUP)
    wait_for(lambda: len(m.pids()) == 5)
    m.write("pools:" + pool("c", workers=6))
    m.expected_errors.add("manager.died")
    seen = len(m.events)
    os.kill(m.manager_pid, signal.SIGKILL)
    m.kill(signal.SIGHUP)
    m.event("manager.go", after=seen)
    wait_for(lambda: len(m.pids()) == 6)


@needs_root
def test_output_to_a_path_is_reopened_on_usr1(fcgipm, place, accounts):
    a = accounts[0]
    logs = place / "logs"
    logs.mkdir()
    os.chown(logs, a.pw_uid, a.pw_gid)
    m = fcgipm("pools:" + pool("c", workers=1, user=a.pw_name, extra="output: @DIR@/logs/out")).ready()
    request(m.socket(), "stderr=one")
    wait_for(lambda: (logs / "out").exists() and "one" in (logs / "out").read_text())
    (logs / "out").rename(logs / "old")
    m.kill(signal.SIGUSR1)
    wait_for(lambda: (logs / "out").exists(), message="not reopened")
    request(m.socket(), "stderr=two")
    wait_for(lambda: "two" in (logs / "out").read_text())
    assert "two" not in (logs / "old").read_text()


def test_the_log_moves_and_changes_its_form_with_a_reload(fcgipm, place):
    """Target, level and format, of every process; a target that cannot be opened changes nothing."""
    log = "manager: {runtime_directory: @RUN@, log: {target: %s, level: %s, format: %s}}\npools:" + pool("c", workers=1)
    logs = place / "logs"
    logs.mkdir(mode=0o755)
    m = fcgipm(log % ("stderr", "info", "logfmt")).ready()
    m.write(log % (logs / "fcgipm.log", "debug", "json"))
    m.cli("reload", check=0)
    m.cli("restart", "app", check=0)
    assert [e["generation"] for line in (logs / "fcgipm.log").read_text().splitlines() if (e := json.loads(line))["event"] == "reload.applied"] == [2]
    assert "worker.state" in (logs / "fcgipm.log").read_text()
    m.write(log % (place / "nowhere/fcgipm.log", "info", "logfmt"))
    assert "nowhere" in m.cli("reload", check=78).stderr
    m.write(log % ("stderr", "warn", "logfmt"))
    m.cli("reload", check=0)
    seen = len(m.events)
    m.cli("restart", "app", check=0)
    m.expected_errors.add("manager.died")
    os.kill(m.manager_pid, signal.SIGKILL)
    m.event("manager.died", after=seen)
    assert all(e["level"] == "warn" for e in m.events[seen:])


@needs_root
def test_a_fifo_as_output_is_refused(fcgipm, place, accounts):
    a = accounts[0]
    logs = place / "logs"
    logs.mkdir()
    os.chown(logs, a.pw_uid, a.pw_gid)
    os.mkfifo(logs / "out")
    m = fcgipm("pools:" + pool("c", workers=1, user=a.pw_name, extra="output: @DIR@/logs/out"))
    m.expected_errors |= {"pool.output"}
    wait_for(lambda: any("logs/out" in l and "a FIFO" in l for l in m.lines), message=lambda: "\n".join(m.lines[-10:]))
    assert m.process.poll() is None


def test_null_output_goes_nowhere(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=1, extra="output: null")).ready()
    assert Path(f"/proc/{m.pids()[0]}/fd/2").readlink() == Path("/dev/null")


def test_output_is_rate_limited_and_its_noise_escaped(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=1)).ready()
    request(m.socket(), "stderr=\x1b[31m\" level=error event=forged")
    e = m.event("worker.output", pool="app")
    assert e["text"].startswith("\x1b[31m\"") and "\x1b" not in "\n".join(m.lines)
    with Load(m.socket(), query="stderr=flood", clients=4, limit=2) as l:
        l.wait(800, timeout=20)
    m.event("worker.output_suppressed", pool="app")
    assert sum(e.get("event") == "worker.output" for e in m.events) < 500


def test_a_supervisor_is_told(fcgipm, place):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(place / "notify"))
        s.settimeout(10)
        m = fcgipm("pools:" + pool("c", workers=1), env={"NOTIFY_SOCKET": str(place / "notify")}).ready()

        def told(what):
            text = s.recv(1000).decode()
            assert what in text.splitlines() and f"MAINPID={m.launcher_pid}" in text.splitlines()

        told("READY=1")
        m.cli("reload", check=0)
        told("RELOADING=1")
        told("READY=1")
        m.kill(signal.SIGTERM)
        told("STOPPING=1")


def test_a_worker_that_ignores_its_stop_signal_is_killed_with_its_session(fcgipm):
    m = fcgipm("""
pools:
  app:
    command: [/bin/sh, -c, "trap '' TERM; setsid -w true; (trap '' TERM; sleep 300) & exec sleep 300"]
    user: nobody
    stop: {timeout: 500ms}
    workers: {min: 1, max: 1, boot_timeout: 1s}
    restart: {delay: 10s}
""")
    m.event("worker.start", pool="app")
    m.event("worker.exit", pool="app", timeout=20)
    wait_for(lambda: not [p for p in children_of(m.launcher_pid) if comm(p) == "sleep"], message="its session lives on")


def test_a_pool_that_was_unfit_serves_once_it_is_mended_and_reloaded(fcgipm, place):
    m = fcgipm("pools:" + pool("c", workers=1, extra=f"directory: {place}/later"))
    m.expected_errors |= {"pool.failed", "worker.start_failed"}
    m.event("pool.unfit", pool="app")
    wait_for(lambda: m.pool()["state"] == "failed")
    (place / "later").mkdir()
    (place / "later").chmod(0o755)
    m.cli("reload", check=0)
    wait_for(lambda: m.pool()["state"] == "ready")
    assert request(m.socket(), "").startswith(b"pid=")


def test_quit_during_the_start_ends_it(fcgipm):
    m = fcgipm("pools:" + "".join(pool("c", name=f"p{i}", workers=1) for i in range(400)))
    wait_for(lambda: "SigBlk:\t0000000000000000" not in Path(f"/proc/{m.launcher_pid}/status").read_text() and comm(m.launcher_pid) == "fcgipm-launcher")
    m.kill(signal.SIGQUIT)  # the configuration is being read
    assert m.process.wait(20) == 0
