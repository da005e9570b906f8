"""fcgipm top, driven by keys on a terminal: what it shows is what status --json says, and however it ends the terminal is as it was."""
import os
import re
import signal
import subprocess
import termios

import pytest
from apps import pool
from conftest import BUILD, needs_root, wait_for
from terminal import Terminal
from test_status import cells, command, table

MANY = 200 if "asan" in str(BUILD) else 5000
HOSTILE = r"\033]0;owned\007\033[2J\233H"


def top(m, *args, **more):
    return Terminal(command(m, "top", "--delay", "200ms", *args), **more)


def names(screen):
    return [r["POOL"] for r in table(screen)]


def pools(*named):
    return "pools:" + "".join(pool("c", name=n, workers=w) for n, w in named)


def calm(m):
    """Every worker that is wanted waits for requests."""
    wait_for(lambda: all(p["workers"]["idle"] == p["workers"]["min"] for p in m.status()["pools"]))
    return m


@pytest.fixture
def few(fcgipm):
    return calm(fcgipm(pools(("apple", 2), ("banana", 3), ("cherry", 1))).ready())


@pytest.fixture
def many(fcgipm):
    m = fcgipm("manager: {runtime_directory: @RUN@}\ndefaults: {workers: {min: 0, max: 4}}\npools:\n" +
               "".join(f"  p{i:04}: {{command: [@DIR@/apps/app], user: nobody}}\n" for i in range(MANY)))
    m.event("ready", timeout=60)
    return m


def test_shows_what_status_says(few):
    with top(few, columns=120) as t:
        def right(s):
            """All of it: half a picture is not yet what is waited for."""
            rows = {r["POOL"]: r for r in table(s)}
            return list(rows) == ["apple", "banana", "cherry"] and all(
                {k: rows[p["name"]].get(k) for k in cells(p)} == cells(p)
                and rows[p["name"]].get("REQ/S") == ("-" if p["served"] is None else "0") and re.fullmatch(r"\d+(\.\d)?[KMG]", rows[p["name"]].get("MEMORY", ""))
                for p in few.status()["pools"])

        t.until(right)
        t.until(lambda s: f"manager {few.manager_pid}," in s[0] and s[1].startswith("3 pools: 3 ready; 0 waiting, "))
        assert t.colours(" ready") == {"green"}
        few.cli("scale", "cherry", "--min", 2, check=0)
        t.until(lambda s: [r["IDLE"] for r in table(s)] == ["2", "3", "2"])  # it is live
        few.cli("stop", "apple", check=0)
        t.until(lambda s: table(s)[0]["STATE"] == "stopped")
        t.type("q")
        assert t.end() == 0 and t.is_as_before()


def test_sorts(few):
    with top(few, "--sort", "idle") as t:
        t.until(lambda s: names(s) == ["banana", "apple", "cherry"])
        for keys, order in (("r", ["cherry", "apple", "banana"]), ("N", ["apple", "banana", "cherry"]), ("N", ["cherry", "banana", "apple"]),
                            ("I", ["banana", "apple", "cherry"]), ("<<", ["apple", "banana", "cherry"]), (">>", ["banana", "apple", "cherry"])):
            t.type(keys)
            t.until(lambda s, order=order: names(s) == order)


def test_filters(few):
    few.cli("stop", "apple", check=0)
    with top(few) as t:
        t.until(lambda s: len(names(s)) == 3)
        t.type("/an")
        t.until(lambda s: s[2] == "filter: an_" and names(s) == ["banana"])
        t.type("\x7f\x7fstopped\r")
        t.until(lambda s: s[2] == "filter: stopped" and names(s) == ["apple"] and "(1 shown)" in s[1])
        t.type("/zzz\x1b")  # left: as it was before
        t.until(lambda s: s[2] == "filter: stopped" and names(s) == ["apple"])
        t.type("\x1b")
        t.until(lambda s: s[2] == "" and len(names(s)) == 3)
        t.type("t")
        t.until(lambda s: s[2] == "only trouble" and "(0 shown)" in s[1] and not names(s))
        t.type("t")
        t.until(lambda s: len(names(s)) == 3)


def test_detail_of_a_pool(few):
    with top(few, columns=110, lines=24) as t:
        t.shows("banana")
        t.type("j\r")
        screen = "\n".join(t.shows("0 to 3 workers: workers.min"))
        assert re.search(r"^  name +banana$", screen, re.M) and re.search(r"^  alarms +-$", screen, re.M)
        assert " ".join(map(str, few.pids("banana"))) in screen
        t.type("G")
        t.shows("resident memory of its workers")
        t.type("g")
        t.until(lambda s: s[3].startswith("  name "))
        few.write(pools(("apple", 2), ("cherry", 1)))
        few.cli("reload", check=0)
        t.shows("banana: the pool is gone")
        t.type("\x1b")
        t.until(lambda s: names(s) == ["apple", "cherry"])


def test_the_help_names_every_key_of_the_bottom_line(few):
    with top(few, columns=120, lines=50) as t:
        foot = t.until(lambda s: s[-1].startswith("q quit") and s[-1].endswith("r reverse"))[-1]
        t.type("?")
        screen = t.shows("A letter sorts by its column")
        assert all(re.search(rf"^  {re.escape(key.split()[0])} ", "\n".join(screen), re.M) for key in foot.split("  "))
        t.type("?")
        t.shows("POOL")


def test_scrolls_through_thousands(many):
    with top(many, lines=24) as t:
        t.until(lambda s: names(s)[:1] == ["p0000"])
        t.type("G")
        t.until(lambda s: names(s)[-1] == f"p{MANY - 1:04}")
        t.type("\x1b[5~")  # PageUp
        t.type("\r")
        t.shows(f"p{MANY - 19:04}")  # of 19 rows
        t.type("\x1b")
        t.type("\x1bOH")  # Home
        t.until(lambda s: names(s)[:1] == ["p0000"] and len(names(s)) == 19)
        t.type("\x1bOB\x1b[6~")  # Down, PageDown
        t.until(lambda s: names(s)[-1] == "p0019")
        t.type("/42\r")
        t.until(lambda s: set(names(s)) >= {"p0042", "p0142"} and all("42" in n for n in names(s)))
        t.type("q")
        assert t.end() == 0


def test_every_size_of_the_terminal(few):
    with top(few, columns=120) as t:
        t.shows("RESTARTS")
        for columns, lines in ((60, 12), (30, 8), (200, 60), (80, 24)):
            t.resize(columns, lines)
            t.until(lambda s, n=lines: len(s) == n and s[n - 1].startswith("q quit") and s[3].startswith("POOL ")
                    and [line.split()[:1] for line in s[4:7]] == [["apple"], ["banana"], ["cherry"]])
        for columns, lines in ((29, 8), (80, 7), (9, 1), (1, 1)):
            t.resize(columns, lines)
            t.until(lambda s, n=columns: s[0] == "too small"[:n] or s[0] == "too small"[:n - 1] + "~")
        t.resize(80, 24)
        t.shows("POOL")
        t.type("q")
        assert t.end() == 0 and t.is_as_before()


@pytest.mark.parametrize("signo", (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT))
def test_a_signal_ends_it_and_the_terminal_is_as_before(few, signo):
    with top(few) as t:
        t.shows("cherry")
        assert termios.tcgetattr(t.slave) != t.before
        t.signal(signo)
        assert t.end() == -signo and t.is_as_before()


def test_control_c_ends_it(few):
    with top(few) as t:
        t.shows("cherry")
        t.type("\x03")
        assert t.end() == -signal.SIGINT and t.is_as_before()


def test_stopped_and_continued_by_the_shell(few):
    with Terminal(["/bin/bash", "--norc", "-i"], columns=100, lines=20, env={"HISTFILE": ""}) as t:
        state = []

        def look():
            t.type("stty -g | md5sum; echo loo''ked\n")
            t.shows("looked")
            state.append(re.findall(rb"([0-9a-f]{32})  -", t.raw)[-1])
            t.type("clear\n")

        look()
        t.type(" ".join(map(str, command(few, "top"))) + "\n")
        t.until(lambda s: names(s) == ["apple", "banana", "cherry"])
        t.type("\x1a")
        t.shows("Stopped")
        assert t.raw.rfind(b"\x1b[?1049h") < t.raw.rfind(b"\x1b[?1049l")
        look()
        t.resize(80, 15)
        t.type("fg\n")
        t.until(lambda s: s[14].startswith("q quit") and names(s) == ["apple", "banana", "cherry"])
        t.type("q")
        look()
        assert len(set(state)) == 1
        t.type("exit\n")
        assert t.end() == 0


def test_a_terminal_that_goes_ends_it(few):
    t = top(few)
    t.shows("cherry")
    os.close(t.slave)
    os.close(t.master)
    assert t.process.wait(20) in (0, -signal.SIGHUP)


def test_goes_on_when_the_manager_is_killed(few):
    few.expected_errors.add("manager.exit")
    with top(few) as t:
        t.shows("cherry")
        old = few.manager_pid
        os.kill(old, signal.SIGKILL)
        t.shows(f"has taken over from {old}")
        t.until(lambda s: f"manager {few.manager_pid}," in s[0])
        t.type("q")
        assert t.end() == 0 and t.is_as_before()


def test_keys_work_while_the_manager_does_not_answer(few):
    with top(few) as t:
        t.shows("cherry")
        manager = few.manager_pid
        os.kill(manager, signal.SIGSTOP)
        try:
            t.shows("the manager does not answer")
            t.type("/banana\r")
            t.until(lambda s: names(s) == ["banana"])
        finally:
            os.kill(manager, signal.SIGCONT)
        t.until(lambda s: s[2] == "filter: banana")


def test_goes_on_when_fcgipm_is_started_anew(fcgipm):
    m = calm(fcgipm(pools(("apple", 1))).ready())
    with top(m) as t:
        t.shows("apple")
        m.stop()
        t.shows("no manager at ")
        t.shows("apple")  # the last that was known
        m = fcgipm(pools(("apple", 1)))
        t.shows(f"fcgipm was started anew: process {m.launcher_pid}")
        t.signal(signal.SIGTERM)
        assert t.end() == -signal.SIGTERM and t.is_as_before()
    m.stop()  # both had this runtime directory


def test_what_a_worker_says_steers_no_terminal(fcgipm, place):
    (place / "apps/hostile").write_text(f"#!/bin/sh\nprintf '{HOSTILE}\\n' >&2\nexit 7\n")
    (place / "apps/hostile").chmod(0o755)
    m = fcgipm("pools:\n  bad: {command: [@DIR@/apps/hostile], user: nobody, restart: {delay: 10s}, workers: {min: 1}}\n")
    m.event("worker.exit", pool="bad")
    assert "\x1b]0;owned\x07" in (m.pool("bad")["last_error"] or ""), "the test's own premise"
    with top(m, columns=200) as t:
        t.shows("\\x1b]0;owned\\x07\\x1b[2J\\x9bH")
        t.type("\r")
        t.until(lambda s: any(x.startswith("  last_error ") and "\\x1b]0;owned" in x for x in s))
        assert b"\x1b]0;owned" not in t.raw and b"\x9b" not in t.raw


def test_needs_a_terminal(few):
    done = subprocess.run(command(few, "top"), capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 2 and "fcgipm status --watch" in done.stderr and done.stdout == ""


@pytest.mark.parametrize("kind", ("dumb", "", "no-such-terminal"))
def test_needs_a_terminal_that_can_draw(few, kind):
    with top(few, env={"TERM": kind}, columns=150) as t:
        assert t.end() == 2 and t.shows("fcgipm status --watch") and t.is_as_before() and b"\x1b" not in t.raw


def test_no_colour(few):
    with top(few, env={"NO_COLOR": "1"}) as t:
        t.shows("cherry")
        assert t.colours(" ready") == {"default"}


def test_ends_with_3_where_no_manager_is(place):
    with Terminal([BUILD / "bin" / "fcgipm", "-s", place / "none.sock", "top"]) as t:
        assert t.end() == 3 and t.shows("no manager at") and t.is_as_before() and b"\x1b" not in t.raw


@needs_root
def test_ends_with_1_for_who_may_not_look(few):
    with top(few, user=12345) as t:
        assert t.end() == 1 and t.is_as_before()
