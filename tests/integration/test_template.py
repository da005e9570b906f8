"""The life of templates: what they are forked from (docs/prefork.md)."""
import ctypes
import os
import re
import signal
import time

import pytest

import fcgi
from conftest import children_of, comm, state, wait_for


def pool(workers, extra="", command="[@DIR@/apps/app]"):
    return f"""
pools:
  app:
    command: {command}
    user: nobody
    workers: {{{workers}}}
    {extra}
"""


def templates(m):
    return [int(e["pid"]) for e in m.events if e["event"] == "template.ready"]


def is_there(pid):
    try:
        return state(pid) != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_workers_are_children_of_the_launcher_with_a_session_of_their_own(fcgipm):
    m = fcgipm(pool("min: 3, max: 3")).ready()
    template, = templates(m)
    told = m.pool()["template"]
    assert told["pid"] == template and told["age_ms"] >= 0 and told["memory_bytes"] > 100_000
    for pid in m.pids():
        assert pid in children_of(m.launcher_pid) and os.getsid(pid) == pid
        assert os.stat(f"/proc/{pid}").st_uid == os.stat(f"/proc/{template}").st_uid != 0
    assert template not in m.pids() and m.pool()["workers"]["total"] == 3


def test_a_new_worker_looks_up_nothing_of_the_librarys(fcgipm, place):
    """Each symbol that is looked up in a worker costs it a page of every library of the application (docs/measured.md)."""
    said = place / "said"
    said.mkdir()
    said.chmod(0o777)
    m = fcgipm(pool("min: 3, max: 3", extra=f"environment: {{LD_DEBUG: symbols, LD_DEBUG_OUTPUT: {said}/ld}}")).ready()
    template, = templates(m)
    lines = (said / f"ld.{template}").read_text().splitlines()
    assert any("symbol=Perl_eval_pv" in line for line in lines), "the template has looked"
    for name in ("dlsym", "Perl_eval_pv", "send", "sendto", "setsid", "dup2", "dup3", "close", "syscall"):
        where = {int(pid) for pid, symbol in re.findall(r"^ *(\d+):\s+symbol=(\w+);", "\n".join(lines), re.M) if symbol == name}
        assert not where & set(m.pids()), name


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_worker_has_an_output_of_its_own_where_its_application_has_closed_that(fcgipm, closed):
    """The template's may end: who wrote to that would, too."""
    m = fcgipm(pool("min: 1, max: 1", command=f"[/bin/sh, -c, 'exec @DIR@/apps/app {closed}']")).ready()
    template, = templates(m)
    os.kill(template, signal.SIGKILL)
    m.event("template.exit")
    worker, = m.pids()
    fcgi.request(m.socket(), "stderr=heard")
    assert m.event("worker.output", text="heard")["pid"] == str(worker)
    assert m.pids() == [worker]


def test_a_template_that_dies_is_booted_again_and_workers_stay(fcgipm):
    m = fcgipm(pool("min: 2, max: 4")).ready()
    workers, seen = m.pids(), len(m.events)
    os.kill(templates(m)[0], signal.SIGKILL)
    assert m.event("template.exit", after=seen)["asked"] == "0"
    m.event("template.ready", after=seen)
    assert m.pids() == workers
    with fcgi.Load(m.socket(), "sleep=50", clients=4) as load:
        wait_for(lambda: m.pool()["workers"]["total"] == 4)
    assert not load.failures and set(workers) <= set(m.pids())


def test_a_template_that_does_not_fork_in_time_is_followed_by_another(fcgipm):
    m = fcgipm(pool("min: 2, max: 8")).ready()
    m.expected_errors.add("worker.start_failed")
    hangs, = templates(m)
    workers = set(m.pids())
    os.kill(hangs, signal.SIGSTOP)
    m.cli("scale", "app", "--min", "6", "--no-wait")
    assert m.event("template.lost", timeout=20)["pid"] == str(hangs)  # orders are given up after five seconds
    wait_for(lambda: m.pool()["workers"]["total"] == 6)
    assert workers <= set(m.pids()) and m.pool()["start"] == "prefork"
    wait_for(lambda: set(children_of(m.launcher_pid)) == {m.manager_pid, templates(m)[-1], *m.pids()}, message=lambda: f"{children_of(m.launcher_pid)} {m.pids()}")


PTRACE_CONT, PTRACE_SYSCALL, PTRACE_DETACH, PTRACE_GETEVENTMSG, PTRACE_SEIZE = 7, 24, 17, 0x4201, 0x4206
TRACE_VFORK, TRACE_CLONE, TRACE_EXEC = 4, 8, 16
VFORKED, CLONED, EXECED = (signal.SIGTRAP | event << 8 for event in (2, 3, 4))
WALL = 0x40000000  # of waitpid(2): others' children that are traced, too


def trace(request, pid, data=None):
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.ptrace(ctypes.c_long(request), ctypes.c_long(pid), None, ctypes.c_void_p(data) if isinstance(data, int) else data) == 0, os.strerror(ctypes.get_errno())


def born(parent):
    """The pid of the process that a traced one has just made; it is traced, too, and stands still."""
    new = ctypes.c_ulong()
    trace(PTRACE_GETEVENTMSG, parent, ctypes.byref(new))
    stopped(new.value)
    trace(PTRACE_DETACH, parent)
    return new.value


def stopped(pid):
    """How a traced process has stopped, waited for."""
    return wait_for(lambda: os.waitpid(pid, WALL | os.WNOHANG)[1]) >> 8


def test_who_has_not_come_when_the_template_has_died_ends(fcgipm):
    """Out of its session by then, and not known to anybody yet."""
    m = fcgipm(pool("min: 1, max: 4", command="[@DIR@/apps/direct]")).ready()
    template, = templates(m)
    seen = len(m.events)
    trace(PTRACE_SEIZE, template, TRACE_CLONE)
    m.cli("scale", "app", "--min", "2", "--no-wait")
    assert stopped(template) == CLONED
    new = born(template)
    while os.getsid(new) != new:
        trace(PTRACE_SYSCALL, new)
        stopped(new)
    os.kill(template, signal.SIGKILL)
    m.event("template.exit", after=seen)
    trace(PTRACE_DETACH, new)
    wait_for(lambda: not is_there(new), message="it serves, and nobody knows of it")
    m.event("template.ready", after=seen)
    wait_for(lambda: m.pool()["workers"]["idle"] == 2)
    wait_for(lambda: set(children_of(m.launcher_pid)) == {m.manager_pid, templates(m)[-1], *m.pids()}, message=lambda: f"{children_of(m.launcher_pid)} {m.pids()}")


def test_who_came_in_time_stays_though_the_launcher_stood_still(fcgipm):
    """Something else is the first thing that it hears."""
    m = fcgipm(pool("min: 1, max: 4")).ready()
    template, = templates(m)
    os.kill(template, signal.SIGSTOP)
    m.cli("scale", "app", "--min", "3", "--no-wait")
    wait_for(lambda: m.pool()["workers"]["booting"] == 2)
    wait_for(lambda: state(m.launcher_pid) == "S")
    overdue = time.monotonic() + 5.5
    os.kill(m.launcher_pid, signal.SIGSTOP)
    m.cli("scale", "app", "--min", "4", "--no-wait")
    wait_for(lambda: m.pool()["workers"]["booting"] == 3)
    os.kill(template, signal.SIGCONT)
    held = [fcgi.begin(m.socket(), "sleep=7000", body=True) for _ in range(3)]
    wait_for(lambda: time.monotonic() > overdue)
    os.kill(m.launcher_pid, signal.SIGCONT)
    served = {fcgi.read_answer(s)[1] for s in held}
    wait_for(lambda: m.pool()["workers"]["idle"] == 4)
    assert len(served) == 3 and not [e for e in m.events if e["event"] in ("template.lost", "template.refused")]
    for s in held:
        s.close()


def test_who_was_started_in_time_stays_though_the_launcher_stood_still(fcgipm):
    m = fcgipm(pool("min: 1, max: 3, start: exec")).ready()
    trace(PTRACE_SEIZE, m.launcher_pid, TRACE_VFORK | TRACE_EXEC)
    m.cli("scale", "app", "--min", "2", "--no-wait")
    assert stopped(m.launcher_pid) == VFORKED
    new = born(m.launcher_pid)
    trace(PTRACE_CONT, new)
    assert stopped(new) == EXECED  # as fcgipm-start
    m.event("worker.start", pid=new)
    overdue = time.monotonic() + 5.5
    os.kill(m.launcher_pid, signal.SIGSTOP)
    m.cli("scale", "app", "--min", "3", "--no-wait")
    wait_for(lambda: m.pool()["workers"]["booting"] == 2)
    trace(PTRACE_DETACH, new)
    held = [fcgi.begin(m.socket(), "sleep=7000", body=True) for _ in range(2)]
    wait_for(lambda: time.monotonic() > overdue)
    os.kill(m.launcher_pid, signal.SIGCONT)
    assert len({fcgi.read_answer(s)[1] for s in held}) == 2
    wait_for(lambda: m.pool()["workers"]["idle"] == 3)
    for s in held:
        s.close()


def test_who_came_before_the_template_died_is_a_worker(fcgipm):
    m = fcgipm(pool("min: 2, max: 8")).ready()
    template, = templates(m)
    seen = len(m.events)
    os.kill(template, signal.SIGSTOP)
    m.cli("scale", "app", "--min", "6", "--no-wait")
    wait_for(lambda: m.pool()["workers"]["booting"] == 4)
    wait_for(lambda: state(m.launcher_pid) == "S")  # the template has its orders
    os.kill(m.launcher_pid, signal.SIGSTOP)
    os.kill(template, signal.SIGCONT)
    wait_for(lambda: sum(comm(p) == "app" and os.getsid(p) == p for p in children_of(m.launcher_pid)) == 1 + 6)  # each has said that it has come
    os.kill(template, signal.SIGKILL)
    wait_for(lambda: not is_there(template))
    os.kill(m.launcher_pid, signal.SIGCONT)
    m.event("template.ready", after=seen)
    wait_for(lambda: m.pool()["workers"]["total"] == 6)
    wait_for(lambda: set(children_of(m.launcher_pid)) == {m.manager_pid, templates(m)[-1], *m.pids()}, message=lambda: f"{children_of(m.launcher_pid)} {m.pids()}")


def test_who_came_before_the_template_died_with_orders_is_a_worker(fcgipm):
    """Of those that it has not read, the kernel says so first."""
    m = fcgipm(pool("min: 1, max: 8", "environment: {WAY: slow}", "[@DIR@/apps/direct]")).ready()
    template, = templates(m)
    before = set(children_of(m.launcher_pid))
    os.kill(template, signal.SIGSTOP)
    m.cli("scale", "app", "--min", "4", "--no-wait")
    wait_for(lambda: m.pool()["workers"]["booting"] == 3)
    wait_for(lambda: state(m.launcher_pid) == "S")
    os.kill(m.launcher_pid, signal.SIGSTOP)
    os.kill(template, signal.SIGCONT)
    wait_for(lambda: len(children_of(m.launcher_pid)) == len(before) + 1)
    new, = set(children_of(m.launcher_pid)) - before
    wait_for(lambda: state(new) == "S")  # in accept: it has said that it has come
    os.kill(template, signal.SIGKILL)
    wait_for(lambda: not is_there(template))
    os.kill(m.launcher_pid, signal.SIGCONT)
    wait_for(lambda: m.pool()["workers"]["idle"] == 4)
    wait_for(lambda: set(children_of(m.launcher_pid)) == {m.manager_pid, templates(m)[-1], *m.pids()}, message=lambda: f"{children_of(m.launcher_pid)} {m.pids()}")


def between_managers(m):
    """The first manager dies with three orders at a template that holds still; to be continued by the second."""
    template, = templates(m)
    seen = len(m.events)
    os.kill(template, signal.SIGSTOP)
    m.cli("scale", "app", "--min", "4", "--no-wait")
    wait_for(lambda: m.pool()["workers"]["booting"] == 3)
    os.kill(m.manager_pid, signal.SIGKILL)
    m.event("manager.go", after=seen)
    wait_for(lambda: m.pool()["workers"]["booting"] == 3)
    return template


def test_who_comes_after_its_manager_has_died_has_a_line_of_its_own(fcgipm):
    m = fcgipm(pool("min: 1, max: 12")).ready()
    os.kill(between_managers(m), signal.SIGCONT)
    wait_for(lambda: m.pool()["workers"]["total"] >= 4 and m.pool()["workers"]["booting"] == 0)
    workers = m.pids()
    assert set(children_of(m.launcher_pid)) == {m.manager_pid, *templates(m), *workers}
    busy = [fcgi.begin(m.socket()) for _ in workers]  # each waits for the end of a body
    wait_for(lambda: m.pool()["workers"]["busy"] == len(workers), message=lambda: f"of {len(workers)} busy: {m.pool()['workers']}")
    for one in busy:
        one.close()
    for _ in range(40):
        fcgi.request(m.socket(), "")
    wait_for(lambda: m.pool()["served"] == 40 + len(workers), message=lambda: m.pool()["served"])
    assert len(workers) == 4, "the second manager asks for none in their place"


def test_who_does_not_come_after_its_manager_has_died_holds_nothing(fcgipm):
    """Neither a look nor a signal goes anywhere before there is somebody."""
    m = fcgipm(pool("min: 1, max: 12", "stop: {busy_signal: TERM}")).ready()
    template = between_managers(m)
    m.cli("stop", "app", check=0)
    assert not is_there(template) and m.pool()["workers"]["total"] == 0
    m.cli("start", "app", check=0)
    wait_for(lambda: m.pool()["workers"]["idle"] == 4)


def test_another_manager_says_nothing_of_a_template_that_is_ready(fcgipm):
    m = fcgipm(pool("min: 2, max: 4")).ready()
    m.expected_errors.add("manager.died")
    seen = len(m.events)
    os.kill(m.manager_pid, signal.SIGKILL)
    assert m.event("manager.died", after=seen)["workers"] == "2", "a template is none"
    m.event("manager.go", after=seen)
    assert m.pool()["start"] == "prefork" and m.pool()["workers"]["total"] == 2
    assert len(templates(m)) == 1


def test_a_restart_forks_from_a_new_template_and_ends_the_old(fcgipm):
    m = fcgipm(pool("min: 2, max: 4")).ready()
    workers = set(m.pids())
    with fcgi.Load(m.socket(), "sleep=5", clients=4) as load:
        for _ in range(3):
            load.wait(50)
            m.cli("restart", "app", check=0)
    assert not load.failures
    assert not workers & set(m.pids())
    old = templates(m)[:-1]
    assert len(old) == 3
    wait_for(lambda: not any(map(is_there, old)))
    assert is_there(templates(m)[-1])


def held_back(place, workers, extra=""):
    """A pool that boots only while there is no file `slow`."""
    return pool(f"{workers}, boot_timeout: 30s", extra, command=f"[/bin/sh, -c, 'while [ -e {place}/slow ]; do sleep 0.02; done; exec {place}/apps/app']")


@pytest.mark.parametrize("how,most", [("restart", 4), ("reload", 3)])
def test_while_a_new_template_boots_the_old_one_still_gives_what_a_load_wants(fcgipm, place, how, most):
    """It may take its time, or hang.  What the load wants and no more, as many as the old configuration permits."""
    m = fcgipm(held_back(place, f"min: 1, max: {most if how == 'reload' else 40}")).ready()
    old, = templates(m)
    (place / "slow").touch()
    m.write(held_back(place, "min: 1, max: 40", 'umask: "0077"'))
    m.cli(*(["restart", "app"] if how == "restart" else ["reload"]), "--no-wait", check=0)
    with fcgi.Load(m.socket(), "sleep=100", clients=4) as load:
        wait_for(lambda: len(m.pids()) >= most)
        load.wait(40)
        assert len(m.pids()) <= (most if how == "reload" else most + 2) and templates(m) == [old]  # a request may wait while an answer is still closed
        (place / "slow").unlink()
        m.event("pool.replaced")
        wait_for(lambda: len(templates(m)) == 2 and not is_there(old))
        load.wait(20)
    assert not load.failures


def test_an_old_template_that_hangs_holds_no_new_one_back(fcgipm, place):
    m = fcgipm(held_back(place, "min: 1, max: 8", "restart: {give_up_after: 2}")).ready()
    (place / "slow").touch()
    os.kill(templates(m)[0], signal.SIGSTOP)
    m.cli("restart", "app", "--no-wait", check=0)
    with fcgi.Load(m.socket(), "sleep=100", clients=4) as load:
        wait_for(lambda: m.pool()["workers"]["booting"] > 0)
        wait_for(lambda: m.pool()["workers"]["booting"] == 0)  # orders are given up after five seconds
        load.wait(5)
        (place / "slow").unlink()
        m.event("pool.replaced")
        load.wait(20)
    assert not load.failures and not [e for e in m.events if e["event"] == "pool.backoff"]


def test_a_reload_whose_template_does_not_boot_leaves_the_old_one_serving(fcgipm, place):
    m = fcgipm(pool("min: 2, max: 3, start: prefork, boot_timeout: 2s")).ready()
    workers = set(m.pids())
    m.expected_errors.update({"pool.replace_failed", "reload.pool_failed"})
    m.write(pool("min: 2, max: 3, start: prefork, boot_timeout: 2s", command="[/bin/false]"))
    with fcgi.Load(m.socket(), "sleep=5", clients=2) as load:
        assert m.cli("reload").returncode != 0
        load.wait(50)
    assert not load.failures and workers <= set(m.pids())
    assert is_there(templates(m)[0])


def test_a_template_is_renewed_when_it_is_old(fcgipm):
    m = fcgipm(pool("min: 2, max: 2, template_lifetime: 1s")).ready()
    workers = m.pids()
    wait_for(lambda: len(templates(m)) >= 3)
    assert m.pids() == workers, "workers stay"
    wait_for(lambda: not is_there(templates(m)[0]))


def test_a_renewal_that_fails_holds_no_fork_back(fcgipm, place):
    """The template that is ready goes on."""
    gate = place / "gate"
    command = f"[/bin/sh, -c, 'test ! -e {gate} && exec @DIR@/apps/app']"
    m = fcgipm(pool("min: 1, max: 4, template_lifetime: 500ms", "restart: {delay: 10s, max_delay: 20s}", command)).ready()
    gate.touch()
    failed = m.event("template.exit", asked="0")
    begun = time.monotonic()
    with fcgi.Load(m.socket(), "sleep=300", clients=4, limit=0) as load:
        wait_for(lambda: m.pool()["workers"]["total"] == 4)
    assert not load.failures and time.monotonic() - begun < 5
    assert m.pool()["notes"] == [] and failed["level"] == "warn"
    gate.unlink()


@pytest.mark.skipif(not os.environ.get("RUN_SOAK"), reason="a minute: make soak")
def test_a_template_that_has_doubled_its_memory_is_renewed(fcgipm):
    """It is measured once a minute."""
    m = fcgipm(pool("min: 1, max: 1", "environment: {GROW: \"8\"}", "[@DIR@/apps/forked]")).ready()
    time.sleep(61)
    for _ in range(2):
        worker, = m.pids()
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda gone=worker: m.pids() not in ([], [gone]))
    wait_for(lambda: len(templates(m)) == 2)
    assert len(m.pids()) == 1
    wait_for(lambda: not is_there(templates(m)[0]))


@pytest.mark.parametrize("template", ["keep", "drop"])
def test_a_sleeping_pool_keeps_or_drops_its_template(fcgipm, template):
    m = fcgipm(pool(f"min: 0, max: 2, idle_timeout: 500ms, template: {template}")).ready()
    assert fcgi.request(m.socket(), "").startswith(b"pid=")
    pid = templates(m)[0]
    wait_for(lambda: m.pool()["state"] == "sleeping")
    if template == "drop":
        wait_for(lambda: not is_there(pid))
    else:
        time.sleep(0.5)
        assert is_there(pid)
    assert fcgi.request(m.socket(), "").startswith(b"pid=")
    assert len(set(templates(m))) == (2 if template == "drop" else 1)


def test_the_next_manager_forks_from_the_same_template(fcgipm):
    m = fcgipm(pool("min: 1, max: 4")).ready()
    template, seen, workers = templates(m)[0], len(m.events), m.pids()
    m.expected_errors.add("manager.died")
    os.kill(m.manager_pid, signal.SIGKILL)
    m.event("manager.go", after=seen)
    m.cli("scale", "app", "--min", 3, check=0)
    assert set(workers) < set(m.pids()) and len(m.pids()) == 3
    assert is_there(template) and not [e for e in m.events[seen:] if e["event"] == "template.start"]
    assert m.pool()["start"] == "prefork"


def test_a_manager_that_comes_in_the_middle_of_a_restart_knows_which_way_the_pool_goes(fcgipm):
    m = fcgipm(pool("min: 1, max: 4", 'environment: {INIT: "1.5"}', "[/usr/bin/python3, @DIR@/apps/slow.py]")).ready()
    m.expected_errors.add("manager.died")
    seen = len(m.events)
    m.cli("restart", "app", "--no-wait", check=0)
    m.event("template.ready", after=seen)
    os.kill(m.manager_pid, signal.SIGKILL)
    m.event("pool.replaced", after=seen)
    assert m.pool()["start"] == "prefork" and m.pool()["start_reason"] == "workers are forked from a template that has booted"


def test_a_stopped_pool_has_no_template(fcgipm):
    m = fcgipm(pool("min: 1, max: 2")).ready()
    m.cli("stop", "app", check=0)
    wait_for(lambda: not is_there(templates(m)[0]))
    m.cli("start", "app", check=0)
    assert fcgi.request(m.socket(), "").startswith(b"pid=")
    assert len(templates(m)) == 2


def slow(workers, environment, extra=""):
    return pool(workers, f"environment: {{{environment}}}\n    {extra}", "[/usr/bin/python3, @DIR@/apps/slow.py]")


@pytest.mark.parametrize("how", ["restart", "reload"])
@pytest.mark.parametrize("environment,extra", [('INIT: "1"', ""), ('BOOT: "1", NOTES: ""', ""), ('BOOT: "1", NOTES: ""', "stop: {timeout: 0s}")])
def test_a_restart_while_another_boots_takes_its_place_and_workers_stay(fcgipm, how, environment, extra):
    """Whose template is ready and its workers are not, or boots and does not heed its signal.  Of two old templates the one stays that workers can be forked from."""
    m = fcgipm(slow("min: 2, max: 4", environment, extra)).ready()
    workers, seen = m.pids(), len(m.events)
    m.write(slow("min: 2, max: 4", environment, f'umask: "0077"\n    {extra}'))
    m.cli(*(["restart", "app"] if how == "restart" else ["reload"]), "--no-wait", check=0)
    m.event("template.ready" if "INIT" in environment else "template.start", after=seen)
    time.sleep(0.3)
    seen = len(m.events)
    m.cli("restart", "app", "--no-wait", check=0)
    while not [e for e in m.events[seen:] if e["event"] == "pool.replaced"]:
        assert fcgi.request(m.socket(), "", timeout=5).startswith(b"pid=")
        assert set(workers) <= set(m.pids()) or [e for e in m.events[seen:] if e["event"] == "pool.replaced"]
        time.sleep(0.05)
    assert not [e for e in m.events if e["event"] == "manager.refused"]
    wait_for(lambda: set(children_of(m.launcher_pid)) == {m.manager_pid, templates(m)[-1], *m.pids()} and len(m.pids()) == 2)
    assert not set(workers) & set(m.pids())


def test_a_restart_while_a_renewal_boots_takes_its_place_and_workers_stay(fcgipm):
    m = fcgipm(slow("min: 2, max: 4, template_lifetime: 1s", 'BOOT: "1.2", NOTES: ""')).ready()
    workers, seen = m.pids(), len(m.events)
    m.event("template.start", after=seen)
    m.cli("restart", "app", "--no-wait", check=0)
    for _ in range(4):
        assert m.pids() == workers
        time.sleep(0.1)
    m.event("pool.replaced")
    assert not [e for e in m.events if e["event"] == "manager.refused"]


def test_a_reload_that_lowers_max_below_what_runs_boots_a_template(fcgipm):
    m = fcgipm(pool("min: 10, max: 20")).ready()
    old = m.pids()
    m.write(pool("min: 1, max: 4", 'umask: "0077"'))
    m.cli("reload", check=0, timeout=20)
    assert not set(old) & set(m.pids()) and 1 <= len(m.pids()) <= 4
    assert not [e for e in m.events if e["event"] == "manager.refused"]


def test_after_a_restart_in_place_of_another_has_failed_the_pool_goes_as_before(fcgipm, place):
    m = fcgipm(pool("min: 1, max: 2", command=f"[/bin/sh, -c, 'sleep 0.7; test -e {place}/bad && exit 3; exec {place}/apps/app']")).ready()
    m.expected_errors.add("pool.replace_failed")
    (place / "bad").touch()
    seen = len(m.events)
    m.cli("restart", "app", "--no-wait", check=0)
    m.event("template.start", after=seen)
    m.cli("restart", "app", "--no-wait", check=0)
    m.event("pool.replace_failed")
    assert m.pool()["start"] == "prefork" and m.pool()["start_reason"] == "workers are forked from a template that has booted"


def test_a_stop_ends_a_template_that_boots(fcgipm):
    """Whatever that makes of signals."""
    m = fcgipm(slow("min: 1, max: 2", 'BOOT: "30", NOTES: ""'))
    m.event("template.start")
    time.sleep(0.3)
    m.cli("stop", "app", check=0)
    assert children_of(m.launcher_pid) == [m.manager_pid], "what the command says is done"


@pytest.mark.parametrize("start", ["prefork", "exec"])
def test_a_boot_is_over_when_the_application_waits(fcgipm, place, start):
    m = fcgipm(pool(f"min: 2, max: 2, start: {start}", f"environment: {{BOOT_GATE: {place}/gate}}", "[/usr/bin/python3, @DIR@/apps/loop.py]"))
    m.event("listener.bound")
    time.sleep(1)
    shown = m.pool()
    assert shown["state"] == "starting" and shown["workers"]["idle"] == 0
    (place / "gate").touch()
    m.ready()
    wait_for(lambda: m.pool()["workers"]["idle"] == 2)


@pytest.mark.parametrize("start", ["prefork", "exec"])
def test_boot_timeout_counts_to_the_first_accept(fcgipm, place, start):
    m = fcgipm(pool(f"min: 1, max: 1, start: {start}, boot_timeout: 700ms", f"environment: {{BOOT_GATE: {place}/gate}}\n    restart: {{delay: 100ms}}",
                    "[/usr/bin/python3, @DIR@/apps/loop.py]"))
    m.expected_errors.add("pool.failed")
    m.event("worker.boot_timeout")
    (place / "gate").touch()
    assert fcgi.request(m.socket(), "").startswith(b"pid=")
