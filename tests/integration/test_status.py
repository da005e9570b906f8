"""fcgipm status for people: the table on terminals and in pipes, --watch, and its ends."""
import os
import re
import signal
import subprocess
import threading

import fcgi
import pytest
from apps import pool
from conftest import BUILD, wait_for
from terminal import Terminal

STATES = ("starting", "ready", "sleeping", "at_max", "held", "failed", "stopped", "removing")
LONG = "www.customer-0001-with-a-long-name.shop.example"


def command(m, *args):
    return [m.build / "bin" / "fcgipm", "-s", m.run / "control.sock", *args]


def human(n, base, units):
    """As fcgipm/client/human.h says."""
    if n is None or n < (1024 if base == 1024 else 100000):
        return "-" if n is None else str(n)
    unit = base
    while n // unit >= base and len(units) > 1:
        unit, units = unit * base, units[1:]
    return f"{n // unit}.{n % unit * 10 // unit}{units[0]}" if n // unit < 10 else f"{n // unit}{units[0]}"


def cells(p):
    """A pool's cells, out of status --json; memory moves by itself and is looked at on its own."""
    w = p["workers"]
    return {"POOL": p["name"], "STATE": p["state"], "IDLE": str(w["idle"]), "BUSY": str(w["busy"]), "BOOT": str(w["booting"]), "MAX": str(w["max"]),
            "QUEUE": f"{p['queue']['depth']}/{p['queue']['limit']}", "SERVED": human(p["served"], 1000, "kMGT"),
            "RESTARTS": human(sum(p["restarts"].values()), 1000, "kMGT")}


def table(lines):
    """The rows of a table by their headings.  Its remarks and what stands above it are left out."""
    start = next((i for i, line in enumerate(lines) if line.startswith("POOL ")), len(lines) - 1)
    titles = lines[start].split()
    rows = [line.split() for line in lines[start + 1:]]
    return [dict(zip(titles, row)) for row in rows if len(row) >= len(titles) and row[1] in STATES]


def three(fcgipm):
    """Two that serve, one that cannot; the manager when all is quiet."""
    m = fcgipm("pools:" + pool("c", name="one", workers=1) + pool("c", name=LONG, workers=2) +
               "\n  broken: {command: [/bin/false], user: nobody, restart: {delay: 10s}, workers: {min: 1}}\n")
    m.event("worker.exit", pool="broken")
    wait_for(lambda: m.pool("one")["workers"]["idle"] == 1 and m.pool(LONG)["workers"]["idle"] == 2)
    return m


def test_a_pipe_gets_the_whole_table_without_colours(fcgipm):
    m = three(fcgipm)
    text = m.cli("status", check=0).stdout
    rows = {r["POOL"]: r for r in table(text.splitlines())}
    assert "\x1b" not in text and set(rows) == {"one", LONG, "broken"}
    for p in m.status()["pools"]:
        assert {k: v for k, v in rows[p["name"]].items() if k != "MEMORY"} == cells(p)
    assert re.fullmatch(r"\d+(\.\d)?[KM]", rows["one"]["MEMORY"])
    assert "\n3 pools: 1 starting, 2 ready; 0 waiting, " in text and "\nbroken: " in text


def test_sorted_and_filtered(fcgipm):
    m = three(fcgipm)
    names = lambda *args: [r["POOL"] for r in table(m.cli("status", *args, check=0).stdout.splitlines())]  # noqa: E731
    assert names() == ["broken", "one", LONG]
    assert names("--sort", "idle") == [LONG, "one", "broken"]
    assert names("--sort", "idle", "--reverse") == ["broken", "one", LONG]
    assert names("--trouble") == names("--filter", "starting") == ["broken"]
    assert names("--filter", "customer") == [LONG]
    assert "(0 shown)" in m.cli("status", "--filter", "nothing", check=0).stdout


@pytest.mark.parametrize("columns", (40, 80, 100, 200))
def test_a_terminal_gets_what_fits(fcgipm, columns):
    m = three(fcgipm)
    with Terminal(command(m, "status"), columns=columns, lines=30) as t:
        assert t.end() == 0
        screen = t.screen()
        rows = table(screen)
        assert len(rows) == 3 and all(len(line) <= columns for line in screen)
        assert [r["IDLE"] for r in rows if r["POOL"].startswith("www.")] == ["2"]
        assert (LONG in [r["POOL"] for r in rows]) == (columns > 100)
        assert t.colours("ready") == {"green"} and t.is_as_before()


@pytest.mark.parametrize("env", ({"NO_COLOR": "1"}, {"TERM": "dumb"}))
def test_no_colour_when_it_is_not_wanted(fcgipm, env):
    m = fcgipm("pools:" + pool("c", workers=1)).ready()
    with Terminal(command(m, "status"), env=env) as t:
        assert t.end() == 0
        assert t.shows("ready") and b"\x1b" not in t.raw


def test_watch_draws_over_the_last_picture(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=1)).ready()
    with Terminal(command(m, "status", "--watch", "200ms")) as t:
        t.until(lambda s: any(line.startswith("app ") and " 1 " in line for line in s))
        m.cli("scale", "app", "--min", 2, check=0)
        screen = t.until(lambda s: [r["IDLE"] for r in table(s)] == ["2"] if any("POOL" in line for line in s) else False)
        assert sum("POOL" in line for line in screen) == 1, "one picture on the screen"
        assert b"\x1b[2J" not in t.raw, "nothing is blanked before it is drawn"
        t.resize(60, 10)
        t.until(lambda s: s[0].startswith("fcgipm ") and len(s) == 10)
        t.signal(signal.SIGINT)
        assert t.end() == -signal.SIGINT and t.is_as_before()


def test_watch_goes_on_when_the_manager_is_restarted_and_says_so(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=1)).ready()
    old = m.manager_pid
    with Terminal(command(m, "status", "-w", "200ms")) as t:
        t.shows("app ")
        os.kill(old, signal.SIGKILL)
        t.shows(f"has taken over from {old}")
        t.shows(f"manager {m.manager_pid},")
        t.signal(signal.SIGTERM)
        assert t.end() == -signal.SIGTERM
    m.expected_errors.add("manager.exit")


class Piped:
    """status --watch with a pipe: lines as they come."""

    def __init__(self, m, *args):
        self.process = subprocess.Popen(command(m, "status", "--watch", "200ms", *args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def read_until(self, pattern, stream=None):
        text = ""
        for line in stream or self.process.stdout:
            text += line
            if re.search(pattern, text, re.S):
                return text
        raise AssertionError(text)


def test_watch_appends_plain_text_elsewhere(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=1)).ready()
    with Piped(m) as p:
        text = p.read_until(r"(\nPOOL .*){3}")
        assert "\x1b" not in text and len(re.findall(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d{4}$", text, re.M)) == 3
        assert text.count("REQ/S") == 2, "a difference needs two"
        os.kill(m.manager_pid, signal.SIGKILL)
        killer = threading.Timer(60, p.process.kill)
        killer.start()
        p.read_until("has taken over from", p.process.stderr)
        p.read_until(r"\napp ")
        killer.cancel()
        p.process.stdout.close()
        assert p.process.wait(20) == 0
        assert p.process.stderr.read() == ""
        p.process.stdout = None
    m.expected_errors.add("manager.exit")


def test_watch_of_json_and_of_one_pool(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=1)).ready()
    with Piped(m, "--json") as p:
        assert p.read_until(r"\]\}\n.*\]\}\n").count('{"manager":') == 2
    with Piped(m, "app") as p:
        p.read_until(r"workers.pids .*workers.pids ")
        m.write("pools:" + pool("c", name="other", workers=1))
        m.cli("reload", check=0)
        _, err = p.process.communicate(timeout=20)
        assert p.process.returncode == 1 and "no such pool: app" in err


def test_watch_ends_with_3_where_no_manager_ever_was(place):
    done = subprocess.run([BUILD / "bin" / "fcgipm", "-s", place / "none.sock", "status", "--watch"], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 3 and "no manager at" in done.stderr


def test_the_share_of_time_that_workers_serve_is_shown(fcgipm):
    """Two workers of which one is held by a long request: half of their time."""
    m = fcgipm("pools:" + pool("c", workers=2)).ready()
    with Piped(m) as p, fcgi.begin(m.socket(), "sleep=3000"):
        wait_for(lambda: m.pool()["workers"]["busy"] == 1)
        text = p.read_until(r"BUSY%(.*\n){8}")
        shares = [dict(zip(head.split(), row.split())).get("BUSY%") for head, row in re.findall(r"^(POOL .*)\n(app .*)$", text + p.read_until(r"\napp .*\n"), re.M)]
        assert shares[0] is None and set(shares[2:]) & {"49", "50"}, shares
