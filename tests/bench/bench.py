#!/usr/bin/python3
"""make bench: what a restart, a reload, starting and holding workers cost, here and in the installed peers, side by side in one run.

Each line is the median of ROUNDS rounds that alternate between the candidates; the ratio is to fcgipm.  Nothing is asserted: numbers are for people.
"""
import os
import platform
import pwd
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

BUILD = Path(sys.argv[1]).resolve()
os.environ["FCGIPM_BUILD"] = str(BUILD)
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
from apps import pool  # noqa: E402
from conftest import Manager, wait_for  # noqa: E402
from fcgi import Load, request  # noqa: E402

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
PHP_FPM = next(iter(sorted(Path("/usr/sbin").glob("php-fpm*"))), None)
QUERY, CLIENTS, WORKERS = "sleep=20", 16, 8


def kb(pid, field="VmRSS"):
    return int(next(line.split()[1] for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(field)))


class Timed(Load):
    """A load that keeps when each request ended and how long it took."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.times = []

    def _client(self):
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                good = request(self.address, self.query, **self.extra).startswith(self.expect)
            except Exception as error:  # noqa: BLE001  whatever it was, the request is lost
                good = False
                self.failures.append(repr(error))
            self.times.append((begun, time.monotonic() - begun, good))

    def between(self, start, end):
        return sorted(took for begun, took, _ in self.times if begun >= start and begun + took <= end)


def quantile(values, q):
    return values[min(len(values) - 1, int(len(values) * q))] if values else float("nan")


# ---- the candidates: each offers address, extra, restart(), reload(), pids of its masters, workers ----

class Fcgipm:
    def __init__(self, place, language, workers=WORKERS):
        self.language, self.text = language, (
            "manager: {runtime_directory: @RUN@, max_workers: 2048}\npools:" + pool(language, workers=workers).replace(f"max: {workers * 2}", f"max: {workers}"))
        self.turn = 0
        self.m = Manager(place, self.text)
        self.m.event("ready", timeout=120)
        self.address = self.m.socket()
        self.extra = {"SCRIPT_FILENAME": str(place / "apps/app.php")}
        self.masters = {"launcher": self.m.launcher_pid, "manager": self.m.manager_pid}

    def restart(self):
        self.m.cli("restart", "app", check=0)

    def reload(self):
        self.turn += 1
        self.m.write(self.text + f"    limits: {{nofile: {500 + self.turn}}}\n")
        self.m.cli("reload", check=0)

    def close(self):
        self.m.stop()


class PhpFpm:
    """pm = static; a reload is its restart: SIGUSR2, with process_control_timeout so that it waits for requests."""

    def __init__(self, place, language, workers=WORKERS):
        assert language == "php"
        self.address = place / "fpm.sock"
        user = "user = nobody\ngroup = nogroup\nlisten.mode = 0666" if os.geteuid() == 0 else ""
        (place / "fpm.conf").write_text(f"""[global]
error_log = {place}/fpm.log
daemonize = no
process_control_timeout = 10s
[app]
{user}
listen = {self.address}
listen.backlog = 511
pm = static
pm.max_children = {workers}
""")
        self.process = subprocess.Popen([PHP_FPM, "-n", "-y", place / "fpm.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.extra = {"SCRIPT_FILENAME": str(place / "apps/app.php")}
        self.workers = workers
        wait_for(lambda: self.address.exists() and len(self.children()) == workers)
        request(self.address, "", **self.extra)
        self.masters = {"master": self.process.pid}

    def children(self):
        return set(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split())

    def restart(self):
        before = self.children()
        self.process.send_signal(signal.SIGUSR2)
        wait_for(lambda: not before & self.children() and len(self.children()) == self.workers)

    reload = restart

    def close(self):
        self.process.terminate()
        self.process.wait(20)


CANDIDATES = {"fcgipm, C": (Fcgipm, "c"), "fcgipm, php-cgi": (Fcgipm, "php")}
if PHP_FPM:
    CANDIDATES[f"{PHP_FPM.name} static"] = (PhpFpm, "php")


@contextmanager
def running(name, **more):
    kind, language = CANDIDATES[name]
    place = Path(tempfile.mkdtemp(prefix="fcgipm-bench.", dir="/tmp"))
    place.chmod(0o755)
    shutil.copytree(HERE.parent / "integration/apps", place / "apps")
    for app in (BUILD / "tests/apps").glob("*"):
        shutil.copy(app, place / "apps")
    candidate = kind(place, language, **more)
    try:
        yield candidate
    finally:
        candidate.close()
        shutil.rmtree(place, ignore_errors=True)


def rounds(measure, names):
    """{name: {key: median}} of measure(name) -> {key: number}."""
    seen = {name: [] for name in names}
    for _ in range(ROUNDS):
        for name in names:
            seen[name].append(measure(name))
    return {name: {key: statistics.median(r[key] for r in results) for key in results[0]} for name, results in seen.items()}


def table(title, results, reference="fcgipm, php-cgi"):
    print(f"\n{title}")
    keys = list(next(iter(results.values())))
    print("  " + "".ljust(20) + "".join(key.rjust(22) for key in keys))
    for name, row in results.items():
        cells = []
        for key in keys:
            base = results.get(reference, {}).get(key)
            ratio = f" ({row[key] / base:.2f})" if base and name != reference else ""
            cells.append(f"{row[key]:.4g}{ratio}".rjust(22))
        print("  " + name.ljust(20) + "".join(cells))


def under_load(act, times=10):
    def measure(name):
        with running(name) as c, Timed(c.address, QUERY, clients=CLIENTS, **c.extra) as l:
            time.sleep(1)
            calm_end = time.monotonic()
            calm = l.between(0, calm_end)
            took = []
            for _ in range(times):
                begun = time.monotonic()
                act(c)
                took.append(time.monotonic() - begun)
            end = time.monotonic()
        busy = l.between(calm_end, end)
        return {"ms a time": statistics.median(took) * 1000, "lost": sum(not good for _, _, good in l.times), "p50 calm ms": quantile(calm, 0.5) * 1000,
                "p50 meanwhile ms": quantile(busy, 0.5) * 1000, "p99 meanwhile ms": quantile(busy, 0.99) * 1000, "longest ms": max(busy) * 1000}
    return measure


def start_of(workers):
    def measure(name):
        begun = time.monotonic()
        with running(name, workers=workers) as c:
            took = time.monotonic() - begun
            return {"workers a second": workers / took, "masters MB": sum(kb(pid) for pid in c.masters.values()) / 1024}
    return measure


def launcher_latency():
    from test_hostile import Stage, TWO, said
    place = Path(tempfile.mkdtemp(prefix="fcgipm-bench.", dir="/tmp"))
    place.chmod(0o755)
    (place / "apps").mkdir()
    shutil.copy(BUILD / "tests/apps/app", place / "apps/app")
    stage = Stage(place)
    stage.hostile("manager", "latency")
    m = Manager(place, "manager: {runtime_directory: @RUN@, max_workers: 1100}\n" + TWO, build=stage.build)
    try:
        said(m, 120)
        print("\nHow long the launcher takes to answer its manager, with 1,000 workers, while it starts and ends others (us)")
        for line in m.lines:
            if line.startswith("hostile latency_us"):
                _, _, longest, kind, _, median, _, p99 = line.split()
                print(f"  {kind.ljust(20)} median {median}, p99 {p99}, longest {longest}")
        print(f"  resident: {kb(m.launcher_pid) / 1024:.1f} MB")
    finally:
        for _ in range(2):
            m.kill(signal.SIGTERM)
            time.sleep(0.2)
        m.stop()
        shutil.rmtree(place, ignore_errors=True)


def main():
    pwd.getpwnam("nobody")
    print(f"conditions: {platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}, medians of {ROUNDS} "
          f"rounds; {WORKERS} workers, {CLIENTS} clients in a closed loop, requests of 20 ms; in brackets the ratio to fcgipm with php-cgi")
    if not PHP_FPM:
        print("php-fpm is not installed: no peer beside us")
    both = list(CANDIDATES)
    table("Restart under load, 10 times", rounds(under_load(lambda c: c.restart()), both))
    table("Reload under load (a changed limit; php-fpm knows only its restart), 10 times", rounds(under_load(lambda c: c.reload()), both))
    table("From the command to 200 workers that accept, and what the privileged process and the manager hold then", rounds(start_of(200), ["fcgipm, php-cgi", *both[2:]]))
    table("The same with 1,000 workers", rounds(start_of(1000), ["fcgipm, C"]))
    launcher_latency()


main()
