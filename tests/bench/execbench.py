"""CGI: fcgipm's exec broker behind mod_fcgipm, beside mod_cgid (and mod_cgi) in the same httpd, and fcgiwrap behind nginx.  A trivial compiled program.

CPU is that of the whole machine but for wrk: run it where nothing else does."""
import os
import resource
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from conftest import Manager, wait_for
from frontends import free_port
from web import MODULES, wrk

SECONDS = int(os.environ.get("BENCH_SECONDS", "3"))
PROGRAM = """#include <unistd.h>
int main(void) { static const char t[] = "Content-Type: text/plain\\r\\n\\r\\nhello\\n"; return write(1, t, sizeof(t) - 1) < 0; }
"""
POOLS = "pools: {}\nexec:\n  cgi: {roots: [@DIR@/cgi], user: nobody, clients: [www-data, root], file_owner: any, max_running: 64, queue: {limit: 4000}}\n"
HTTPD = """
ServerRoot {dir}
DefaultRuntimeDir {dir}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {dir}/httpd.{mpm}.pid
ErrorLog {dir}/httpd.{mpm}.log
LogLevel warn
DocumentRoot {dir}/cgi
LoadModule mpm_{mpm}_module {modules}/mod_mpm_{mpm}.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule alias_module {modules}/mod_alias.so
LoadModule {cgi}_module {modules}/mod_{cgi}.so
LoadModule fcgipm_module {build}/lib/httpd/modules/mod_fcgipm.so
LoadModule big_module {build}/tests/modules/mod_big.so
BigMegabytes {big}
{user}
{processes}
{cgid}
KeepAlive On
MaxKeepAliveRequests 0
ListenBacklog 4000
FcgipmControl {run}/control.sock
<Directory />
  Require all granted
  AllowOverride None
  Options +ExecCGI
</Directory>
Alias /plain/ {dir}/cgi/
Alias /fcgipm/ {dir}/cgi/
<Location /plain/>
  SetHandler cgi-script
</Location>
<Location /fcgipm/>
  SetHandler fcgipm-cgi
  FcgipmExecProfile cgi
</Location>
"""
PROCESSES = {"event": "StartServers 1\nServerLimit 2\nThreadsPerChild 64\nMaxRequestWorkers 128\nMinSpareThreads 1\nMaxSpareThreads 128",
             "prefork": "StartServers 8\nMinSpareServers 8\nMaxSpareServers 80\nServerLimit 80\nMaxRequestWorkers 80"}
NGINX = """
daemon off; pid {dir}/nginx.pid; error_log {dir}/nginx.log; worker_processes 2; {user}
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; client_body_temp_path {dir}/b; fastcgi_temp_path {dir}/f; proxy_temp_path {dir}/p; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  server {{ listen 127.0.0.1:{port} backlog=4000;
    location / {{ include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME {dir}/cgi/hello; fastcgi_pass unix:{dir}/fcgiwrap.sock; }}
  }}
}}
"""


def cpu_s():
    """Of the whole machine but the load generator: mod_cgid's programs are nobody's children to be waited for, and in no process' count."""
    fields = [int(n) for n in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _, _, irq, softirq, _ = fields
    loads = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK") - loads.ru_utime - loads.ru_stime


class Stage:
    def __init__(self, build):
        self.dir, self.build = Path(tempfile.mkdtemp(prefix="fcgipm-bench.", dir="/tmp")), build
        self.dir.chmod(0o755)
        (self.dir / "cgi").mkdir()
        (self.dir / "hello.c").write_text(PROGRAM)
        for name, how in (("hello", []), ("static", ["-static"])):
            subprocess.run(["gcc", "-O2", *how, "-o", self.dir / "cgi" / name, self.dir / "hello.c"], check=True)
        self.manager = Manager(self.dir, POOLS)
        self.manager.event("ready", timeout=60)
        self.servers = []

    def start(self, command, port, **more):
        process = subprocess.Popen(command, start_new_session=True, **more)
        self.servers.append(process)
        if port:
            wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        return process

    def httpd(self, mpm="event", cgi="cgid", big=0):
        port, root = free_port(), os.geteuid() == 0
        (self.dir / f"httpd.{mpm}.conf").write_text(HTTPD.format(
            dir=self.dir, port=port, mpm=mpm, cgi=cgi, modules=MODULES, build=self.build, run=self.manager.run, big=big, processes=PROCESSES[mpm],
            user="User www-data\nGroup www-data" if root else "", cgid=f"ScriptSock {self.dir}/cgid.sock" if cgi == "cgid" else ""))
        self.start(["/usr/sbin/apache2", "-DFOREGROUND", "-f", self.dir / f"httpd.{mpm}.conf"], port)
        return port

    def fcgiwrap(self, count):
        address, port, root = self.dir / "fcgiwrap.sock", free_port(), os.geteuid() == 0
        self.start_fcgiwrap(count, address)
        wait_for(address.exists)
        (self.dir / "nginx.conf").write_text(NGINX.format(dir=self.dir, port=port, user="user www-data;" if root else ""))
        self.start(["/usr/sbin/nginx", "-c", self.dir / "nginx.conf"], port)
        return port

    def start_fcgiwrap(self, count, address):
        """The socket's directory may be root's: it is bound here and handed over on descriptor 0."""
        account = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(address))
            address.chmod(0o666)
            s.listen(4000)
            return self.start(["fcgiwrap", "-c", str(count)], None, stdin=s.fileno(), **account)

    def close(self):
        for process in reversed(self.servers):
            process.terminate()
            process.wait(30)
        self.manager.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


@contextmanager
def stage(build):
    s = Stage(build)
    try:
        yield s
    finally:
        s.close()


def measure(url, clients):
    wrk(url, clients, 1)
    before = cpu_s()
    got = wrk(url, clients, SECONDS)
    got["a CPU-second"] = got["requests"] / max(cpu_s() - before, 0.01)
    return got


def ratio(rounds, ours, other, key):
    """Of neighbours in time: the machine's own speed changes from minute to minute by more than what is measured."""
    return statistics.median(a[key] / max(b[key], 0.001) for a, b in zip(rounds[ours], rounds[other]))


def show(title, rounds, against):
    keys = ("a second", "p50 ms", "p99 ms", "a CPU-second", "failed")
    medians = {name: {k: statistics.median(r[k] for r in got) for k in keys} for name, got in rounds.items()}
    ours = next(n for n in medians if n.startswith("mod_fcgipm"))
    print(f"\n{title}; requests of a trivial compiled program, medians of {len(rounds[ours])} rounds of {SECONDS} s in turns, ratios by round")
    for name, m in medians.items():
        ratios = ""
        if name == ours:
            ratios = "  " + ", ".join("x{:.2f} of {} a second (x{:.2f} a CPU-second, p99 x{:.2f})".format(
                ratio(rounds, ours, o, "a second"), o, ratio(rounds, ours, o, "a CPU-second"), ratio(rounds, ours, o, "p99 ms")) for o in against if o in medians)
        print(f"  {name.ljust(26)} {m['a second']:7.0f} a second  p50 {m['p50 ms']:7.2f} ms  p99 {m['p99 ms']:8.2f} ms  {m['a CPU-second']:6.0f} a CPU-second  {m['failed']:.0f} failed{ratios}")


def turns(rounds, candidates, clients):
    got = {name: [] for name in candidates}
    for i in range(rounds):
        for name in sorted(candidates, reverse=i % 2 == 1):
            got[name].append(measure(candidates[name], clients))
    return {name: got[name] for name in candidates}


def answers(url):
    said = subprocess.run(["curl", "-sf", url], capture_output=True, check=False).stdout
    assert said == b"hello\n", (url, said)


def cgi(rounds):
    build = Path(os.environ["FCGIPM_BUILD"])
    with stage(build) as s:
        port = s.httpd()
        nginx_port = s.fcgiwrap(64)
        base = f"http://127.0.0.1:{port}"
        candidates = {"mod_fcgipm, broker": f"{base}/fcgipm/hello", "mod_cgid": f"{base}/plain/hello", "nginx, fcgiwrap": f"http://127.0.0.1:{nginx_port}/"}
        for url in candidates.values():
            answers(url)
        for clients in (8, 64):
            show(f"CGI, httpd event, {clients} clients", turns(2 * rounds + 1, candidates, clients), ("mod_cgid", "nginx, fcgiwrap"))
        candidates = {"mod_fcgipm, broker": f"{base}/fcgipm/static", "mod_cgid": f"{base}/plain/static"}
        show("The same, linked statically, 8 clients", turns(2 * rounds + 1, candidates, 8), ("mod_cgid",))


def big(rounds):
    """httpd of 500 MB a child: only who forks there pays for it."""
    build = Path(os.environ["FCGIPM_BUILD"])
    with stage(build) as s:
        port, prefork_port = s.httpd(big=500), s.httpd("prefork", "cgi", 500)
        candidates = {"mod_fcgipm, broker": f"http://127.0.0.1:{port}/fcgipm/hello", "mod_cgid": f"http://127.0.0.1:{port}/plain/hello",
                      "mod_cgi, prefork": f"http://127.0.0.1:{prefork_port}/plain/hello"}
        for url in candidates.values():
            answers(url)
        show("CGI, children of 500 MB, 8 clients", turns(rounds, candidates, 8), ("mod_cgid", "mod_cgi, prefork"))


def ceiling(rounds):
    """Without a web server: what the machine can start at all, and what the broker makes of it."""
    build = Path(os.environ["FCGIPM_BUILD"])
    print("\nRuns of the same program without a web server: posix_spawn() from a small process, and the broker, a connection a client")
    with stage(build) as s:
        for clients in (1, 8, 64):
            got = {"posix_spawn": [], "broker": []}
            for _ in range(rounds):
                for name, more in (("posix_spawn", []), ("broker", [s.manager.run / "control.sock", "cgi"])):
                    out = subprocess.run([build / "tests/bench/runs", str(clients), str(SECONDS * 1000), s.dir / "cgi/hello", *more], capture_output=True, text=True, check=True).stdout
                    got[name].append([float(n) for n in out.split()])
            m = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in got.items()}
            print(f"  {clients:2} clients: " + "; ".join(f"{name} {v[0]:.0f} a second, p50 {v[2] / 1000:.2f}, p99 {v[3] / 1000:.2f} ms, {v[1]:.0f} failed" for name, v in m.items()) +
                  f"; x{m['broker'][0] / m['posix_spawn'][0]:.2f}")


PARTS = {"ceiling": ceiling, "cgi": cgi, "big": big}


def everything(rounds):
    for part in PARTS.values():
        part(rounds)
