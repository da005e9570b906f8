#!/usr/bin/python3
"""make bench: what a restart, a reload, starting and holding workers cost, here and in the installed peers, side by side in one run.

Each line is the median of ROUNDS rounds that alternate between the candidates; the ratio is to fcgipm.  Nothing is asserted: numbers are for people.
"""
import datetime
import math
import os
import platform
import pwd
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

BUILD = Path(sys.argv[1]).resolve()
os.environ["FCGIPM_BUILD"] = str(BUILD)
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
from apps import pool  # noqa: E402
from conftest import Manager, wait_for  # noqa: E402
from fcgi import Load, request  # noqa: E402
from frontends import free_port  # noqa: E402
sys.path.insert(0, str(HERE))
import execbench  # noqa: E402
import prefork  # noqa: E402
import web  # noqa: E402

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

    def __init__(self, place, language, workers=WORKERS, how="pm = static", first=None):
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
{how}
pm.max_children = {workers}
""")
        self.process = subprocess.Popen([PHP_FPM, "-n", "-y", place / "fpm.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.extra = {"SCRIPT_FILENAME": str(place / "apps/app.php")}
        self.most = workers
        wait_for(lambda: self.address.exists() and len(self.children()) >= (0 if "ondemand" in how else first or workers))
        request(self.address, "", **self.extra)
        self.masters = {"master": self.process.pid}

    def children(self):
        return set(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split())

    def restart(self):
        before = self.children()
        self.process.send_signal(signal.SIGUSR2)
        wait_for(lambda: not before & self.children() and len(self.children()) == self.most)

    reload = restart

    def close(self):
        self.process.terminate()
        self.process.wait(20)


CANDIDATES = {"fcgipm, C": (Fcgipm, "c"), "fcgipm, php-cgi": (Fcgipm, "php")}
if PHP_FPM:
    CANDIDATES[f"{PHP_FPM.name} static"] = (PhpFpm, "php")


@contextmanager
def running(name, among=None, **more):
    kind, language = (among or CANDIDATES)[name]
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
    print(f"\n{title} (ratios to {reference})")
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


# ---- scaling ----

class Elastic(Fcgipm):
    """2 of 64 workers."""

    def __init__(self, place, language, listen=""):
        self.m = Manager(place, "pools:" + pool(language).replace("min: 4, max: 8, spare: 0", "min: 2, max: 64") + listen)
        self.m.event("ready", timeout=60)
        self.address = ("127.0.0.1", int(listen.split(":")[-1])) if listen else self.m.socket()
        self.extra = {"SCRIPT_FILENAME": str(place / "apps/app.php")}

    def workers(self):
        return self.m.pool()["workers"]["total"]


class ElasticTcp(Elastic):
    def __init__(self, place, language):
        super().__init__(place, language, f"    listen: 127.0.0.1:{free_port()}\n")


class ElasticFpm(PhpFpm):
    how = "pm = dynamic\npm.start_servers = 2\npm.min_spare_servers = 1\npm.max_spare_servers = 3"

    def __init__(self, place, language):
        super().__init__(place, language, workers=64, how=self.how, first=2)

    def workers(self):
        return len(self.children())


class OndemandFpm(ElasticFpm):
    how = "pm = ondemand\npm.process_idle_timeout = 10s"


class Uwsgi:
    """cheaper, algorithm backlog, which reads the queue of TCP sockets alone; a WSGI application, since it runs no other's."""

    def __init__(self, place, language):
        port = free_port()
        (place / "app_wsgi.py").write_text("import time\n\n\ndef application(env, start):\n    time.sleep(int(env['QUERY_STRING'].split('=')[1]) / 1000)\n"
                                           "    start('200 OK', [('Content-Type', 'text/plain')])\n    return [b'pid=1\\n']\n")
        self.process = subprocess.Popen(["uwsgi", "--plugin", "python3", "--master", "--fastcgi-socket", f"127.0.0.1:{port}", "--listen", "100", "--workers", "64",
                                         "--cheaper", "2", "--cheaper-algo", "backlog", "--cheaper-step", "1", "--wsgi-file", place / "app_wsgi.py",
                                         *(["--uid", "nobody", "--gid", "nogroup"] if os.geteuid() == 0 else [])], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.address, self.extra = ("127.0.0.1", port), {"PATH_INFO": "/", "SERVER_NAME": "x", "SERVER_PORT": "80"}
        wait_for(lambda: can_connect(self.address))

    def close(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)


class ModFcgid:
    """Behind httpd, as it cannot be otherwise: its clients speak HTTP."""

    def __init__(self, place, language):
        self.port, modules = free_port(), "/usr/lib/apache2/modules"
        user = "User nobody\nGroup nogroup\n" if os.geteuid() == 0 else ""
        load = "".join(f"LoadModule {m}_module {modules}/mod_{m}.so\n" for m in ("mpm_event", "authz_core", "alias", "fcgid"))
        place.chmod(0o777)
        (place / "httpd.conf").write_text(f"""ServerRoot {place}
ServerName 127.0.0.1
Listen 127.0.0.1:{self.port}
PidFile {place}/httpd.pid
ErrorLog {place}/httpd.log
{load}{user}ThreadsPerChild 64
MaxRequestWorkers 128
FcgidIPCDir {place}/ipc
FcgidProcessTableFile {place}/shm
FcgidMaxProcesses 64
FcgidMaxProcessesPerClass 64
FcgidMinProcessesPerClass 2
ScriptAlias /app {place}/apps/app
<Directory {place}>
  Require all granted
  Options +ExecCGI
  SetHandler fcgid-script
</Directory>
""")
        self.process = subprocess.Popen(["/usr/sbin/apache2", "-f", place / "httpd.conf", "-DFOREGROUND"], stderr=subprocess.DEVNULL)
        wait_for(lambda: can_connect(("127.0.0.1", self.port)))

    def burst(self):
        answers = []

        def one():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/app?sleep=1000", timeout=120) as answer:
                    answers.append(answer.read().startswith(b"pid="))
            except OSError:
                answers.append(False)

        threads = [threading.Thread(target=one) for _ in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(answers), len(answers) - sum(answers)

    def close(self):
        self.process.terminate()
        self.process.wait(20)


def can_connect(address):
    with socket.socket() as s:
        return s.connect_ex(address) == 0


ELASTIC = {"fcgipm, C": (Elastic, "c"), "fcgipm, C, TCP": (ElasticTcp, "c"), "fcgipm, php-cgi": (Elastic, "php")}
if PHP_FPM:
    ELASTIC |= {f"{PHP_FPM.name} dynamic": (ElasticFpm, "php"), f"{PHP_FPM.name} ondemand": (OndemandFpm, "php")}


if shutil.which("uwsgi"):
    ELASTIC["uWSGI backlog, WSGI"] = (Uwsgi, "c")
if Path("/usr/lib/apache2/modules/mod_fcgid.so").exists():
    ELASTIC["mod_fcgid, C"] = (ModFcgid, "c")


def burst(name):
    with running(name, among=ELASTIC) as c:
        time.sleep(1)
        begun = time.monotonic()
        if hasattr(c, "burst"):
            served, failed = c.burst()
        else:
            with Load(c.address, "sleep=1000", clients=64, limit=0, **c.extra) as l:
                pass
            served, failed = l.served, len(l.failures)
        return {"all served after s": time.monotonic() - begun, "served": served, "failed": failed}


def bench_burst():
    table("64 requests of 1 s at once on a pool at 2 of 64 workers (php-fpm ondemand: at none)", rounds(burst, ELASTIC), "fcgipm, C")


def diurnal(at):
    return 1 + 39 * (1 - math.cos(2 * math.pi * at / 60)) / 2


def flash(at):
    return 100 if 20 < at < 35 else 2


def replay(rate):
    """60 seconds of a trace, from as many threads as there are requests on their way; what was waited beyond the 50 ms of service."""
    def measure(name):
        random.seed(20050611)
        waits, lost, threads, area, at = [], [], [], 0.0, 0.0

        def one(c):
            begun = time.monotonic()
            try:
                request(c.address, "sleep=50", **c.extra)
                waits.append(time.monotonic() - begun - 0.05)
            except Exception as error:  # noqa: BLE001
                lost.append(error)

        with running(name, among=ELASTIC) as c:
            begun, seen = time.monotonic(), time.monotonic()
            while at < 60:
                at += random.expovariate(rate(at))
                while (left := begun + at - time.monotonic()) > 0:
                    time.sleep(min(left, 0.1))
                    if time.monotonic() - seen > 0.25:
                        area, seen = area + c.workers() * (time.monotonic() - seen), time.monotonic()
                threads.append(threading.Thread(target=one, args=(c,)))
                threads[-1].start()
            for thread in threads:
                thread.join(60)
        waits.sort()
        return {"requests": len(waits), "lost": len(lost), "p50 wait ms": quantile(waits, 0.5) * 1000, "p99 wait ms": quantile(waits, 0.99) * 1000,
                "longest ms": waits[-1] * 1000, "worker-seconds": area}
    return measure


def bench_traces():
    names = [n for n in ELASTIC if n in ("fcgipm, php-cgi",) or "dynamic" in n]
    table("A day in a minute: 1 to 40 requests of 50 ms a second and back", rounds(replay(diurnal), names))
    table("A flash crowd: 2 requests of 50 ms a second, 100 for a quarter of a minute", rounds(replay(flash), names))


def cpu_s(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def flood(address, connections, ms, rate=None, query="no"):
    first = ["nice", "-n", "-10"] if query != "no" and os.geteuid() == 0 else []  # what is measured is not how soon the client runs
    out = subprocess.run([*first, BUILD / "tests/bench/flood", str(address), str(connections), str(ms), *([str(rate)] if rate else [])], capture_output=True,
                         text=True, check=True, env={**os.environ, "FLOOD_QUERY": query}).stdout.split()
    return {**dict(zip(("a second", "failed", "p50 us", "p99 us", "took us"), map(float, out))), "stood ms": [float(t) for t in out[5].split(",")]}


@contextmanager
def manager(text):
    place = Path(tempfile.mkdtemp(prefix="fcgipm-bench.", dir="/tmp"))
    place.chmod(0o755)
    shutil.copytree(BUILD / "tests/apps", place / "apps")
    m = Manager(place, text)
    m.event("ready", timeout=120)
    try:
        yield m
    finally:
        m.stop()
        shutil.rmtree(place, ignore_errors=True)


def bench_flood():
    print("\nWhat the manager costs under a flood of one pool, 5 s each")
    for what, workers, rate in (("10,000 a second, at its max", "min: 8, max: 8", 10000), ("10,000 a second, elastic", "min: 2, max: 64", 10000),
                                ("as many as it can, elastic", "min: 2, max: 64", None)):
        with manager(f"pools:\n  app: {{command: [@DIR@/apps/app], user: nobody, workers: {{{workers}}}}}\n") as m:
            before = cpu_s(m.manager_pid)
            got = flood(m.socket(), 16, 5000, rate)
            used = cpu_s(m.manager_pid) - before
            print(f"  {what.ljust(32)} {got['a second']:8.0f} served a second, {got['failed']:.0f} failed, manager {used / 5 * 100:.1f} % of a core, "
                  f"{m.pool()['workers']['total']} workers")
    text = "manager: {runtime_directory: @RUN@, max_workers: 400}\npools:\n" + "".join(
        f"  {name}: {{command: [@DIR@/apps/app], user: nobody, workers: {{min: 1, max: {most}, idle_timeout: 100ms}}}}\n" for name, most in (("flooded", 64), ("other", 16)))
    took = []
    with manager(text) as m:
        noise = subprocess.Popen([BUILD / "tests/bench/flood", str(m.socket("flooded")), "16", "60000"], stdout=subprocess.DEVNULL)
        for _ in range(200):
            ready = wait_for(lambda: (w := m.pool("other")["workers"])["total"] == w["idle"] <= 2 and w["idle"])
            seen = len(m.events)
            stood = flood(m.socket("other"), 6, 30, query="sleep=60")["stood ms"]
            begun = stood[min(ready, len(stood) - 1)]  # the first one that no worker is free for
            born = [e["time"] for e in m.events[seen:] if e["event"] == "worker.start" and e["pool"] == "other"]
            if born:
                took.append(datetime.datetime.fromisoformat(born[0].replace("Z", "+00:00")).timestamp() * 1000 - begun)
        noise.kill()
        noise.wait()
    took.sort()
    print(f"  meanwhile another pool's saturation is answered by a fork after (ms): median {quantile(took, 0.5):.1f}, p99 {quantile(took, 0.99):.1f}, of {len(took)}")


def bench_many():
    count = 5000
    text = "defaults: {workers: {min: 0, max: 8}}\npools:\n" + "".join(f"  p{i}: {{command: [@DIR@/apps/app], user: nobody}}\n" for i in range(count))
    begun = time.monotonic()
    with manager(text) as m:
        up = time.monotonic() - begun
        held = {who: kb(pid) / 1024 for who, pid in (("launcher", m.launcher_pid), ("manager", m.manager_pid))}
        time.sleep(15)  # the looks after the start
        first, boots = [], []
        for i in range(0, count, 250):
            begun = time.monotonic()
            request(m.socket(f"p{i}"), "")
            first.append((time.monotonic() - begun) * 1000)
        for _ in range(20):
            begun = time.monotonic()
            subprocess.run([m.place / "apps/app"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            boots.append((time.monotonic() - begun) * 1000)
        m.write(text.replace("p7: {command: [@DIR@/apps/app]", "p7: {umask: \"0077\", command: [@DIR@/apps/app]"))
        begun = time.monotonic()
        m.cli("reload", check=0)
        reloaded = time.monotonic() - begun
        print(f"\n{count} sleeping pools: up after {up:.2f} s, launcher {held['launcher']:.1f} MB, manager {held['manager']:.1f} MB; the first request of one "
              f"(ms): median {statistics.median(first):.1f}, longest {max(first):.1f}, where the application alone boots and ends in {statistics.median(boots):.1f}; "
              f"reload with one changed {reloaded:.2f} s")


def bench_restart():
    table("Restart under load, 10 times", rounds(under_load(lambda c: c.restart()), CANDIDATES))


def bench_reload():
    table("Reload under load (a changed limit; php-fpm knows only its restart), 10 times", rounds(under_load(lambda c: c.reload()), CANDIDATES))


def bench_start():
    table("From the command to 200 workers that accept, and what the privileged process and the manager hold then",
          rounds(start_of(200), [n for n in CANDIDATES if n != "fcgipm, C"]))
    table("The same with 1,000 workers", rounds(start_of(1000), ["fcgipm, C"]))


SECTIONS = {"restart": bench_restart, "reload": bench_reload, "start": bench_start, "latency": launcher_latency, "burst": bench_burst, "many": bench_many,
            "flood": bench_flood, "traces": bench_traces, "web": lambda: web.requests(BUILD, ROUNDS), "large": lambda: web.large(BUILD, ROUNDS), "waiting": lambda: web.waiting(BUILD, ROUNDS),
            "prefork": lambda: prefork.everything(ROUNDS), "exec": lambda: execbench.everything(ROUNDS)}
PARTS = {f"{s}-{name}": part for s, module in (("prefork", prefork), ("exec", execbench)) for name, part in module.PARTS.items()}  # of a section, by themselves


def main():
    pwd.getpwnam("nobody")
    print(f"conditions: {platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}, medians of {ROUNDS} "
          f"rounds; {WORKERS} workers, {CLIENTS} clients in a closed loop, requests of 20 ms; in brackets a ratio")
    if not PHP_FPM:
        print("php-fpm is not installed: no peer beside us")
    for name in sys.argv[2:] or SECTIONS:
        if name in PARTS:
            PARTS[name](ROUNDS)
        else:
            SECTIONS[name]()


main()
