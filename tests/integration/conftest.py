"""Fixtures: a manager that runs a pools.yaml written by the test, accounts for pools, and what must hold after every test."""
import json
import os
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BUILD = Path(os.environ.get("FCGIPM_BUILD", HERE.parent.parent / "build"))
ROOT = os.geteuid() == 0
ACCOUNTS = ("fcgipm-t1", "fcgipm-t2")

needs_root = pytest.mark.skipif(not ROOT, reason="needs root")


def wait_for(what, timeout=15, message="it did not happen"):
    """The first true answer of what(); polled, since status and /proc have no other way."""
    end = time.monotonic() + timeout
    while True:
        answer = what()
        if answer:
            return answer
        assert time.monotonic() < end, message() if callable(message) else message
        time.sleep(0.02)


def parse_logfmt(line):
    """key=value and key="escaped value" of one line."""
    event = {}
    for key, quoted, plain in re.findall(r'([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))', line):
        event[key] = json.loads(f'"{quoted}"') if quoted else plain
    return event


def make_linger(full):
    """A TCP socket that nobody reads from: whoever closes it last is held for a minute."""
    full.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
    full.setblocking(False)
    try:
        while True:
            full.send(bytes(65536))
    except BlockingIOError:
        pass


def children_of(pid):
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def state(pid):
    """Its letter in proc(5)."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0]


def comm(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


@pytest.fixture(scope="session")
def accounts():
    """Two ordinary system accounts for pools; made where they are missing."""
    if not ROOT:
        pytest.skip("needs root")
    for name in ACCOUNTS:
        try:
            pwd.getpwnam(name)
        except KeyError:
            subprocess.run(["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name], check=True)
    return [pwd.getpwnam(name) for name in ACCOUNTS]


@contextmanager
def directory():
    """One that the pools' accounts can reach: below /tmp, 0755, with the applications in it."""
    path = Path(tempfile.mkdtemp(prefix="fcgipm-it.", dir="/tmp"))
    path.chmod(0o755)
    shutil.copytree(HERE / "apps", path / "apps")
    for app in (BUILD / "tests" / "apps").glob("*"):
        shutil.copy(app, path / "apps" / app.name)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def place():
    with directory() as path:
        yield path


def with_and_without_cgroups(test):
    """As `wrap` of a manager: a run is minded by its cgroup, or by a process of its own (start/minder.h)."""
    hide = ["unshare", "--mount", "--propagation", "private", "sh", "-c", 'umount -a -l -t cgroup2; exec "$0" "$@"']
    return pytest.mark.parametrize("wrap", [(), pytest.param(hide, marks=needs_root)], ids=["cgroup", "subreaper"])(test)


class Manager:
    """One `fcgipm run`.  text of the configuration: @DIR@ is the test's directory, @RUN@ the runtime directory."""

    def __init__(self, place, text, build=BUILD, env=None, wrap=()):
        self.place, self.run, self.build = place, place / "run", Path(build)
        self.config = place / "pools.yaml"
        self.expected_errors = set()
        self.events, self.lines = [], []
        self._changed = threading.Condition()
        self.write(text)
        self.process = subprocess.Popen([*wrap, self.build / "bin" / "fcgipm", "run", "-c", self.config], stdin=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True, errors="replace", env={**os.environ, **(env or {})})
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.launcher_pid = self.process.pid

    def write(self, text):
        """The configuration anew.  The manager: section is added where the test has none."""
        if "manager:" not in text:
            text = f"manager:\n  runtime_directory: {self.run}\n" + text
        new = self.config.with_suffix(".new")
        new.write_text(text.replace("@DIR@", str(self.place)).replace("@RUN@", str(self.run)))
        new.chmod(0o644)
        new.rename(self.config)  # a reload may be reading: never half a file

    def _read(self):
        for line in self.process.stderr:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                if line.startswith("time="):
                    self.events.append(parse_logfmt(line))
                self._changed.notify_all()

    def event(self, name, timeout=20, after=0, **fields):
        """The first event of that name with these fields; raises when it does not come."""
        def find():
            for e in self.events[after:]:
                if e.get("event") == name and all(str(e.get(k)) == str(v) for k, v in fields.items()):
                    return e
            return None

        end = time.monotonic() + timeout
        with self._changed:
            while not (found := find()):
                left = end - time.monotonic()
                assert left > 0, f"no event {name} {fields}; the log's end:\n" + "\n".join(self.lines[-30:])
                self._changed.wait(left)
        return found

    def ready(self):
        self.event("ready")
        return self

    def cli(self, *args, timeout=60, check=None):
        done = subprocess.run([self.build / "bin" / "fcgipm", "-s", self.run / "control.sock", *map(str, args)], capture_output=True, text=True,
                              timeout=timeout, stdin=subprocess.DEVNULL)
        if check is not None:
            assert done.returncode == check, f"{args}: {done.returncode}: {done.stdout}{done.stderr}\n" + "\n".join(self.lines[-20:])
        return done

    def status(self):
        return json.loads(self.cli("status", "--json", check=0).stdout)

    def pool(self, name="app"):
        return next(p for p in self.status()["pools"] if p["name"] == name)

    def pids(self, name="app"):
        return self.pool(name)["workers"]["pids"]

    def socket(self, name="app"):
        return self.run / "pools" / f"{name}.sock"

    @property
    def manager_pid(self):
        return next(p for p in children_of(self.launcher_pid) if comm(p) == "fcgipm-manager")

    def kill(self, signo):
        self.process.send_signal(signo)

    def stop(self, signo=signal.SIGTERM, timeout=30):
        if self.process.poll() is None:
            self.process.send_signal(signo)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("the launcher did not end:\n" + "\n".join(self.lines[-30:])) from None
        self._reader.join(10)
        return self.process.returncode

    def check_end(self):
        """What must hold after every test."""
        errors = [e for e in self.events if e.get("level") == "error" and e.get("event") not in self.expected_errors]
        assert not errors, errors[:5]
        text = "\n".join(self.lines)
        assert "Sanitizer" not in text and "runtime error:" not in text, text[-4000:]
        left = [p for p in self.run.rglob("*") if p.is_socket()] if self.run.exists() else []
        assert not left, f"sockets are left: {left}"

        def stray():
            found = subprocess.run(["pgrep", "-f", str(self.place)], capture_output=True, text=True, check=False).stdout.split()
            return [(p, comm(p)) for p in found]

        wait_for(lambda: not stray(), 5, message=lambda: f"processes are left: {stray()}")  # what ends with the launcher does so a moment after it


@pytest.fixture
def fcgipm(place):
    """start(text, ...) starts a manager; at the end all are stopped and looked at."""
    started = []

    def start(text, **more):
        started.append(Manager(place, text, **more))
        return started[-1]

    yield start
    for m in started:
        code = m.stop()
        assert code == 0, f"the launcher ended with {code}:\n" + "\n".join(m.lines[-90:])
        m.check_end()
