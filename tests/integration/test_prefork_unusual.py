"""What is unusual in an application stays as it is without the library, and what cannot be forked goes by exec (docs/prefork.md)."""
import os
import re
import signal
import subprocess
import time

import pytest

import fcgi
from conftest import BUILD, children_of, comm, needs_root, wait_for
from test_scoreboard import REQUEST, read_to_end

STARTS = ["prefork", "exec"]


def pool(command, workers="min: 1, max: 1", environment="", extra=""):
    return f"""
pools:
  app:
    command: {command}
    user: nobody
    environment: {{{environment}}}
    workers: {{{workers}}}
    {extra}
"""


def unusual(way, workers="min: 1, max: 1", extra="", **more):
    variables = ", ".join(f"{name}: {value}" for name, value in {"WAY": way, **more}.items())
    return pool("[/usr/bin/python3, @DIR@/apps/unusual.py]", workers, variables, extra)


def direct(way, workers="min: 2, max: 2"):
    return pool("[@DIR@/apps/direct]", workers, f"WAY: {way}")


def template(m):
    return int([e for e in m.events if e["event"] == "template.ready"][-1]["pid"])


def named(name, parent):
    return {pid for pid in children_of(parent) if comm(pid) == name}


def said(m):
    return [e["text"] for e in m.events if e["event"] == "worker.output"]


# ---- containers ----

CONTAINER = [BUILD / "tests/apps/contained", "clone3=ENOSYS", "unshare=EPERM", "--"]


@needs_root
@pytest.mark.parametrize("way,start,why", [("accept", "prefork", "template"), ("thread", "exec", "several threads")])
def test_a_container_that_forbids_calls_changes_nothing(fcgipm, way, start, why):
    m = fcgipm(direct(way), wrap=CONTAINER).ready()
    assert fcgi.request(m.socket(), "").startswith(b"pid=")
    shown = m.pool()
    assert shown["start"] == start and why in shown["start_reason"] and shown["workers"]["total"] == 2, shown


# ---- templates whose workers do not live ----

def test_where_forked_workers_die_the_pool_goes_by_exec(fcgipm):
    m = fcgipm(pool("[@DIR@/apps/direct]", "min: 2, max: 2", "WAY: abort", "restart: {delay: 10ms}")).ready()
    lost = 0
    while m.pool()["start"] == "prefork":
        try:
            fcgi.request(m.socket(), "", timeout=10)
        except (fcgi.Broken, OSError):
            lost += 1
        assert lost <= 10
    assert "do not live" in m.event("pool.exec")["why"] and "signal ABRT" in m.pool()["start_reason"]
    assert len([e for e in m.events if e["event"] == "template.lost"]) == 2
    wait_for(lambda: m.pool()["workers"]["idle"] == 2)
    assert fcgi.request(m.socket(), "").startswith(b"pid=")


@pytest.mark.skipif(not os.environ.get("RUN_SOAK"), reason="minutes: make soak")
def test_where_a_template_does_not_fork_the_pool_goes_by_exec(fcgipm):
    m = fcgipm(direct("hang"))
    m.expected_errors.add("worker.start_failed")
    assert "did not fork in time" in m.event("pool.exec", timeout=60)["why"]
    assert fcgi.request(m.socket(), "").startswith(b"pid=")


def test_a_template_that_has_no_room_to_fork_says_so_and_goes_on(fcgipm, accounts):
    """A limit of processes that is used up is no crash, whatever was wanted at once."""
    text = pool("[@DIR@/apps/direct]", "min: 4, max: 8, start: auto", extra="limits: {nproc: 3}\n    restart: {give_up_after: 3}")
    m = fcgipm(text.replace("user: nobody", f"user: {accounts[0].pw_name}"))
    m.expected_errors.add("worker.start_failed")
    assert "the template cannot fork: Resource temporarily unavailable" in m.event("worker.start_failed")["error"]
    with fcgi.Load(m.socket(), "", clients=4) as load:  # more is wanted all the time
        load.wait(300)
    assert not load.failures
    wait_for(lambda: m.pool()["workers"]["idle"] == 2)
    shown = m.pool()
    assert "cannot fork" in shown["last_error"] and shown["start"] == "prefork" and shown["workers"]["total"] <= 4, shown
    assert len([e for e in m.events if e["event"] == "worker.start_failed"]) == 1


@pytest.mark.skipif(not os.environ.get("RUN_SOAK"), reason="minutes: make soak")
def test_a_template_that_takes_its_time_is_waited_for(fcgipm):
    m = fcgipm(direct("slow", "min: 16, max: 16"))
    m.event("template.ready")
    wait_for(lambda: m.pool()["workers"]["idle"] == 16, timeout=40)
    assert not [e for e in m.events if e["event"] in ("template.lost", "worker.start_failed")]


# ---- signals ----

@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGUSR1])
def test_what_a_signal_leaves_in_a_template_no_worker_has(fcgipm, signo):
    """php-cgi notes TERM and USR1 and ends after its next request."""
    m = fcgipm(pool("[/usr/bin/php-cgi]", environment='PHP_FCGI_MAX_REQUESTS: "0"')).ready()
    old, seen = template(m), len(m.events)
    os.kill(old, signo)
    if signo == signal.SIGTERM:
        m.event("template.ready", after=seen)
    os.kill(m.pids()[0], signal.SIGKILL)
    m.event("worker.start", after=seen)
    answers = {fcgi.request(m.socket(), "", script=str(m.place / "apps/app.php")) for _ in range(6)}
    assert len(answers) == 1, answers


def test_what_a_signal_leaves_in_a_ruby_template_no_worker_has(fcgipm):
    m = fcgipm(pool("[/usr/bin/ruby, @DIR@/apps/trap.rb]")).ready()
    seen = len(m.events)
    os.kill(template(m), signal.SIGUSR1)
    os.kill(m.pids()[0], signal.SIGKILL)
    m.event("worker.start", after=seen)
    assert fcgi.request(m.socket(), "") == b"noted=0\n"
    os.kill(m.pids()[0], signal.SIGUSR1)
    wait_for(lambda: fcgi.request(m.socket(), "") == b"noted=1\n")


def test_a_forked_worker_has_the_signals_of_the_application(fcgipm):
    m = fcgipm(direct("accept")).ready()
    for pid in m.pids():
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            masks = dict(line.split(":\t") for line in status.read().splitlines() if line.startswith(("SigBlk", "SigPnd", "ShdPnd")))
        assert {int(mask, 16) for mask in masks.values()} == {0}, masks


@pytest.mark.parametrize("way", ["pipe", "signalfd", "mask"])
@pytest.mark.parametrize("start", STARTS)
def test_who_learns_of_a_signal_by_what_it_polls_goes_at_once(fcgipm, start, way):
    """Between two requests it gives itself the signal and its call ends with EINTR, once."""
    m = fcgipm(pool("[@DIR@/apps/direct]", f"min: 1, max: 2, max_requests: 3, start: {start}", f"WAY: {way}", "stop: {timeout: 60s}")).ready()
    with fcgi.Load(m.socket(), "", clients=2) as load:
        load.wait(12)
    assert not load.failures
    wait_for(lambda: len([e for e in m.events if e["event"] == "worker.exit"]) >= 3)
    begun = time.monotonic()
    m.cli("restart", "app", check=0)
    assert time.monotonic() - begun < 30


def test_an_end_in_a_thread_of_its_own_is_waited_for(fcgipm):
    """Its signal is blocked in the thread that accepts, where it would be the end without a word."""
    m = fcgipm(pool("[@DIR@/apps/direct]", "min: 1, max: 1, max_requests: 2, start: exec", "WAY: sigwait")).ready()
    for _ in range(2):
        fcgi.request(m.socket(), "")
    assert m.event("worker.exit")["code"] == "0" and said(m) == ["in order"]


def test_a_worker_that_is_told_to_stop_while_it_is_forked_stops(fcgipm):
    """Until a language's fork has returned, it forgets what came."""
    m = fcgipm(unusual("signal", "min: 8, max: 8", "stop: {timeout: 60s}"))
    m.event("template.ready")
    m.cli("stop", "app", check=0)
    wait_for(lambda: m.pool()["state"] == "stopped", timeout=30)
    assert not named("python3", m.launcher_pid)


# ---- processes of its own ----

def test_a_handler_for_forks_may_start_a_process(fcgipm):
    """It has the worker for a parent, and is in its session."""
    m = fcgipm(unusual("helper", "min: 2, max: 2")).ready()
    assert m.pool()["start"] == "prefork"
    wait_for(lambda: m.pool()["workers"]["idle"] == 2)
    answers = dict(map(int, re.findall(rb"\d+", fcgi.request(m.socket(), ""))) for _ in range(20))
    assert set(answers) == set(m.pids()) and 0 not in answers.values()
    for worker, helper in answers.items():
        assert helper in children_of(worker) and os.getsid(helper) == worker
    m.cli("restart", "app", check=0)
    wait_for(lambda: not [h for h in answers.values() if os.path.exists(f"/proc/{h}")])


def test_a_handler_before_forks_may_start_a_process(fcgipm):
    m = fcgipm(unusual("before", "min: 2, max: 2")).ready()
    assert {int(fcgi.request(m.socket(), "")[4:]) for _ in range(20)} == set(m.pids())
    assert m.pool()["start"] == "prefork"
    os.kill(m.pids()[0], signal.SIGKILL)
    wait_for(lambda: m.pool()["workers"]["idle"] == 2)


ONCE_NO_ROOM = b"""
#include <errno.h>
#include <stdarg.h>
#include <sys/syscall.h>
long syscall(long n, ...)
{
	static int clones;
	va_list v;
	va_start(v, n);
	long a = va_arg(v, long), b = va_arg(v, long), c = va_arg(v, long), r;
	register long d __asm__("r10") = va_arg(v, long), e __asm__("r8") = va_arg(v, long), f __asm__("r9") = va_arg(v, long);
	va_end(v);
	if (n == SYS_clone && ++clones == 2)
		return errno = EAGAIN, -1;
	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(d), "r"(e), "r"(f) : "rcx", "r11", "memory");
	return r >= 0 || r < -4095 ? r : (errno = (int)-r, -1);
}
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="not x86-64")
def test_where_ruby_forks_once_more_there_is_one_template(fcgipm, place):
    """It does that by itself, a second later, where there was no room."""
    subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-o", place / "once.so", "-"], input=ONCE_NO_ROOM, check=True)
    m = fcgipm(pool(f"[/usr/bin/env, LD_PRELOAD={place}/once.so, /usr/bin/ruby, @DIR@/apps/trap.rb]", "min: 3, max: 3")).ready()
    wait_for(lambda: m.pool()["workers"]["idle"] == 3)
    assert not [e for e in m.events if e["event"] in ("worker.start_failed", "template.lost", "child.unknown")]
    assert named("ruby", m.launcher_pid) == {template(m), *m.pids()} and not children_of(template(m))


# ---- threads ----

def test_a_ruby_application_whose_threads_accept_is_not_forked(fcgipm):
    """(Ruby handles TERM in its main thread, and the others accept until it has ended.)"""
    m = fcgipm(pool("[/usr/bin/ruby, @DIR@/apps/threads.rb]", "min: 2, max: 2", extra="stop: {signal: KILL}")).ready()
    assert "several threads of the application wait" in m.pool()["start_reason"]
    with fcgi.Load(m.socket(), "", clients=6) as load:
        load.wait(60)
        m.cli("restart", "app", check=0)
    assert not load.failures
    assert b"threads=4" in fcgi.request(m.socket(), "")


@pytest.mark.parametrize("start", ["auto", "exec"])
def test_a_thread_beside_the_one_that_accepts_takes_no_count_away(fcgipm, start):
    m = fcgipm(unusual("thread", f"min: 2, max: 4, max_requests: 3, start: {start}", "request: {timeout: 1s}")).ready()
    pids = {fcgi.request(m.socket(), "") for _ in range(12)}
    assert len(pids) >= 4, "max_requests holds"
    assert m.pool()["served"] == 12
    begun = time.monotonic()
    with pytest.raises((fcgi.Broken, OSError)):
        fcgi.request(m.socket(), "long", timeout=10)
    assert time.monotonic() - begun < 5 and m.event("request.timeout")


# ---- output ----

@pytest.mark.parametrize("start", STARTS)
def test_what_an_application_has_put_in_place_of_its_output_stays(fcgipm, place, start):
    log = place / "log"
    log.touch()
    log.chmod(0o666)
    m = fcgipm(unusual("log", f"min: 1, max: 1, start: {start}", LOG=log)).ready()
    fcgi.request(m.socket(), "")
    assert log.read_text() == f"from worker {m.pids()[0]}\n"
    assert not said(m)


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_the_output_of_a_worker_is_inherited(fcgipm, closed):
    m = fcgipm(pool(f"[/bin/sh, -c, 'exec @DIR@/apps/app {closed}']")).ready()
    worker, = m.pids()
    for fd in (1, 2):
        with open(f"/proc/{worker}/fdinfo/{fd}", encoding="ascii") as info:
            assert not int(next(line.split()[1] for line in info if line.startswith("flags")), 8) & os.O_CLOEXEC


# ---- reads that are not to wait ----

def answered_once(m):
    s = fcgi.begin(m.socket(), "", keep=True, body=True)
    read_to_end(s)
    return s


@pytest.mark.parametrize("start", STARTS)
def test_a_read_that_is_not_to_wait_does_not(fcgipm, start):
    m = fcgipm(unusual("dontwait", f"min: 1, max: 1, start: {start}", "request: {keep_timeout: 2s}")).ready()
    with answered_once(m) as s:
        assert m.event("worker.output")["text"] == "nothing after 0.0 s"
        s.sendall(REQUEST)
        read_to_end(s)


def test_a_limit_of_the_applications_for_its_reads_holds(fcgipm):
    m = fcgipm(unusual("limit", extra="request: {keep_timeout: 300ms}")).ready()
    with answered_once(m):
        assert m.event("worker.output")["text"].startswith("limit after 1.")


# ---- what is not the application ----

@pytest.mark.parametrize("start", ["auto", "exec"])
def test_a_descriptor_that_a_wrapper_hands_on_is_handed_on(fcgipm, start):
    """Number 5 is the first that is free in a worker that is not a template, and the template's."""
    m = fcgipm(pool("[/bin/sh, -c, 'exec 5>/dev/null; exec @DIR@/apps/app']", f"min: 1, max: 1, start: {start}")).ready()
    assert fcgi.request(m.socket(), "").startswith(b"pid=") and m.pool()["start"] == "exec"
    with open(f"/proc/{m.pids()[0]}/fdinfo/5", encoding="ascii") as info:
        assert not int(next(line.split()[1] for line in info if line.startswith("flags")), 8) & os.O_CLOEXEC


@pytest.mark.parametrize("start", STARTS)
def test_an_exec_that_fails_says_why(fcgipm, start):
    m = fcgipm(pool("[/bin/sh, -c, 'exec /nowhere/app']", f"min: 1, max: 1, start: {start}", extra="restart: {delay: 100ms}"))
    m.expected_errors.add("pool.failed")
    wait_for(lambda: any("/nowhere/app" in text for text in said(m)))
    assert all("not found" in text for text in said(m)), said(m)


def test_however_much_a_wrapper_preloads_is_preloaded(fcgipm, place):
    library = place / "libother.so"
    subprocess.run(["gcc", "-shared", "-x", "c", "-o", library, "-"], input=b"int other;\n", check=True)
    names = ":".join(["/nowhere/" + "n" * 200] * 30 + [str(library)])
    m = fcgipm(pool("[/bin/sh, -c, 'exec @DIR@/apps/app 2>/dev/null']")).ready()
    m.write(pool(f"[/bin/sh, -c, 'export LD_PRELOAD={names}; exec 2>/dev/null; exec @DIR@/apps/app']"))
    m.cli("reload", check=0)
    with open(f"/proc/{m.pids()[0]}/maps", encoding="ascii") as maps:
        assert "libother.so" in maps.read()


@pytest.mark.parametrize("wrapper", ["[/bin/sh, -c, 'export LD_PRELOAD={library}; exec @DIR@/apps/app']", "[/usr/bin/env, LD_PRELOAD={library}, @DIR@/apps/app]"])
def test_what_a_wrapper_preloads_is_preloaded(fcgipm, place, wrapper):
    library = place / "libother.so"
    subprocess.run(["gcc", "-shared", "-x", "c", "-o", library, "-"], input=b"int other;\n", check=True)
    m = fcgipm(pool(wrapper.format(library=library))).ready()
    assert m.pool()["start"] == "prefork"
    with open(f"/proc/{m.pids()[0]}/maps", encoding="ascii") as maps:
        text = maps.read()
    assert "libother.so" in text and "libfcgipm-prefork.so" in text


def static(place, child, extra=""):
    subprocess.run(["gcc", "-static", "-D_GNU_SOURCE", "-o", place / "parent", place / "apps/parent.c"], check=True)
    return pool("[@DIR@/parent]", "min: 1, max: 1", f"CHILD: '{child}'", extra)


def test_a_child_of_an_application_without_the_library_is_no_template(fcgipm, place):
    m = fcgipm(static(place, "/usr/bin/python3 -c \"import select; print(len(select.select([0], [], [], 0.2)[0]))\"")).ready()
    assert fcgi.request(m.socket(), "", timeout=10) == b"0\n"


def test_where_the_library_is_not_nothing_is_said_of_requests(fcgipm, place):
    m = fcgipm(static(place, "true", "request: {timeout: 1s}")).ready()
    for _ in range(3):
        fcgi.request(m.socket(), "")
    shown = m.pool()
    assert (shown["served"], shown["busy_ms"], shown["abandoned"]) == (None, None, None)
    assert any("do not hold: the library is not in" in note for note in shown["notes"]), shown["notes"]
