"""What pre-fork is worth: php-cgi forked from a template beside php-fpm, pools that sleep, and what the library and the manager cost under requests.

Both PHPs have the same php.ini and extensions, opcache on.  Candidates alternate; medians of ROUNDS rounds."""
import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from conftest import Manager, children_of, wait_for
from fcgi import Load, request
from frontends import free_port
from web import wrk

PHP_FPM = next(iter(sorted(Path("/usr/sbin").glob("php-fpm*"))), None)
SECONDS = int(os.environ.get("BENCH_SECONDS", "3"))
FORKS = 11  # that are timed
SETTLE_S = 3  # before memory is counted
INI = "opcache.enable=1\nopcache.file_update_protection=0\n"
SLEEP = """<?php
if (preg_match('/^sleep=(\\d+)/', $_SERVER['QUERY_STRING'] ?? '', $m)) usleep($m[1] * 1000);
echo 'pid=', getmypid(), "\\n";
"""
WORK = SLEEP.replace("<?php\n", "<?php\nfor ($i = 0; $i < 50; $i++) require __DIR__ . \"/part$i.php\";\n")
PART = """<?php
class Part{i} {{
    private array $names = ['one', 'two', 'three'];
    public function join(string $by): string {{ return implode($by, array_map(fn ($n) => "$n-{i}", $this->names)); }}
    public function count(): int {{ return count($this->names) + {i}; }}
}}
$parts[] = (new Part{i}())->join(', ');
"""
NGINX = """
daemon off; pid {dir}/nginx.pid; error_log {dir}/nginx.log; worker_processes 2; {user}
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; client_body_temp_path {dir}/b; fastcgi_temp_path {dir}/f; proxy_temp_path {dir}/p; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  server {{ listen 127.0.0.1:{port};
{locations}
  }}
}}
"""


@contextmanager
def traced_forks(comm):
    """Milliseconds from each clone3() of such a process to the next accept4() of another, as the kernel has them (tracefs); stays empty where it may not be asked."""
    trace, calls, times = Path(f"/sys/kernel/tracing/instances/fcgipm-bench-{os.getpid()}"), ("clone", "accept4"), []
    try:
        trace.mkdir()
    except OSError:
        yield times
        return
    try:
        for call in calls:
            (trace / f"events/syscalls/sys_enter_{call}/enable").write_text("1")
        yield times
        forked = None
        for pid, at, call in re.findall(rf"^ *{comm}-(\d+) .* ([0-9.]+): sys_(\w+)\(", (trace / "trace").read_text(), re.M):
            if call == "clone" and not forked:
                forked = pid, float(at)
            elif call == "accept4" and forked and pid != forked[0]:
                times.append((float(at) - forked[1]) * 1000)
                forked = None
    finally:
        for call in calls:
            (trace / f"events/syscalls/sys_enter_{call}/enable").write_text("0")
        trace.rmdir()


def scan_dir():
    """The extensions that the distribution turns on; one directory for both."""
    return next(iter(sorted(Path("/etc/php").glob("*/fpm/conf.d"))))


def pss_kb(pids):
    """Shared pages counted in parts."""
    total = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += int(re.search(r"^Pss:\s+(\d+)", rollup, re.M).group(1))
    return total


@contextmanager
def place():
    """A directory that pools can read, with applications and pages."""
    path = Path(tempfile.mkdtemp(prefix="fcgipm-bench.", dir="/tmp"))
    path.chmod(0o755)
    shutil.copytree(Path(os.environ["FCGIPM_BUILD"]) / "tests/apps", path / "apps")
    shutil.copytree(Path(__file__).parent.parent / "integration/apps", path / "apps", dirs_exist_ok=True)
    (path / "www").mkdir()
    (path / "www/hello.php").write_text("<?php header('Content-Type: text/plain'); echo \"hello\\n\";")
    (path / "www/sleep.php").write_text(SLEEP)
    (path / "www/work.php").write_text(WORK)
    (path / "php.ini").write_text(INI)
    for i in range(50):
        (path / f"www/part{i}.php").write_text(PART.format(i=i))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


# ---- the candidates ----

def memory_of(crew, m=None):
    """PSS in MB of all, and without the templates of that manager: what one has for itself it has for forking."""
    templates = {int(e["pid"]) for e in m.events if e["event"] == "template.ready"} if m else set()
    return [pss_kb(pids) / 1024 for pids in (crew, [p for p in crew if p not in templates])]


def ready(m):
    """A manager that does not come up is none that stays."""
    try:
        m.event("ready", timeout=60)
    except AssertionError:
        m.stop()
        raise


class Ours:
    """php-cgi as a pool."""

    def __init__(self, path, workers, start="prefork"):
        self.extra = {"SCRIPT_FILENAME": str(path / "www/work.php")}
        self.m = Manager(path, "pools:\n" + php_pool("app", f"start: {start}, {workers}"))
        ready(self.m)
        self.address = self.m.socket()
        request(self.address, "", **self.extra)

    def crew(self):
        """Workers, and the template."""
        return [p for p in children_of(self.m.launcher_pid) if p != self.m.manager_pid and "php-cgi" in Path(f"/proc/{p}/cmdline").read_text()]

    def masters(self):
        return [self.m.launcher_pid, self.m.manager_pid]

    def close(self):
        self.m.stop()


def php_pool(name, workers):
    return (f"  {name}: {{command: [/usr/bin/php-cgi, -c, @DIR@/php.ini], user: nobody, environment: {{PHP_FCGI_MAX_REQUESTS: \"0\", PHP_INI_SCAN_DIR: {scan_dir()}}}, "
            f"workers: {{{workers}}}}}\n")


class Fpm:
    def __init__(self, path, how, first=0):
        self.address = path / "fpm.sock"
        self.extra = {"SCRIPT_FILENAME": str(path / "www/work.php")}
        user = "user = nobody\ngroup = nogroup\nlisten.mode = 0666" if os.geteuid() == 0 else ""
        (path / "fpm.conf").write_text(f"[global]\nerror_log = {path}/fpm.log\ndaemonize = no\n[app]\n{user}\nlisten = {self.address}\nlisten.backlog = 511\n{how}\n")
        self.process = subprocess.Popen([PHP_FPM, "-c", path / "php.ini", "-y", path / "fpm.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                                        env={**os.environ, "PHP_INI_SCAN_DIR": str(scan_dir())})
        wait_for(lambda: self.address.exists() and len(self.crew()) >= first)
        request(self.address, "", **self.extra)

    def crew(self):
        return children_of(self.process.pid)

    def masters(self):
        return [self.process.pid]

    def close(self):
        self.process.terminate()
        self.process.wait(20)


class Alone:
    """php-cgi with children of its own: what is left of a difference to php-fpm when fcgipm is not there."""

    def __init__(self, path, children):
        self.address = path / "alone.sock"
        self.extra = {"SCRIPT_FILENAME": str(path / "www/work.php")}
        user = ["-u", "nobody", "-U", "nobody"] if os.geteuid() == 0 else []
        self.process = subprocess.Popen(["spawn-fcgi", "-n", "-s", self.address, "-M", "0666", "-b", "511", *user, "--", "/usr/bin/php-cgi", "-c", path / "php.ini"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                                        env={**os.environ, "PHP_INI_SCAN_DIR": str(scan_dir()), "PHP_FCGI_CHILDREN": str(children), "PHP_FCGI_MAX_REQUESTS": "0"})
        wait_for(lambda: len(children_of(self.process.pid)) == children)
        request(self.address, "", **self.extra)

    def close(self):
        self.process.terminate()
        self.process.wait(20)


DYNAMIC = "pm = dynamic\npm.max_children = 64\npm.start_servers = 2\npm.min_spare_servers = 1\npm.max_spare_servers = 3"
ONDEMAND = "pm = ondemand\npm.max_children = 64\npm.process_idle_timeout = 10s"


def static(count):
    return f"pm = static\npm.max_children = {count}"


@contextmanager
def running(make, path):
    candidate = make(path)
    try:
        yield candidate
    finally:
        candidate.close()


def shown(values, digits=2):
    return ", ".join(f"{v:.{digits}f}" for v in values)


# ---- the sections ----

def burst(rounds):
    """The pages of both were asked for once before, so that opcache has them."""
    print(f"\n64 requests of 1 s at once, 2 of 64 workers (ondemand: none): seconds until all are served, {rounds} times")
    among = {"fcgipm, pre-forked": lambda p: Ours(p, "min: 2, max: 64"), "fcgipm, exec": lambda p: Ours(p, "min: 2, max: 64", start="exec")}
    if PHP_FPM:
        among |= {"php-fpm dynamic": lambda p: Fpm(p, DYNAMIC, 2), "php-fpm ondemand": lambda p: Fpm(p, ONDEMAND)}
    rows = [(name, make, "sleep") for name, make in among.items()] + [("the same, 50 files", among["fcgipm, pre-forked"], "work")]
    took, failed, bare = {name: [] for name, _, _ in rows}, {name: 0 for name, _, _ in rows}, []
    for _ in range(rounds):
        for name, make, page in rows:
            with place() as path, running(make, path) as c:
                script = str(path / f"www/{page}.php")
                assert request(c.address, "sleep=1", SCRIPT_FILENAME=script).startswith(b"pid="), page
                time.sleep(1)
                got = at_once(c.address, 64, "sleep=1000", script)
                took[name].append(got[4] / 1e6)
                failed[name] += int(got[1])
        forks = subprocess.run([Path(os.environ["FCGIPM_BUILD"]) / "tests/bench/forks", "62"], capture_output=True, text=True, check=True)
        bare.append(float(forks.stdout) / 1000)
    ours = statistics.median(took["fcgipm, pre-forked"])
    for name, values in took.items():
        print(f"  {name.ljust(20)} median {statistics.median(values):6.2f} (x{statistics.median(values) / ours:.1f}) of {shown(values)}; {failed[name]} failed")
    print(f"  what the machine takes for that: a C program forks 62 times, and each touches as many pages as php-cgi until its first answer: "
          f"median {statistics.median(bare):.2f} of {shown(bare)}")


def at_once(address, count, query, script):
    out = subprocess.run([Path(os.environ["FCGIPM_BUILD"]) / "tests/bench/flood", str(address), str(count), "0"], capture_output=True, text=True, check=True,
                         env={**os.environ, "FLOOD_QUERY": query, "FLOOD_SCRIPT": script}).stdout.split()
    return [float(n) for n in out[:5]]


def memory(rounds):
    """The others of the machine share pages of the C library with both; PSS counts that alike."""
    count, among = 16, {"fcgipm": lambda p: Ours(p, "min: 16, max: 16")}
    if PHP_FPM:
        among["php-fpm static"] = lambda p: Fpm(p, static(16), 16)
    seen = {name: {"before": [], "after": [], "alone": [], "masters": []} for name in among}
    for _ in range(rounds):
        for name, make in among.items():
            with place() as path, running(make, path) as c:
                extra = 1 if name == "fcgipm" else 0  # the template
                wait_for(lambda: len(c.crew()) == count + extra)
                time.sleep(SETTLE_S)
                manager = c.m if name == "fcgipm" else None
                seen[name]["before"].append(memory_of(c.crew(), manager)[0])
                with Load(c.address, "sleep=20", clients=count, **c.extra) as l:
                    l.wait(40 * count, timeout=60)
                time.sleep(SETTLE_S)
                assert not l.failures and len(l.pids) == count, (l.failures[:3], len(l.pids))
                after, alone = memory_of(c.crew(), manager)
                seen[name]["after"].append(after)
                seen[name]["alone"].append(alone)
                seen[name]["masters"].append(pss_kb(c.masters()) / 1024)
    print(f"\nPSS in MB of {count} PHP workers, 50 files included, before and after 40 requests each; fcgipm's include the template")
    for name, row in seen.items():
        before, after, alone, masters = (statistics.median(row[key]) for key in ("before", "after", "alone", "masters"))
        what = "launcher and manager" if name == "fcgipm" else "master"
        print(f"  {name.ljust(16)} before {before:6.1f}, after {after:6.1f}, the workers alone {alone:6.1f}; its {what} {masters:5.1f}, with that {after + masters:6.1f}")


def nginx(path, sockets):
    """{name: socket} as locations /name/page; the port and the process.  In a session of its own, like each PHP, as under a service manager: the kernel shares processors out by session."""
    port = free_port()
    locations = "\n".join(f"    location ~ ^/{name}/(.*)$ {{ include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME {path}/www/$1.php; fastcgi_pass unix:{address}; }}" for name, address in sockets.items())
    (path / "nginx.conf").write_text(NGINX.format(dir=path, port=port, locations=locations, user="user www-data;" if os.geteuid() == 0 else ""))
    process = subprocess.Popen(["/usr/sbin/nginx", "-c", path / "nginx.conf"], start_new_session=True)
    wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
    return port, process


def php_behind_nginx(rounds):
    if not PHP_FPM:
        return
    with place() as path, running(lambda p: Ours(p, "min: 8, max: 8"), path) as ours, running(lambda p: Fpm(p, static(8), 8), path) as fpm, running(lambda p: Alone(p, 8), path) as alone:
        port, process = nginx(path, {"fcgipm": ours.address, "php-fpm": fpm.address, "php-cgi": alone.address})
        try:
            for page in ("hello", "work"):
                got = {"fcgipm": [], "php-fpm": [], "php-cgi": []}
                for name in got:
                    answer = subprocess.run(["curl", "-sf", f"http://127.0.0.1:{port}/{name}/{page}"], capture_output=True, check=True).stdout
                    assert answer.startswith((b"hello", b"pid=")), answer
                for i in range(max(rounds, 7)):
                    for name in sorted(got, reverse=i % 2 == 1):
                        wrk(f"http://127.0.0.1:{port}/{name}/{page}", 16, 1)
                        got[name].append(wrk(f"http://127.0.0.1:{port}/{name}/{page}", 16, SECONDS))
                show_pages({"hello": "a hello page", "work": "a page that includes 50 files"}[page], got)
        finally:
            process.terminate()
            process.wait(20)


def show_pages(what, got):
    print(f"\nPHP behind nginx, {what}: 16 clients with kept connections, 8 workers each (php-cgi: its own children), opcache on; medians of {len(got['fcgipm'])} rounds of {SECONDS} s in turns")
    keys = ("a second", "p50 ms", "p99 ms")
    medians = {name: {key: statistics.median(r[key] for r in rounds) for key in keys} for name, rounds in got.items()}
    for name, m in medians.items():
        ratios = ", ".join(f"{key} x{m[key] / medians['php-fpm'][key]:.3f}" for key in keys) if name != "php-fpm" else ""
        print(f"  {name.ljust(10)} {m['a second']:8.0f} a second, p50 {m['p50 ms']:6.2f} ms, p99 {m['p99 ms']:6.2f} ms, {sum(r['failed'] for r in got[name])} failed  {ratios}")


def sleeping(_, count=int(os.environ.get("BENCH_POOLS", "1000")), asked=100):
    print(f"\n{count} php-cgi pools that sleep (min 0): PSS a pool, and the first request of {asked} of them")
    for keep in ("keep", "drop"):
        with place() as path:
            text = (f"manager: {{runtime_directory: @RUN@, max_workers: {2 * count}}}\ndefaults: {{workers: {{start: prefork, min: 0, max: 4, idle_timeout: 1s, template: {keep}}}}}\n"
                    "pools:\n" + "".join(php_pool(f"p{i}", "") for i in range(count)))
            begun = time.monotonic()
            m = Manager(path, text)
            try:
                m.event("ready", timeout=300)
                wait_for(lambda: keep == "drop" or sum(e["event"] == "template.ready" for e in m.events) == count, timeout=600)
                up = time.monotonic() - begun
                time.sleep(15)  # the looks after the start
                pids = [p for p in children_of(m.launcher_pid) if p != m.manager_pid]
                held, masters = pss_kb(pids), pss_kb([m.launcher_pid, m.manager_pid])
                first = sorted(first_request(m.socket(f"p{i}"), path) for i in range(0, count, count // asked))
                print(f"  template {keep}: {len(pids)} processes asleep after {up:.1f} s; {held / count:.0f} kB a pool, launcher and manager {masters / count:.1f} kB a pool; "
                      f"first request: median {statistics.median(first):.1f} ms, p99 {first[int(len(first) * 0.99)]:.1f} ms")
            finally:
                m.stop(timeout=120)


def first_request(address, path):
    begun = time.monotonic()
    request(address, "", SCRIPT_FILENAME=str(path / "www/hello.php"))
    took = (time.monotonic() - begun) * 1000
    time.sleep(0.02)  # the manager is at rest again
    return took


def overhead(_):
    build = Path(os.environ["FCGIPM_BUILD"])
    out = subprocess.run([build / "tests/bench/overhead", build / "lib/fcgipm/libfcgipm-prefork.so", "31", "20000"], capture_output=True, text=True, check=True).stdout
    columns = list(zip(*(map(float, line.split()) for line in out.splitlines())))
    print("\nWhat the library adds to accept, read, write and close of a request, ns (of 31 rounds in turns, each the median of 20,000 requests)")
    for what, pick in (("quietest round", min), ("median round", statistics.median)):
        plain, looks, library = (pick(c) for c in columns)
        print(f"  {what.ljust(16)} without it {plain:.0f}; with it +{library - plain:.0f}, of which the look for a client that has gone {looks - plain:+.0f} (one poll), all else {library - looks:+.0f}")


def switches(pid):
    return sum(int(n) for n in re.findall(r"^(?:non)?voluntary_ctxt_switches:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M))


def wakeups(rounds):
    """C workers, so many that some are always spare."""
    print("\nWhat wakes the manager in 5 s: context switches, on a pool of 64 workers and 16 clients")
    with place() as path:
        m = Manager(path, "pools:\n  app: {command: [@DIR@/apps/app], user: nobody, workers: {start: prefork, min: 64, max: 128}}\n")
        try:
            m.event("ready", timeout=60)
            pid = m.manager_pid
            request(m.socket(), "")
            time.sleep(2)
            for _ in range(rounds):
                counts = {}
                for what, rate in (("idle", None), ("busy", "10000")):
                    before = switches(pid)
                    got = flood(m.socket(), rate) if rate else time.sleep(5)
                    counts[what] = switches(pid) - before
                print(f"  idle {counts['idle']}; under {got[0]:.0f} requests a second ({got[1]:.0f} failed) {counts['busy']}")
        finally:
            m.stop()


def flood(address, rate):
    out = subprocess.run([Path(os.environ["FCGIPM_BUILD"]) / "tests/bench/flood", str(address), "16", "5000", rate], capture_output=True, text=True, check=True).stdout.split()
    return float(out[0]), float(out[1])


class Rails:
    """A small Rails application, eager_load."""

    def __init__(self, path, start, environment="", workers=8):
        self.workers = workers
        self.text = (f"manager: {{runtime_directory: @RUN@, log: {{level: debug}}}}\npools:\n  app: {{command: [/usr/bin/ruby, @DIR@/apps/forked-rails.rb], user: nobody, environment: {{{environment}}}, "
                     f"workers: {{start: {start}, min: {workers}, max: {workers + FORKS}, boot_parallel: 1}}}}\n")
        self.m = Manager(path, self.text)
        ready(self.m)
        self.scale(workers)

    def crew(self):
        return [p for p in children_of(self.m.launcher_pid) if p != self.m.manager_pid]

    def load(self, **more):
        return Load(self.m.socket(), "", script="/", clients=self.workers, **more)

    def scale(self, count):
        """Comes back when there are so many."""
        self.m.cli("scale", "app", "--min", count, "--max", count, check=0)

    def fork_ms(self):
        """From fork to accept, one at a time."""
        with traced_forks("ruby") as times:
            for more in range(1, FORKS + 1):
                self.scale(self.workers + more)
        assert len(times) in {0, FORKS}, times
        return times

    def start_ms(self):
        """Of one worker, from the order to its first accept, while the crew came one after the other."""
        begun = next(e["time"] for e in reversed(self.m.events) if e["event"] in ("template.ready", "listener.bound"))
        ready = [e["time"] for e in self.m.events if e["event"] == "worker.ready"][:self.workers]
        first, last = (datetime.fromisoformat(at.replace("Z", "+00:00")) for at in (begun, ready[-1]))
        return (last - first).total_seconds() * 1000 / self.workers

    def close(self):
        self.m.stop(timeout=60)


def rails(_):
    print("\nRails, 8 workers: PSS in MB of all (the template too), and of the workers alone, before any request and after 200 each")
    kinds = {"exec": ("exec", ""), "pre-forked": ("prefork", ""), "and compacted before": ("prefork", 'COMPACT: "1"'),
             "and warmed up": ("prefork", 'COMPACT: "1", WARM: "1"'), "and MALLOC_ARENA_MAX=1": ("prefork", 'COMPACT: "1", WARM: "1", MALLOC_ARENA_MAX: "1"')}
    base = None
    for name, (start, environment) in kinds.items():
        with place() as path, running(lambda p, s=start, e=environment: Rails(p, s, e), path) as c:
            time.sleep(SETTLE_S)
            before = memory_of(c.crew(), c.m)
            with c.load() as l:
                l.wait(200 * c.workers, timeout=120)
            assert not l.failures, l.failures[:3]
            after = memory_of(c.crew(), c.m)
            base = base or (before[0], after[0])
            assert len(l.pids) == c.workers, l.pids
            said = [f"{what} {m[0]:6.1f} (x{m[0] / b:.2f}), the workers alone {m[1]:6.1f} (x{m[1] / b:.2f})" for what, m, b in zip(("before", "after"), (before, after), base)]
            forks = c.fork_ms() if start == "prefork" else []
            alone = f", one by itself from fork to accept {statistics.median(forks):.1f} ({min(forks):.1f} to {max(forks):.1f})" if forks else ""
            print(f"  {name.ljust(23)} {'; '.join(said)}; {c.start_ms():.1f} ms a worker when {c.workers} come in a row{alone}")
    with place() as path, running(lambda p: Rails(p, "prefork"), path) as c:
        with c.load() as l:
            l.wait(100, timeout=60)
            steady, peak, begun = pss_kb(c.crew()), 0, time.monotonic()
            old = set(c.crew())
            c.m.write(c.text.replace("user: nobody", "user: nobody, umask: \"0077\""))
            reload = subprocess.Popen([c.m.build / "bin/fcgipm", "-s", c.m.run / "control.sock", "reload"])
            while reload.poll() is None or old & set(c.crew()):
                peak = max(peak, pss_kb(c.crew()))
                time.sleep(0.05)
            took = time.monotonic() - begun
            l.wait(100, timeout=60)
        print(f"  reloaded under load from 8 clients: {took:.2f} s, {len(l.failures)} of {l.served} requests lost; PSS {steady / 1024:.0f} MB, at its peak {peak / 1024:.0f} MB")


PARTS = {"burst": burst, "memory": memory, "nginx": php_behind_nginx, "sleeping": sleeping, "overhead": overhead, "wakeups": wakeups, "rails": rails}


def everything(rounds):
    for part in PARTS.values():
        part(rounds)
