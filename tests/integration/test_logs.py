"""The log: syslog, the journal, files; what becomes of it while a daemon is absent, hangs or starts anew; what no worker can put into it."""
import json
import os
import pwd
import re
import signal
import subprocess
import threading

import pytest
from apps import pool
from conftest import HERE, needs_root, wait_for
from fcgi import request
from loghost import host, listen, wait_socket  # pylint: disable=unused-import

LOG = "manager: {runtime_directory: @RUN@, log: {target: %s, level: %s, format: %s}}\npools:"
HOSTILE = b"\x1b[31m\" level=error event=forged \\ \xff\xfe\xed\xa0\x80 \x00 \xe2\x80\xa8 \r{}\x7f"


def text(target, level="info", form="logfmt", **more):
    return LOG % (target, level, form) + pool("c", workers=1, **more)


def wait_serving(m):
    """Where its log is somewhere else."""
    def serves():
        answer = m.cli("status", "--json")
        return answer.returncode == 0 and all(p["state"] == "ready" for p in json.loads(answer.stdout)["pools"])

    wait_for(serves)


@needs_root
def test_syslog_as_syslog3_writes_it(fcgipm, host, listen):
    """Events of launcher and manager, each under the pid and account of its own process, priorities by level, a worker's lines escaped; and nothing on stderr."""
    log = listen(host.devlog)
    m = fcgipm(text("syslog", "debug"), wrap=host.enter)
    log.event("ready")
    request(m.socket(), b"stderr=" + HOSTILE.replace(b"\0", b""))
    line = log.event("worker.output", pool="app")
    assert line["pid"] == str(m.pids()[0]) and line["level"] == "info" and line["text"].startswith("\x1b[31m\" level=error")
    assert log.event("manager.started")["_pid"] == m.launcher_pid and log.event("manager.started")["_uid"] == 0
    assert log.event("manager.go")["_pid"] == m.manager_pid and log.event("manager.go")["_uid"] == pwd.getpwnam("fcgipm").pw_uid
    assert log.event("worker.state")["level"] == "debug" and {r["facility"] for r in log.raw} == {3}
    m.cli("shutdown", "--now", check=0)
    log.event("launcher.stopping")
    assert m.stop() == 0 and not m.lines


@needs_root
def test_the_journal_has_every_field(fcgipm, host, listen):
    log = listen(host.journal)
    m = fcgipm(text("journal"), wrap=host.enter)
    log.event("ready")
    request(m.socket(), b"stderr=" + HOSTILE.replace(b"\0", b""))
    log.event("worker.output")
    raw = next(r for r in log.raw if r["FCGIPM_EVENT"] == b"worker.output")
    assert raw["FCGIPM_TEXT"] == HOSTILE.replace(b"\0", b"") and raw["FCGIPM_POOL"] == b"app" and raw["FCGIPM_PID"] == str(m.pids()[0]).encode()
    assert raw["PRIORITY"] == b"6" and raw["SYSLOG_IDENTIFIER"] == b"fcgipm" and raw["SYSLOG_FACILITY"] == b"3" and raw["_pid"] == m.manager_pid
    assert re.fullmatch(rb"level=info event=worker.output pool=\"app\" pid=\d+ text=\"[^\0-\x1f\x7f]+\"", raw["MESSAGE"])
    m.write(text("journal").replace("workers:", "wokers:") + "    user: 17\n")
    refused = m.cli("reload", check=78).stderr
    log.event("reload.refused", level="error")
    said = next(r for r in log.raw if r["FCGIPM_EVENT"] == b"reload.refused")["FCGIPM_ERROR"].decode()
    assert said.count("\n") > 1 and said.strip() in refused, "a value of several lines, as it is"
    assert not m.lines


@needs_root
def test_standard_error_that_is_the_journal_gets_fields(fcgipm, host, listen):
    """$JOURNAL_STREAM names our standard error; where it was redirected since, or where there is no journal, lines go to it."""
    ours = (*host.enter, "sh", "-c", 'JOURNAL_STREAM=$(stat -L -c %d:%i /dev/fd/2) exec "$@"', "sh")
    log = listen(host.journal)
    m = fcgipm("pools:" + pool("c", workers=1), wrap=ours)
    log.event("ready")
    m.cli("restart", "app", check=0)
    assert m.stop() == 0 and not m.lines
    m = fcgipm("pools:" + pool("c", workers=1), wrap=host.enter, env={"JOURNAL_STREAM": "8:1"}).ready()
    m.stop()
    seen = len(log.events)
    log.close()
    m = fcgipm("pools:" + pool("c", workers=1), wrap=ours).ready()
    m.stop()
    assert seen == len(log.events)


@needs_root
def test_the_environment_moves_no_socket(fcgipm, host, place, listen):
    """What root sends goes to the system's daemons, whatever the environment says."""
    trap, log = listen(place / "trap"), listen(host.journal)
    hostile = {name: str(trap.path) for name in ("JOURNAL_STREAM", "SYSLOG_SOCKET", "LOG_SOCKET", "FCGIPM_LOG", "FCGIPM_JOURNAL_SOCKET", "JOURNAL_SOCKET")}
    m = fcgipm(text("journal"), wrap=host.enter, env=hostile)
    log.event("ready")
    m.stop()
    assert not trap.events and not trap.wrong


# ---- a daemon that is not as it should be ----

@needs_root
@pytest.mark.parametrize("target", ("syslog", "journal"))
def test_a_daemon_that_is_absent_comes_and_starts_anew(fcgipm, host, listen, target):
    """Every line arrives or is counted; standard error says once that nobody is there."""
    path = {"syslog": host.devlog, "journal": host.journal}[target]
    m = fcgipm(text(target), wrap=host.enter)
    where = {"syslog": "/dev/log", "journal": "/run/systemd/journal/socket"}[target]
    m.event("log.unreachable", target=where, error="No such file or directory")
    wait_serving(m)
    log = listen(path)
    m.cli("restart", "app", check=0)
    assert int(log.event("log.dropped")["lines"]) > 0
    log.event("pool.replaced")
    log.close()
    m.cli("restart", "app", check=0)
    log = listen(path)
    m.cli("restart", "app", check=0)
    dropped = log.event("log.dropped", level="warn")
    log.event("pool.replaced", after=log.events.index(dropped))
    wait_for(lambda: any(e["error"] in {"Connection refused", "Broken pipe"} for e in m.events))  # the latter from who speaks while it closes
    assert {e["event"] for e in m.events} == {"log.unreachable"}, "nothing else comes to standard error"


@needs_root
@pytest.mark.parametrize("target", ("syslog", "journal"))
def test_a_daemon_that_hangs_holds_nobody(fcgipm, host, listen, target):
    """Its queue fills and stays full: commands and requests go on; when it reads again, what arrives and what was lost come to what was logged."""
    log = listen({"syslog": host.devlog, "journal": host.journal}[target], read=False)
    log.fill()
    m = fcgipm(text(target), wrap=host.enter)
    wait_serving(m)
    lines = 20
    for i in range(lines):
        request(m.socket(), f"stderr=line{i}")
    m.cli("restart", "app", check=0)
    log.go_on()
    m.cli("restart", "app", check=0)
    log.event("log.dropped", _pid=m.manager_pid)
    log.event("pool.replaced")
    arrived = sum(e["event"] == "worker.output" for e in log.events)
    dropped = sum(int(e["lines"]) for e in log.events if e["event"] == "log.dropped")
    assert 0 < lines - arrived <= dropped
    assert not m.lines


# ---- moving ----

@needs_root
def test_the_log_moves_from_place_to_place(fcgipm, host, place, listen):
    """stderr, syslog, journal, a file, stderr: by reload, for launcher and manager, and for a manager that starts anew there."""
    logs = place / "logs"
    logs.mkdir(mode=0o755)
    syslog, journal = listen(host.devlog), listen(host.journal)
    m = fcgipm(text("stderr"), wrap=host.enter).ready()
    m.expected_errors.add("manager.died")

    def of_file():
        return [json.loads(line) for line in (logs / "log").read_text().splitlines()] if (logs / "log").exists() else []

    places = {"stderr": lambda: m.events, "syslog": lambda: syslog.events, "journal": lambda: journal.events, "file": of_file}
    for generation, (where, target, form) in enumerate((("syslog", "syslog", "logfmt"), ("journal", "journal", "json"), ("file", logs / "log", "json"), ("stderr", "stderr", "logfmt")), 2):
        m.write(text(target, form=form))
        m.cli("reload", check=0)
        wait_for(lambda: any(e["event"] == "reload.applied" and int(e["generation"]) == generation for e in places[where]()), message=f"no reload.applied in {where}")
        before = {name: len(events()) for name, events in places.items()}
        m.cli("restart", "app", check=0)
        os.kill(m.manager_pid, signal.SIGKILL)
        for name in ("pool.replaced", "manager.died", "manager.go"):
            wait_for(lambda: any(e["event"] == name for e in places[where]()[before[where]:]), message=f"no {name} in {where}")
        assert [name for name, events in places.items() if len(events()) != before[name]] == [where], "and nowhere else"
        wait_serving(m)
    assert all(json.loads(r["MESSAGE"])["event"] == r["FCGIPM_EVENT"].decode() for r in journal.raw if r["MESSAGE"].startswith(b"{"))
    assert sum(r["MESSAGE"].startswith(b"{") for r in journal.raw) > 3


@needs_root
def test_a_level_holds_in_every_place(fcgipm, host, listen):
    log = listen(host.devlog)
    m = fcgipm(text("syslog", "warn"), wrap=host.enter)
    wait_serving(m)
    m.write(text("syslog", "debug", "json"))
    m.cli("reload", check=0)
    m.cli("restart", "app", check=0)
    wait_for(lambda: any("pool.replaced" in r["text"] for r in log.raw))
    before = [r for r in log.raw if not r["text"].startswith("{")]
    after = [(json.loads(r["text"])["level"], r["severity"]) for r in log.raw if r["text"].startswith("{")]
    assert all(r["severity"] <= 4 for r in before)
    assert set(after) >= {("debug", 7), ("info", 6)} and set(after) <= {("debug", 7), ("info", 6), ("warn", 4)}


# ---- real daemons ----

RSYSLOG = """module(load="imuxsock" sysSock.use="off")
input(type="imuxsock" socket="%(dir)s/devlog")
template(name="t" type="string" string="%%syslogfacility-text%%|%%syslogseverity-text%%|%%programname%%|%%procid%%|%%msg%%\\n")
if $programname == "fcgipm" then action(type="omfile" file="%(dir)s/out" template="t")
"""


def rsyslog(host):
    (host.place / "rsyslog.conf").write_text(RSYSLOG % {"dir": host.place})
    host.start("rsyslogd", "-n", "-i", "NONE", "-f", host.place / "rsyslog.conf")
    wait_socket(host.devlog)
    line = re.compile(r"(?P<facility>\w+)\|(?P<severity>\w+)\|(?P<tag>[^|]+)\|(?P<pid>\d+)\| ?(?P<text>.*)")
    return lambda: [line.fullmatch(x).groupdict() for x in (host.place / "out").read_text().splitlines()] if (host.place / "out").exists() else []


def busybox(host):
    host.start("busybox", "syslogd", "-n", "-O", host.place / "out")
    wait_socket(host.devlog)
    line = re.compile(r"\w+ [ \d]\d \d\d:\d\d:\d\d \S+ (?P<facility>\w+)\.(?P<severity>\w+) (?P<tag>\w+)\[(?P<pid>\d+)\]: (?P<text>.*)")
    return lambda: [found.groupdict() for x in (host.place / "out").read_text().splitlines() if (found := line.fullmatch(x))] if (host.place / "out").exists() else []


def journald(host):
    host.devlog.symlink_to("/run/systemd/journal/dev-log")
    host.start("/lib/systemd/systemd-journald")
    wait_socket(host.journal)
    facilities, severities = {"3": "daemon"}, {"3": "err", "4": "warning", "6": "info", "7": "debug"}

    def read():
        host.run("journalctl", "--sync")
        entries = [json.loads(line) for line in host.run("journalctl", "-o", "json", "-t", "fcgipm", "--no-pager").stdout.splitlines()]
        return [{"facility": facilities[e["SYSLOG_FACILITY"]], "severity": severities[e["PRIORITY"]], "tag": e["SYSLOG_IDENTIFIER"], "pid": e["_PID"],
                 "text": e["MESSAGE"], "entry": e} for e in entries]

    return read


@needs_root
@pytest.mark.parametrize("daemon", (rsyslog, busybox, journald))
def test_a_real_syslog_daemon_reads_it(fcgipm, host, daemon):
    read = daemon(host)
    m = fcgipm(text("syslog"), wrap=host.enter)
    wait_for(lambda: any("event=ready " in r["text"] for r in read()), message=lambda: str(read()[-5:]))
    request(m.socket(), "stderr=hello \"you\"")
    wait_for(lambda: any("worker.output" in r["text"] for r in read()))
    lines = read()
    assert {(r["facility"], r["tag"]) for r in lines} == {("daemon", "fcgipm")} and {r["severity"] for r in lines} <= {"info", "notice", "warning", "warn"}
    said = next(r for r in lines if "worker.output" in r["text"])
    assert said["pid"] == str(m.manager_pid) and said["text"] == f'level=info event=worker.output pool="app" pid={m.pids()[0]} text="hello \\"you\\""'
    assert next(r for r in lines if "manager.started" in r["text"])["pid"] == str(m.launcher_pid)


@needs_root
def test_the_real_journal_finds_events_by_their_fields(fcgipm, host):
    """journald itself, and journalctl FCGIPM_POOL=..."""
    read = journald(host)
    m = fcgipm(LOG % ("journal", "info", "logfmt") + pool("c", name="blog", workers=1) + pool("c", name="shop", workers=1), wrap=host.enter)
    wait_for(lambda: any(r["entry"]["FCGIPM_EVENT"] == "ready" for r in read()))
    request(m.socket("shop"), b"stderr=" + HOSTILE.replace(b"\0", b""))
    wait_for(lambda: any(r["entry"]["FCGIPM_EVENT"] == "worker.output" for r in read()))
    found = [json.loads(line) for line in host.run("journalctl", "-o", "json", "-a", "FCGIPM_POOL=shop", "FCGIPM_EVENT=worker.output").stdout.splitlines()]
    assert len(found) == 1 and found[0]["FCGIPM_PID"] == str(m.pids("shop")[0]) and found[0]["_PID"] == str(m.manager_pid) and found[0]["_TRANSPORT"] == "journal"
    raw = found[0]["FCGIPM_TEXT"]
    assert (bytes(raw) if isinstance(raw, list) else raw.encode()) == HOSTILE.replace(b"\0", b"")
    assert "worker.output" in host.run("journalctl", "-t", "fcgipm", "-p", "info", "-o", "cat").stdout
    m.expected_errors.add("manager.died")
    os.kill(m.manager_pid, signal.SIGKILL)
    wait_for(lambda: [e for r in read() if (e := r["entry"])["FCGIPM_EVENT"] == "manager.died" and e["PRIORITY"] == "4"])


@needs_root
def test_a_service_of_systemd_logs_fields_by_itself(fcgipm, host):
    """Standard error as systemd's StandardError=journal makes it, with its $JOURNAL_STREAM: nothing need be configured."""
    read = journald(host)
    stream = HERE / "journal_stream.py"
    m = fcgipm("pools:" + pool("c", workers=1), wrap=(*host.enter, "/usr/bin/python3", stream))
    wait_for(lambda: any(r["entry"].get("FCGIPM_EVENT") == "ready" for r in read()))
    assert m.stop() == 0 and not m.lines
    assert {r["entry"]["_TRANSPORT"] for r in read()} == {"journal"}


# ---- files ----

def test_json_parses_whatever_a_worker_writes(fcgipm, place):
    (place / "logs").mkdir()
    log = place / "logs" / "log"
    m = fcgipm(text(log, "debug", "json"))
    wait_for(lambda: log.exists() and '"ready"' in log.read_text())
    for noise in (HOSTILE.replace(b"\0", b""), bytes(range(1, 256)).replace(b"\n", b""), b"\\u0000\\", b"}\",{\"", b"\xf0\x9f\x98\x80" * 1500, b"\xff" * 5000):
        request(m.socket(), b"stderr=" + noise)
    request(m.socket(), "stderr=last")
    wait_for(lambda: '"text":"last"' in log.read_text())
    lines = [json.loads(line) for line in log.read_bytes().split(b"\n")[:-1]]
    texts = [e["text"] for e in lines if e["event"] == "worker.output"]
    assert texts[0].startswith("\x1b[31m\" level=error event=forged \\ ÿþ") and texts[1].encode("latin-1", "replace")[:9] == bytes(range(1, 10))
    assert "\\u0000\\" in texts and "}\",{\"" in texts and any(e.get("cut") == 1 for e in lines) and max(map(len, log.read_bytes().split(b"\n"))) < 4096


@needs_root
@pytest.mark.parametrize("form", ("logfmt", "json"))
def test_logrotate_loses_and_tears_nothing(fcgipm, place, form):
    """The rule that is installed, with this test's directory and process in it, while workers write."""
    logs = place / "logs"
    logs.mkdir(mode=0o755)
    m = fcgipm(text(logs / "fcgipm.log", form=form))
    wait_for(lambda: (logs / "fcgipm.log").exists() and "ready" in (logs / "fcgipm.log").read_text())
    rule = (HERE.parent.parent / "packaging/logrotate.conf").read_text().replace("/var/log/fcgipm", str(logs))
    rule, kill = re.subn(r"\[ ! -d /run/systemd/system \] \|\| systemctl kill --kill-who=main --signal=USR1 fcgipm.service .*", f"kill -USR1 {m.launcher_pid}", rule)
    assert kill == 1
    (place / "rule").write_text(rule.replace("delaycompress", "nodelaycompress").replace("compress\n", "nocompress\n"))
    (place / "rule").chmod(0o644)
    said, stop = [], threading.Event()

    def talk():
        while not stop.wait(0.03):  # below the rate at which output is suppressed
            request(m.socket(), f"stderr=line{len(said)};")
            said.append(len(said))

    talker = threading.Thread(target=talk)
    talker.start()
    try:
        for rotation in range(1, 4):
            wait_for(lambda: len(said) >= rotation * 20)
            subprocess.run(["logrotate", "-f", "-s", place / "state", place / "rule"], check=True, capture_output=True)
            wait_for(lambda: (logs / "fcgipm.log").exists() and "log.reopened" in (logs / "fcgipm.log").read_text(), message="not reopened")
    finally:
        stop.set()
        talker.join()
    files = sorted(logs.glob("fcgipm.log*"))
    assert len(files) == 4
    wait_for(lambda: any(f"line{said[-1]};" in f.read_text() for f in files))
    everything = "".join(f.read_text() for f in files)
    assert sorted(map(int, re.findall(r"line(\d+);", everything))) == said, "each line once"
    assert all(line.startswith("{\"time\":" if form == "json" else "time=") for line in everything.splitlines())
    for line in everything.splitlines() if form == "json" else ():
        json.loads(line)
    assert {f.stat().st_uid for f in files} == {0} and {f.stat().st_mode & 0o777 for f in files} == {0o640}
