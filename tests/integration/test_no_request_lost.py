"""Under constant load from 16 clients on 50 ms requests no request fails and none is cut short, whatever is done to the pool."""
import os
import re
import signal
import time

import pytest
from apps import pool, script
from conftest import needs_root, wait_for
from fcgi import Load

LANGUAGES = ("c", "php", "perl", "ruby")


def load(m, place, language, **more):
    return Load(m.socket(), SCRIPT_FILENAME=script(place, language), **more)


@pytest.mark.parametrize("language", LANGUAGES)
def test_restart_under_load(fcgipm, place, language):
    m = fcgipm("pools:" + pool(language, workers=8)).ready()
    with load(m, place, language) as l:
        for _ in range(3):
            l.wait(40)
            before = set(m.pids())
            m.cli("restart", "app", check=0)
            assert not before & set(m.pids()), "an old worker can still accept"
        l.wait(40)
    assert not l.failures


def changed(language, turn, users):
    """The pool as of that turn: command, environment, limits and user change in turn, and stay changed."""
    command, environment, limits, user = ((turn + 3 - what) // 4 for what in range(4))
    argument = f"-d, x.turn={command}" if language == "php" else f"turn{command}"
    text = re.sub(r"command: \[(.*?)\]", rf"command: [\1, {argument}]", pool(language, workers=8, user=users[user % len(users)]))
    if "environment: {" not in text:
        text += "    environment: {}\n"
    return "pools:" + text.replace("environment: {", f"environment: {{TURN: \"{environment}\", ") + f"    limits: {{nofile: {512 + limits}}}\n"


@needs_root
@pytest.mark.parametrize("language", LANGUAGES)
def test_20_reloads_with_changed_command_environment_limits_and_user(fcgipm, place, accounts, language):
    users = [a.pw_name for a in accounts]
    m = fcgipm(changed(language, 0, users)).ready()
    keys = ["command", "environment", "limits.nofile", "user"]
    with load(m, place, language) as l:
        for turn in range(1, 21):
            l.wait(5)
            m.write(changed(language, turn, users))
            m.cli("reload", check=0)
        l.wait(20)
    assert not l.failures
    assert m.status()["manager"]["generation"] == 21
    assert [e["key"] for e in m.events if e["event"] == "pool.differs"] == keys * 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_scale_up_and_down_under_load(fcgipm, place, language):
    m = fcgipm("pools:" + pool(language, workers=4)).ready()
    with load(m, place, language) as l:
        l.wait(20)
        m.cli("scale", "app", "--min", 8, "--max", 8, check=0)
        assert m.pool()["workers"]["total"] >= 8
        l.wait(40)
        m.cli("scale", "app", "--min", 2, "--max", 2, check=0)
        l.wait(40)
    assert not l.failures
    wait_for(lambda: len(m.pids()) == 2, message="the surplus stays")


@pytest.mark.parametrize("language", LANGUAGES)
def test_max_lifetime_under_load(fcgipm, place, language):
    m = fcgipm("pools:" + pool(language, workers=8, extra="").replace("spare: 0", "spare: 0, max_lifetime: 1s")).ready()
    first = set(m.pids())
    with load(m, place, language) as l:
        wait_for(lambda: not first & set(m.pids()), timeout=30, message="workers outlive max_lifetime")
        l.wait(40)
    assert not l.failures


def test_an_application_that_dies_of_term_in_mid_request_loses_none(fcgipm, place):
    m = fcgipm("pools:" + pool("python", workers=8)).ready()
    with load(m, place, "python") as l:
        for _ in range(4):
            m.cli("restart", "app", check=0)
            l.wait(20)
    assert not l.failures


def test_killing_the_manager_fails_no_request(fcgipm, place):
    m = fcgipm("pools:" + pool("c", workers=8)).ready()
    m.cli("scale", "app", "--min", 9, "--max", 12, check=0)
    with load(m, place, "c") as l:
        for _ in range(3):
            l.wait(40)
            workers, seen = set(m.pids()), len(m.events)
            os.kill(m.manager_pid, signal.SIGKILL)
            m.event("manager.go", after=seen)
            assert workers <= set(m.pids())
            now = m.pool()
            assert (now["workers"]["min"], now["workers"]["max"]) == (9, 12)
            m.expected_errors.add("manager.died")
        l.wait(40)
    assert not l.failures


def test_a_pool_added_and_removed_under_load(fcgipm, place):
    text = "pools:" + pool("c", workers=4)
    m = fcgipm(text).ready()
    with load(m, place, "c") as l:
        for turn in range(3):
            l.wait(20)
            m.write(text + pool("perl", name=f"more{turn}", workers=1))
            m.cli("reload", check=0)
            assert m.pool(f"more{turn}")["state"] in ("ready", "starting")
            m.write(text)
            m.cli("reload", check=0)
            wait_for(lambda turn=turn: f"more{turn}" not in [p["name"] for p in m.status()["pools"]])
        l.wait(20)
    assert not l.failures


def test_a_removed_pool_serves_what_is_queued(fcgipm, place):
    text = "pools:" + pool("c", workers=4)
    m = fcgipm(text + pool("c", name="gone", workers=1)).ready()
    with Load(m.socket("gone"), query="sleep=300", clients=4, limit=0.2) as l:
        wait_for(lambda: m.pool("gone")["queue"]["depth"] >= 2)
        m.write(text)
        m.cli("reload", check=0)
    assert l.served == 4 and not l.failures
    assert not m.socket("gone").exists()


@pytest.mark.parametrize("language", LANGUAGES + ("python", "sbcl", "clisp"))
def test_a_pool_whose_queue_is_never_empty_is_replaced(fcgipm, place, language):
    m = fcgipm("pools:" + pool(language, workers=1)).ready()  # two at most, for sixteen clients
    with Load(m.socket(), "sleep=20", expect=b"", SCRIPT_FILENAME=script(place, language)) as l:
        l.wait(10)
        for _ in range(3):
            before = set(m.pids())
            m.cli("restart", "app", check=0, timeout=20)
            assert not before & set(m.pids()), "an old worker can still accept"
        l.wait(10)
    assert not l.failures


@pytest.mark.skipif("RUN_SOAK" not in os.environ, reason="30 seconds each: make soak")
@pytest.mark.parametrize("language", LANGUAGES + ("python", "sbcl", "clisp"))
def test_30_seconds_of_continuous_replacement(fcgipm, place, language):
    m = fcgipm("pools:" + pool(language, workers=4)).ready()
    end, rounds = time.monotonic() + 30, 0
    with load(m, place, language) as l:
        while time.monotonic() < end:
            m.cli("restart", "app", check=0, timeout=30)
            rounds += 1
    assert not l.failures
    assert rounds > 20 and l.served > 500


def test_a_stop_signal_that_the_application_does_not_hear_loses_none(fcgipm, place):
    """Ignored by default, as WINCH is: the worker would go on accepting until SIGKILL cuts it short."""
    m = fcgipm("pools:" + pool("c", workers=8, extra="stop: {signal: WINCH, timeout: 300s}")).ready()
    with load(m, place, "c") as l:
        for _ in range(2):
            before = set(m.pids())
            m.cli("restart", "app", check=0)
            l.wait(20)
            wait_for(lambda: not [p for p in before if os.path.exists(f"/proc/{p}")], 20, message="an old worker lives on")
    assert not l.failures


def test_the_signal_is_not_taken_by_another_thread_while_the_main_one_accepts(fcgipm):
    m = fcgipm("""
pools:
  app:
    command: [/usr/bin/ruby, @DIR@/apps/forked.rb]
    user: nobody
    workers: {min: 3, max: 3, start: exec}
""").ready()
    with Load(m.socket(), "thread", clients=2, expect=b"thread=") as l:
        for _ in range(15):
            l.wait(4)
            m.cli("restart", "app", check=0)
    assert not l.failures
