"""Workers follow the load of the queue; what is scarce is shared; who is idle costs nothing."""
import os
import re
import signal
import time
from pathlib import Path

import pytest
from conftest import BUILD, wait_for
from fcgi import Load, request
from frontends import free_port

ASAN = "asan" in str(BUILD)


def pool(name="app", workers="min: 1, max: 4", extra=""):
    return f"\n  {name}:\n    command: [@DIR@/apps/app]\n    user: nobody\n    workers: {{{workers}}}\n    {extra}\n"


def events(m, name, **fields):
    return [e for e in list(m.events) if e["event"] == name and all(e.get(k) == v for k, v in fields.items())]


@pytest.mark.parametrize("address", ("unix", "tcp"))
def test_a_burst_is_answered_by_all_the_workers_that_it_needs(fcgipm, address):
    port = free_port()
    m = fcgipm("pools:" + pool(workers="min: 2, max: 64", extra=f"listen: 127.0.0.1:{port}" if address == "tcp" else "")).ready()
    with Load(m.socket() if address == "unix" else ("127.0.0.1", port), "sleep=1000", clients=64, limit=0) as l:
        pass
    assert l.served == 64 and not l.failures
    assert m.pool()["workers"]["total"] == 64
    assert re.match(r"\d+\.\d s ago: \d+ more, \d+ to 64 workers: load \(", m.pool()["decisions"][0])


def test_only_what_was_surplus_for_the_whole_idle_timeout_goes(fcgipm):
    m = fcgipm("pools:" + pool(workers="min: 1, max: 8, spare: 0, idle_timeout: 2s")).ready()
    with Load(m.socket(), "sleep=300", clients=8, limit=0):
        pass
    calm = time.monotonic()
    assert m.pool()["workers"]["total"] == 8
    while time.monotonic() < calm + 1.2:
        assert m.pool()["workers"]["total"] == 8, "it was wanted a moment ago"
    wait_for(lambda: m.pool()["workers"]["total"] == 1)
    starts = len(events(m, "worker.start"))
    assert starts == 8 and any("surplus for the whole idle_timeout" in d for d in m.pool()["decisions"])


def test_min_0_starts_on_the_first_connection_and_returns_to_nothing(fcgipm):
    m = fcgipm("pools:" + pool(workers="min: 0, max: 4, idle_timeout: 1s")).ready()
    assert m.pool()["state"] == "sleeping" and m.pids() == []
    for _ in range(2):
        assert request(m.socket(), "").startswith(b"pid=")
        wait_for(lambda: m.pool()["state"] == "sleeping")
        assert m.pool()["workers"]["total"] == 0


def test_concurrency_counts_as_that_many_requests_a_worker(fcgipm):
    m = fcgipm("pools:" + pool(workers="min: 1, max: 16, spare: 0, concurrency: 4, idle_timeout: 1s")).ready()
    with Load(m.socket(), "sleep=500", clients=8, limit=0):  # what waits is worth a quarter of a worker each; at 1 it would be eight
        time.sleep(0.25)
        assert 2 <= m.pool()["workers"]["total"] <= 6


def test_a_greedy_pool_keeps_nobody_at_none(fcgipm):
    """Who wins: everybody comes to its workers.min (to one, where that is 0) first; beyond it who came first keeps what it has."""
    text = "manager: {runtime_directory: @RUN@, max_workers: 6}\npools:" + pool("greedy", "min: 1, max: 50") + pool("asleep", "min: 0, max: 3, idle_timeout: 1s")
    m = fcgipm(text).ready()
    with Load(m.socket("greedy"), "sleep=50", clients=16) as l:
        wait_for(lambda: m.pool("greedy")["workers"]["total"] == 6)
        assert request(m.socket("asleep"), "").startswith(b"pid=")
        wait_for(lambda: m.pool("asleep")["state"] == "sleeping" and m.pool("greedy")["workers"]["total"] == 6)
        m.write(text + pool("new", "min: 2, max: 2"))
        m.cli("reload", check=0)
        wait_for(lambda: len(m.pids("new")) == 2)
        assert m.pool("greedy")["workers"]["total"] - m.pool("greedy")["workers"]["retiring"] == 4
        assert m.status()["manager"]["workers"] <= 6
        l.wait(20)
    assert not l.failures
    assert any("given up to a pool below its workers.min" in d for d in m.pool("greedy")["decisions"])
    begun, over = events(m, "pool.held", pool="greedy"), events(m, "pool.has_room", pool="greedy")
    wait_for(lambda: len(events(m, "pool.has_room", pool="greedy")) == len(events(m, "pool.held", pool="greedy")))
    assert begun and len(begun) - len(over) <= 1 and m.pool("greedy")["held_ms"] > 0


def test_no_pool_with_demand_stays_below_its_min(fcgipm):
    m = fcgipm("manager: {runtime_directory: @RUN@, max_workers: 5}\npools:" + "".join(pool(f"p{i}", "min: 2, max: 9") for i in range(4)))
    m.event("manager.go")
    wait_for(lambda: sorted(p["workers"]["total"] for p in m.status()["pools"]) == [1, 1, 1, 2])


@pytest.mark.parametrize("alarm,begin,end,counter", (("at_max", "pool.at_max", "pool.below_max", "at_max_ms"),
                                                     ("slow_boot", "pool.slow_boot", "pool.booted", "slow_boot_ms"),
                                                     ("crashing", "pool.crashing", "pool.recovered", "crashing_ms"),
                                                     ("queue_full", "pool.queue_full", "pool.queue_has_room", None)))
def test_an_alarm_is_an_event_with_an_end_a_state_and_a_number(fcgipm, place, alarm, begin, end, counter):
    (place / "apps/slow").write_text("#!/bin/sh\nsleep 2\nexec " + str(place / "apps/app") + "\n")
    (place / "apps/slow").chmod(0o755)
    (place / "gate").touch()
    m = fcgipm("pools:" + {
        "crashing": pool(workers="min: 0, max: 2", extra="restart: {max_delay: 500ms}").replace(
            "[@DIR@/apps/app]", f"[/bin/sh, -c, 'test ! -e {place}/gate && exec @DIR@/apps/app']"),
        "at_max": pool(workers="min: 1, max: 2"),
        "slow_boot": pool(workers="min: 0, max: 2").replace("apps/app]", "apps/slow]"),
        "queue_full": pool(workers="min: 1, max: 1", extra="queue: {limit: 2}"),
    }[alarm]).ready()
    with Load(m.socket(), "sleep=500", clients=8, limit=0) as l:
        m.event(begin, pool="app")
        status = m.pool()
        assert alarm in status["alarms"]
        (place / "gate").unlink()
    m.event(end, pool="app")
    assert l.served == 8 and not l.failures
    assert len(events(m, begin)) == len(events(m, end)) == 1
    wait_for(lambda: m.pool()["alarms"] == [])
    assert (m.pool()[counter] if counter else m.pool()["queue"]["full_ms"]) > 0


def test_a_slow_boot_after_a_crash_that_is_over_is_no_crashing(fcgipm, place):
    (place / "apps/slow").write_text("#!/bin/sh\nsleep 2\nexec " + str(place / "apps/app") + "\n")
    (place / "apps/slow").chmod(0o755)
    m = fcgipm("pools:" + pool(workers="min: 0, max: 1, idle_timeout: 200ms, start: exec").replace("apps/app]", "apps/slow]")).ready()
    request(m.socket(), "")
    os.kill(m.pids()[0], signal.SIGKILL)
    m.event("pool.backoff")
    request(m.socket(), "")
    wait_for(lambda: m.pool()["state"] == "sleeping")
    request(m.socket(), "")
    assert not events(m, "pool.crashing") and events(m, "pool.slow_boot")


def switches(pid):
    return sum(int(n) for task in Path(f"/proc/{pid}/task").iterdir() for n in re.findall(r"ctxt_switches:\s+(\d+)", (task / "status").read_text()))


def test_5000_idle_pools_make_no_context_switch_in_5_seconds(fcgipm):
    count = 200 if ASAN else 5000
    m = fcgipm("manager: {runtime_directory: @RUN@}\ndefaults: {workers: {min: 0, max: 4}}\npools:\n" +
               "".join(f"  p{i}: {{command: [@DIR@/apps/app], user: nobody}}\n" for i in range(count)))
    m.event("ready", timeout=60)
    pids = (m.launcher_pid, m.manager_pid)
    before, now = None, [switches(p) for p in pids]
    while before != now:  # the looks after the start
        time.sleep(1)
        before, now = now, [switches(p) for p in pids]
    time.sleep(5)
    assert [switches(p) for p in pids] == before

