"""What the scoreboard is good for: exact counts, limits by request, connections that are gone or kept (docs/prefork.md)."""
import collections
import os
import select
import signal
import struct
import time

import pytest

import fcgi
from conftest import children_of, state, wait_for

STARTS = ["prefork", "exec"]  # the library keeps the board in both


def pool(start, workers, extra="", command="[@DIR@/apps/app]"):
    return f"""
pools:
  app:
    command: {command}
    user: nobody
    workers: {{start: {start}, {workers}}}
    {extra}
"""


def pid_of(answer):
    return int(answer.split(b"pid=")[1])


@pytest.mark.parametrize("start", STARTS)
def test_busy_is_counted_exactly(fcgipm, start):
    m = fcgipm(pool(start, "min: 5, max: 5")).ready()
    held = [fcgi.begin(m.socket(), "sleep=1500", body=True) for _ in range(3)]
    wait_for(lambda: m.pool()["workers"]["busy"] == 3)
    assert m.pool()["workers"]["idle"] == 2
    for s in held:
        fcgi.read_answer(s)
        s.close()
    wait_for(lambda: m.pool()["workers"]["idle"] == 5)
    shown = m.pool()
    assert (shown["workers"]["busy"], shown["served"]) == (0, 3)


def slow(workers, environment, extra=""):
    return pool("auto", workers, f"environment: {{{environment}}}\n    {extra}", "[/usr/bin/python3, @DIR@/apps/slow.py]")


@pytest.mark.parametrize("count", [1, 4])
def test_workers_that_take_their_time_to_end_are_neither_spare_nor_busy(fcgipm, count):
    """They were told while they were idle: who waits meanwhile gets new workers as ever."""
    m = fcgipm(slow(f"min: {count}, max: {3 * count}", 'END: "30"', "stop: {timeout: 4s}")).ready()
    m.cli("restart", "app", "--no-wait", check=0)
    m.event("pool.replaced")
    wait_for(lambda: m.pool()["workers"]["retiring"] == count)
    wait_for(lambda: m.pool()["workers"]["idle"] == count)
    held = [fcgi.begin(m.socket(), "sleep=20000", body=True) for _ in range(count)]
    wait_for(lambda: m.pool()["workers"]["busy"] == count)
    with fcgi.Load(m.socket(), "sleep=1", clients=count + 1, limit=0) as load:
        load.wait(count + 1)
        assert m.pool()["workers"]["retiring"] == count, "served before these had ended"
    for s in held:
        s.close()
    m.kill(signal.SIGTERM)
    m.event("launcher.stopping")
    m.kill(signal.SIGTERM)  # and waits for nobody
    m.process.wait(10)


@pytest.mark.parametrize("start", STARTS)
def test_max_requests_is_exact_and_loses_nothing(fcgipm, start):
    m = fcgipm(pool(start, "min: 2, max: 4, max_requests: 7")).ready()
    with fcgi.Load(m.socket(), "sleep=1", clients=8) as load:
        load.wait(300)
    assert not load.failures
    assert len(load.pids) >= load.served / 7
    counts = collections.Counter(pid_of(fcgi.request(m.socket(), "sleep=0")) for _ in range(60))
    assert max(counts.values()) <= 7, counts
    assert sorted(counts.values())[-3:] == [7, 7, 7], counts
    assert not [e for e in m.events if e["event"] == "worker.exit" and e["end"] not in ("asked", "normal")]


@pytest.mark.parametrize("start", STARTS)
def test_the_next_worker_comes_before_the_last_request_does(fcgipm, start):
    m = fcgipm(pool(start, "min: 1, max: 1, max_requests: 5")).ready()
    first, = m.pids()
    for _ in range(4):
        wait_for(lambda: m.pool()["workers"]["idle"] == 1)
        assert m.pids() == [first]
        seen = len(m.events)
        fcgi.request(m.socket(), "")
    m.event("worker.start", after=seen, timeout=5)  # (to ask for the status is to have the board looked at)
    assert not [e for e in m.events if e["event"] == "worker.exit"]


@pytest.mark.parametrize("start", STARTS)
def test_the_worker_behind_one_of_one_request_comes_while_that_is_served(fcgipm, start):
    m = fcgipm(pool(start, "min: 1, max: 1, max_requests: 1")).ready()
    fcgi.request(m.socket(), "sleep=1000")  # whatever the first may have waited for
    wait_for(lambda: m.pool()["workers"]["idle"] == 1)
    seen = len(m.events)
    with fcgi.begin(m.socket(), "sleep=3000", body=True):
        m.event("worker.start", after=seen, timeout=2.5)


@pytest.mark.parametrize("start", STARTS)
def test_max_requests_is_exact_where_one_asks_at_a_time(fcgipm, start):
    m = fcgipm(pool(start, "min: 1, max: 4, max_requests: 10")).ready()
    pids = [pid_of(fcgi.request(m.socket(), "")) for _ in range(45)]
    counts = collections.Counter(pids)
    gone = counts.keys() - set(m.pids())
    assert len(gone) >= 2 and {counts[pid] for pid in gone} == {10}, counts
    wait_for(lambda: m.pool()["restarts"]["requests"] == len(counts.keys() - set(m.pids())))
    assert m.pool()["restarts"]["lifetime"] == 0


def test_workers_at_their_last_request_do_not_pile_up(fcgipm):
    m = fcgipm(pool("prefork", "min: 1, max: 8, max_requests: 3, idle_timeout: 1s")).ready()
    with fcgi.Load(m.socket(), "sleep=200", clients=7, limit=0):
        pass
    for _ in range(12):
        fcgi.request(m.socket(), "")
    wait_for(lambda: m.pool()["workers"]["total"] == 1)


@pytest.mark.parametrize("start", STARTS)
def test_workers_of_one_request_wait_for_it(fcgipm, start):
    m = fcgipm(pool(start, "min: 1, max: 4, max_requests: 1")).ready()
    worker, = m.pids()
    time.sleep(1)  # nothing is to happen, and nothing says so
    assert m.pids() == [worker]
    assert len({fcgi.request(m.socket(), "") for _ in range(5)}) == 5
    wait_for(lambda: m.pool()["restarts"]["requests"] == 5)


@pytest.mark.parametrize("start", STARTS)
def test_a_request_beyond_its_timeout_is_ended_and_others_go_on(fcgipm, start):
    m = fcgipm(pool(start, "min: 2, max: 2", "request: {timeout: 600ms}")).ready()
    with pytest.raises((fcgi.Broken, ConnectionError)):
        fcgi.request(m.socket(), "sleep=20000")
    assert int(m.event("request.timeout")["ms"]) >= 600
    assert fcgi.request(m.socket(), "sleep=300").startswith(b"pid=")
    wait_for(lambda: m.pool()["workers"]["idle"] == 2)
    assert m.pool()["restarts"]["timeout"] == 1


@pytest.mark.parametrize("start", STARTS)
def test_each_request_of_a_kept_connection_has_its_timeout(fcgipm, start):
    m = fcgipm(pool(start, "min: 1, max: 1", "request: {timeout: 600ms}", "[/usr/bin/python3, @DIR@/apps/bitten.py]")).ready()
    with fcgi.connect(m.socket()) as s:
        s.sendall(REQUEST)
        read_to_end(s)
        wait_for(lambda: m.pool()["workers"]["busy"] == 0)
        time.sleep(1)  # and nobody looks any more
        s.sendall(REQUEST[:-1])
        m.event("request.timeout", timeout=10)


def test_a_timeout_cuts_no_request_but_the_one_that_is_over_it(fcgipm):
    """The next one may have begun between the manager's look and the launcher's signal."""
    m = fcgipm(slow("min: 1, max: 1", "", "request: {timeout: 2s}")).ready()
    late = fcgi.begin(m.socket(), "sleep=3000", body=True)
    after = fcgi.begin(m.socket(), "sleep=500", body=True)
    wait_for(lambda: state(m.launcher_pid) == "S")
    os.kill(m.launcher_pid, signal.SIGSTOP)
    try:
        assert fcgi.read_answer(late)[1].startswith(b"pid="), "nobody could end it in time"
        late.close()
        time.sleep(0.1)
    finally:
        os.kill(m.launcher_pid, signal.SIGCONT)
    assert fcgi.read_answer(after)[1].startswith(b"pid=")
    after.close()
    assert not [e for e in m.events if e["event"] == "request.timeout"]
    with pytest.raises((fcgi.Broken, ConnectionError)):
        fcgi.request(m.socket(), "sleep=60000")


def test_no_request_is_older_than_its_worker(fcgipm):
    """Whatever that writes: else it would be ended and started again without end."""
    m = fcgipm(slow("min: 1, max: 1", "", "request: {timeout: 2s}")).ready()
    begun = time.monotonic()
    with pytest.raises((fcgi.Broken, ConnectionError)):
        fcgi.request(m.socket(), "since=1&sleep=60000")
    assert 1500 <= int(m.event("request.timeout")["ms"]) <= 1000 * (time.monotonic() - begun + 10)


def test_limits_that_a_reload_lowers_hold_for_requests_under_way_and_for_new_ones(fcgipm):
    m = fcgipm(pool("auto", "min: 2, max: 2", "request: {timeout: 1h}")).ready()
    worker = set(m.pids())
    old = fcgi.begin(m.socket(), "sleep=60000", body=True)
    wait_for(lambda: m.pool()["workers"]["busy"] == 1)
    time.sleep(0.5)
    m.write(pool("auto", "min: 2, max: 2", "request: {timeout: 1s}"))
    m.cli("reload", check=0)
    assert int(m.event("request.timeout", timeout=10)["pid"]) in worker
    old.close()
    with pytest.raises((fcgi.Broken, ConnectionError)):
        fcgi.request(m.socket(), "sleep=60000")


def cpu_s(pid):
    fields = open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_bell_that_a_worker_shuts_down_is_heard_of_once(fcgipm):
    """Then the pool is looked at from outside: it grows, and limits of requests hold."""
    m = fcgipm(slow("min: 1, max: 4", "", "request: {timeout: 3s}")).ready()
    fcgi.request(m.socket(), "end=bell")
    m.event("pool.deaf")
    m.cli("restart", "app", check=0)
    begun = cpu_s(m.manager_pid)
    time.sleep(2)
    assert cpu_s(m.manager_pid) - begun < 1, "it does not spin"
    held = fcgi.begin(m.socket(), "sleep=60000", body=True)
    assert fcgi.request(m.socket(), "", timeout=10).startswith(b"pid=")
    m.event("request.timeout", timeout=10)
    held.close()
    assert sum(e["event"] == "pool.deaf" for e in m.events) == 1


def test_requests_beyond_their_timeout_hold_no_pool_back(fcgipm):
    """Whoever asks for something slow again and again costs a worker each time, and nothing else: it is no crash."""
    m = fcgipm(pool("auto", "min: 1, max: 2", "request: {timeout: 100ms}\n    restart: {delay: 20s, give_up_after: 2}")).ready()
    for _ in range(4):
        with pytest.raises((fcgi.Broken, ConnectionError)):
            fcgi.request(m.socket(), "sleep=20000")
        assert fcgi.request(m.socket(), "sleep=1", timeout=10).startswith(b"pid=")
    shown = m.pool()
    assert shown["state"] == "ready" and shown["restarts"]["timeout"] == 4 and "request.timeout" in shown["last_error"]
    assert not [e for e in m.events if e["event"] == "pool.backoff"]


def test_a_slow_request_is_an_event_of_its_own(fcgipm):
    m = fcgipm(pool("auto", "min: 1, max: 1", "request: {slow: 300ms}")).ready()
    answer = fcgi.request(m.socket(), "sleep=1200")
    said = m.event("request.slow")
    assert int(said["pid"]) == pid_of(answer) and int(said["ms"]) >= 300 and "stack" in said
    fcgi.request(m.socket(), "sleep=10")
    fcgi.request(m.socket(), "sleep=700")
    wait_for(lambda: len([e for e in m.events if e["event"] == "request.slow"]) == 2, message="once a request")


@pytest.mark.parametrize("start", STARTS)
def test_a_worker_that_has_grown_goes_between_two_requests(fcgipm, start):
    m = fcgipm(pool(start, "min: 1, max: 2, max_memory: 60M", command="[/usr/bin/python3, @DIR@/apps/forked.py]")).ready()
    pid = pid_of(fcgi.request(m.socket(), "grow"))
    with fcgi.Load(m.socket(), "wait", clients=3) as load:
        m.event("worker.max_memory", pid=pid)
        m.event("worker.exit", pid=pid)
    assert not load.failures


def test_a_worker_that_came_too_large_goes_only_when_it_has_served(fcgipm):
    """Another one would be as large."""
    m = fcgipm(pool("prefork", "min: 1, max: 1, max_memory: 1K")).ready()
    pid, = m.pids()
    fcgi.request(m.socket(), "sleep=100")
    m.event("worker.max_memory", pid=pid)
    replacement, = wait_for(lambda: pids if len(pids := m.pids()) == 1 and pids != [pid] else None)
    time.sleep(1.5)  # it is measured every second
    assert m.pids() == [replacement] and len([e for e in m.events if e["event"] == "worker.max_memory"]) == 1


@pytest.mark.parametrize("start", STARTS)
def test_who_has_gone_while_queued_is_not_served_but_counted(fcgipm, start):
    m = fcgipm(pool(start, "min: 1, max: 1")).ready()
    held = fcgi.begin(m.socket(), "sleep=1500", body=True)
    wait_for(lambda: m.pool()["workers"]["busy"] == 1)
    for _ in range(25):
        fcgi.begin(m.socket(), "sleep=20000", body=True).close()
    fcgi.read_answer(held)
    held.close()
    assert fcgi.request(m.socket(), "sleep=0", timeout=10).startswith(b"pid=")
    wait_for(lambda: m.pool()["abandoned"] == 25)
    assert m.pool()["served"] == 2


def record(kind, body=b"", padding=0):
    return struct.pack(">BBHHBB", 1, kind, 1, len(body), padding, 0) + body + bytes(padding)


REQUEST = record(1, struct.pack(">HB5x", 1, 1)) + record(4) + record(5)


def keep(address, query=""):
    """A connection whose first request is answered, and that stays."""
    s = fcgi.begin(address, query, keep=True, body=True)
    read_to_end(s)
    return s


def read_to_end(s):
    data = b""
    while not data.endswith(record(3, bytes(8))):
        more = s.recv(65536)
        assert more, data
        data += more


@pytest.mark.parametrize("start", STARTS)
def test_a_kept_connection_without_a_request_is_not_busy(fcgipm, start):
    m = fcgipm(pool(start, "min: 2, max: 2")).ready()
    s = keep(m.socket())
    wait_for(lambda: m.pool()["workers"]["busy"] == 0)
    assert m.pool()["served"] == 1
    s.close()
    wait_for(lambda: m.pool()["workers"]["idle"] == 2)


@pytest.mark.parametrize("start", STARTS)
def test_who_polls_a_kept_connection_before_reading_is_not_busy(fcgipm, start):
    m = fcgipm(pool(start, "min: 1, max: 1", "environment: {POLL: x}\n    request: {timeout: 1s}", command="[/usr/bin/python3, @DIR@/apps/bitten.py]")).ready()
    worker, = m.pids()
    with fcgi.connect(m.socket()) as s:
        for _ in range(2):
            s.sendall(REQUEST)
            read_to_end(s)
            wait_for(lambda: m.pool()["workers"]["busy"] == 0)
            time.sleep(1.5)
    assert m.pids() == [worker] and m.pool()["served"] == 2


@pytest.mark.parametrize("start", STARTS)
def test_workers_of_one_request_are_no_crashes(fcgipm, start):
    """They may have served it before anybody looked."""
    m = fcgipm(pool(start, "min: 2, max: 6, max_requests: 1")).ready()
    with fcgi.Load(m.socket(), "", clients=4) as load:
        load.wait(100)
    assert not load.failures and not [e for e in m.events if e["event"] == "pool.backoff"]
    assert m.pool()["restarts"]["signal"] == 0


def test_requests_are_told_apart_however_their_bytes_come(fcgipm):
    """Three requests read by 1 to 40 bytes, with bodies that look like ends: one count a request, and rest only behind its end."""
    m = fcgipm(pool("exec", "min: 1, max: 1", command="[/usr/bin/python3, @DIR@/apps/bitten.py]")).ready()
    begin, end = record(1, struct.pack(">HB5x", 1, 1)), struct.pack(">BBHHBB", 1, 5, 2, 0, 0, 0)  # end: of another request, which its application knows
    requests = [begin + record(4, b"x" * 200, 5) + record(4) + record(5),
                begin + record(4) + record(5, end + b"y", 7) + record(5, record(1, bytes(8)) + end) + record(5),
                begin + record(4, end, 255) + record(4) + record(5, b"z" * 70 + end) + record(5)]
    for bite in range(1, 41):
        with fcgi.connect(m.socket()) as s:
            for i, request in enumerate(requests):
                s.sendall(request)
                read_to_end(s)
                wait_for(lambda: m.pool()["workers"]["busy"] == 0)
                assert m.pool()["served"] == (bite - 1) * len(requests) + i + 1, (bite, i)


def test_requests_of_a_kept_connection_wake_nobody(fcgipm):
    """Nor beyond workers.max_requests, which cannot hold as long as that is open."""
    m = fcgipm(pool("auto", "min: 2, max: 4, max_requests: 5", command="[/usr/bin/python3, @DIR@/apps/bitten.py]")).ready()
    with fcgi.connect(m.socket()) as s:
        for _ in range(10):
            s.sendall(REQUEST)
            read_to_end(s)
        time.sleep(0.5)
        before = switches(m.manager_pid)
        for _ in range(300):
            s.sendall(REQUEST)
            read_to_end(s)
        assert switches(m.manager_pid) - before < 10


def test_a_worker_that_a_kept_connection_pins_while_others_queue_is_reported(fcgipm):
    m = fcgipm(pool("auto", "min: 1, max: 1")).ready()
    s = keep(m.socket())
    waiting = fcgi.begin(m.socket(), body=True)
    said = m.event("worker.pinned", timeout=10)
    assert int(said["queued"]) == 1 and int(said["pid"]) in m.pids()
    s.close()
    fcgi.read_answer(waiting)
    waiting.close()


@pytest.mark.parametrize("start", STARTS)
def test_a_kept_connection_is_closed_when_others_queue_and_nobody_is_idle(fcgipm, start):
    m = fcgipm(pool(start, "min: 2, max: 2", "request: {keep_timeout: 300ms}")).ready()
    kept = [keep(m.socket()), keep(m.socket())]
    time.sleep(1)
    assert not any(select.select(kept, [], [], 0)[0]), "nobody queues: they stay"
    kept[0].sendall(REQUEST)
    read_to_end(kept[0])
    begun = time.monotonic()
    assert fcgi.request(m.socket(), "").startswith(b"pid=")
    assert time.monotonic() - begun < 5
    closed = select.select(kept, [], [], 5)[0]
    assert closed and all(s.recv(1) == b"" for s in closed)
    for s in kept:
        s.close()
    wait_for(lambda: m.pool()["workers"]["idle"] == 2)
    assert m.pool()["served"] == 4


def test_a_kept_connection_stays_where_a_worker_is_idle_or_no_limit_is_set(fcgipm):
    m = fcgipm(pool("auto", "min: 3, max: 3", "request: {keep_timeout: 50ms}")).ready()
    kept = [keep(m.socket())]
    with fcgi.Load(m.socket(), "sleep=1", clients=1) as load:
        load.wait(500)
    assert not load.failures and not select.select(kept, [], [], 0)[0]
    m.write(pool("auto", "min: 3, max: 3"))
    m.cli("reload", check=0)
    kept[0].sendall(REQUEST)
    read_to_end(kept[0])
    kept += [keep(m.socket()), keep(m.socket())]
    waiting = fcgi.begin(m.socket(), body=True)
    m.event("worker.pinned", timeout=10)
    assert not select.select(kept, [], [], 0)[0]
    for s in kept:
        s.close()
    fcgi.read_answer(waiting)
    waiting.close()


def switches(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)


def test_requests_wake_nobody_while_workers_are_spare(fcgipm):
    m = fcgipm(pool("auto", "min: 4, max: 8, spare: 1")).ready()
    fcgi.request(m.socket(), "")
    time.sleep(1)
    before = switches(m.manager_pid)
    for _ in range(1000):
        fcgi.request(m.socket(), "")
    woken = switches(m.manager_pid) - before
    assert woken < 50, f"{woken} context switches of the manager for 1000 requests"
    assert m.pool()["served"] == 1001


def end_with_the_manager(m, worker):
    """Neither hears of the other's end; then there is another manager."""
    seen, manager = len(m.events), m.manager_pid
    wait_for(lambda: state(m.launcher_pid) == "S")
    os.kill(m.launcher_pid, signal.SIGSTOP)
    os.kill(manager, signal.SIGKILL)
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: state(worker) == state(manager) == "Z")
    os.kill(m.launcher_pid, signal.SIGCONT)
    m.event("manager.go", after=seen)


@pytest.mark.parametrize("count", [1, 2])
def test_what_a_worker_has_served_that_ends_while_there_is_no_manager_counts(fcgipm, count):
    """Once, whichever line of the board it had, and also when the next manager ends before anybody has asked it."""
    m = fcgipm(slow(f"min: {count}, max: {count}", "")).ready()
    m.expected_errors.add("manager.died")
    m.cli("restart", "app", check=0)
    for _ in range(5):
        all_ = [fcgi.begin(m.socket(), "sleep=200", body=True) for _ in range(count)]
        for s in all_:
            fcgi.read_answer(s)
            s.close()
    template = int([e for e in m.events if e["event"] == "template.ready"][-1]["pid"])
    end_with_the_manager(m, [p for p in children_of(m.launcher_pid) if p not in (m.manager_pid, template)][-1])  # no status: it would count them
    wait_for(lambda: len(children_of(m.launcher_pid)) == 2 + count)
    seen = len(m.events)
    os.kill(m.manager_pid, signal.SIGKILL)
    m.event("manager.go", after=seen)
    wait_for(lambda: m.pool()["workers"]["idle"] == count)
    assert m.pool()["served"] == 5 * count
    for _ in range(5):
        fcgi.request(m.socket(), "")
    wait_for(lambda: m.pool()["served"] == 5 * count + 5)


def test_the_time_of_a_request_that_was_cut_ends_with_it(fcgipm):
    """However many managers come after it."""
    m = fcgipm(slow("min: 1, max: 1", "")).ready()
    m.expected_errors.add("manager.died")
    held = fcgi.begin(m.socket(), "sleep=60000", body=True)
    time.sleep(0.3)
    os.kill(m.pids()[0], signal.SIGKILL)
    held.close()
    m.event("worker.exit")
    m.cli("stop", "app", check=0)
    time.sleep(2)
    seen = len(m.events)
    os.kill(m.manager_pid, signal.SIGKILL)
    m.event("manager.go", after=seen)
    assert m.pool()["busy_ms"] < 1500


def test_the_counts_outlive_the_manager(fcgipm):
    m = fcgipm(pool("auto", "min: 2, max: 2")).ready()
    for _ in range(9):
        fcgi.request(m.socket(), "")
    assert m.pool()["served"] == 9
    seen = len(m.events)
    m.expected_errors.add("manager.died")
    os.kill(m.manager_pid, signal.SIGKILL)
    m.event("manager.go", after=seen)
    fcgi.request(m.socket(), "")
    wait_for(lambda: m.pool()["served"] == 10)
