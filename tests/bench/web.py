"""What a request costs on its way through httpd: mod_fcgipm, mod_proxy_fcgi, mod_fcgid, nginx and a static file of the same httpd as the floor."""
import os
import re
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

SECONDS = int(os.environ.get("BENCH_SECONDS", "3"))
MODULES = "/usr/lib/apache2/modules"
POOLS = """
manager: {runtime_directory: @RUN@}
pools:
  c: {command: [@DIR@/apps/app], user: nobody, workers: {min: 8, max: 8}}
  wait: {command: [/usr/bin/python3, @DIR@/apps/waiting.py], user: nobody, environment: {DIR: /tmp}, queue: {limit: 4000}, limits: {nofile: 8192}, workers: {min: 1, max: 1, concurrency: 2000}}
  php: {command: [/usr/bin/php-cgi], user: nobody, environment: {PHP_FCGI_MAX_REQUESTS: "0"}, workers: {min: 8, max: 8}}
"""
HTTPD = """
ServerRoot {dir}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {dir}/httpd.pid
ErrorLog {dir}/httpd.log
LogLevel warn
DocumentRoot {dir}/www
TypesConfig /etc/mime.types
{loads}
LoadModule fcgipm_module {build}/lib/httpd/modules/mod_fcgipm.so
{user}
ServerLimit {children}
StartServers {start}
ThreadsPerChild 64
MaxRequestWorkers {threads}
MinSpareThreads 64
MaxSpareThreads 256
ThreadLimit 64
AsyncRequestWorkerFactor 16
KeepAlive On
MaxKeepAliveRequests 0
ListenBacklog 4000
FcgipmControl {run}/control.sock
FcgidProcessTableFile {dir}/fcgid.shm
FcgidIPCDir {dir}/fcgid
FcgidMinProcessesPerClass 8
FcgidMaxProcessesPerClass 8
FcgidMaxRequestsPerProcess 0
FcgidInitialEnv PHP_FCGI_MAX_REQUESTS 0
<Directory />
  Require all granted
  AllowOverride None
  Options +ExecCGI
</Directory>
Alias /fcgipm/c {dir}/www/app
Alias /proxy/c {dir}/www/app
Alias /fcgipm/php {dir}/www/hello.php
Alias /proxy/php {dir}/www/hello.php
Alias /fcgid/php {dir}/www/hello.php
Alias /fcgid/c {dir}/apps/app.fcgi
<Location /fcgipm/c>
  SetHandler fcgipm:c
</Location>
<Location /fcgipm/php>
  SetHandler fcgipm:php
</Location>
<Location /fcgipm/wait>
  SetHandler fcgipm:wait
</Location>
<Location /proxy/wait>
  SetHandler "proxy:unix:{run}/pools/wait.sock|fcgi://wait"
</Location>
<Location /proxy/c>
  SetHandler "proxy:unix:{run}/pools/c.sock|fcgi://c"
</Location>
<Location /proxy/php>
  SetHandler "proxy:unix:{run}/pools/php.sock|fcgi://php"
  ProxyFCGISetEnvIf true SCRIPT_FILENAME {dir}/www/hello.php
</Location>
<Location /fcgid/c>
  SetHandler fcgid-script
</Location>
<Location /fcgid/php>
  SetHandler fcgid-script
  FcgidWrapper /usr/bin/php-cgi
</Location>
"""
NGINX = """
daemon off; pid {dir}/nginx.pid; error_log {dir}/nginx.log; worker_processes 2; user www-data;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; client_body_temp_path {dir}/b; fastcgi_temp_path {dir}/f; proxy_temp_path {dir}/p; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  server {{
    listen 127.0.0.1:{port} backlog=4000; include /etc/nginx/fastcgi_params;
    location /c {{ fastcgi_pass unix:{run}/pools/c.sock; }}
    location /php {{ include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME {dir}/www/hello.php; fastcgi_pass unix:{run}/pools/php.sock; }}
  }}
}}
"""
LOADS = ("mpm_event", "authz_core", "alias", "env", "mime", "proxy", "proxy_fcgi", "fcgid")
PATHS = {"static file": ("httpd", "/s.txt"), "mod_fcgipm": ("httpd", "/fcgipm/{app}"), "mod_proxy_fcgi": ("httpd", "/proxy/{app}"), "mod_fcgid": ("httpd", "/fcgid/{app}"),
         "nginx": ("nginx", "/{app}")}


def children(pid):
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_s(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(fields[i]) for i in (11, 12)) / os.sysconf("SC_CLK_TCK")


class Frontends:
    def __init__(self, place, manager, build, children=4, start=1):
        self.ports = {"httpd": free_port()}
        self.ports["nginx"] = free_port()
        user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
        names = {"dir": place, "run": manager.run, "build": build, "user": user, "children": children, "start": start, "threads": children * 64, "loads": "\n".join(f"LoadModule {n}_module {MODULES}/mod_{n}.so" for n in LOADS)}
        (place / "httpd.conf").write_text(HTTPD.format(port=self.ports["httpd"], **names))
        (place / "nginx.conf").write_text(NGINX.format(port=self.ports["nginx"], **names))
        self.processes = {"httpd": subprocess.Popen(["/usr/sbin/apache2", "-DFOREGROUND", "-f", place / "httpd.conf"], start_new_session=True),
                          "nginx": subprocess.Popen(["/usr/sbin/nginx", "-c", place / "nginx.conf"], start_new_session=True)}

    def url(self, who, path):
        return f"http://127.0.0.1:{self.ports[who]}{path}"

    def cpu(self, who):
        """Of the server alone: mod_fcgid's applications are children of one of its processes, and not counted."""
        pid = self.processes[who].pid
        return sum(cpu_s(p) for p in children(pid))

    def stop(self):
        for process in self.processes.values():
            process.terminate()
            process.wait(30)


@contextmanager
def everything(build, **more):
    place = Path(tempfile.mkdtemp(prefix="fcgipm-bench.", dir="/tmp"))
    place.chmod(0o755)
    shutil.copytree(build / "tests/apps", place / "apps")
    shutil.copy(Path(__file__).parent.parent / "integration/apps/waiting.py", place / "apps")
    shutil.copy(place / "apps/app", place / "apps/app.fcgi")
    (place / "www").mkdir()
    (place / "www/s.txt").write_text("static file\n")
    (place / "www/hello.php").write_text("<?php header('Content-Type: text/plain'); echo \"hello\\n\";")
    (place / "www/app").touch()
    (place / "fcgid").mkdir()
    (place / "fcgid").chmod(0o777)
    manager = Manager(place, POOLS)
    manager.event("ready", timeout=60)
    frontends = Frontends(place, manager, build, **more)
    try:
        for who, path in PATHS.values():
            for app in ("c", "php"):
                wait_for(lambda w=who, p=path, a=app: subprocess.run(["curl", "-sf", "-o", "/dev/null", frontends.url(w, p.format(app=a))], check=False).returncode == 0)
        yield frontends
    finally:
        frontends.stop()
        manager.stop()
        shutil.rmtree(place, ignore_errors=True)


def to_ms(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def wrk(url, clients, seconds):
    out = subprocess.run(["wrk", "--latency", "-t2", f"-c{clients}", f"-d{seconds}s", "--timeout", "20s", url], capture_output=True, text=True, check=True).stdout
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return {"requests": int(re.search(r"(\d+) requests in", out).group(1)), "a second": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
            "p50 ms": to_ms(re.search(r"^\s+50%\s+(\S+)", out, re.M).group(1)), "p99 ms": to_ms(re.search(r"^\s+99%\s+(\S+)", out, re.M).group(1)),
            "failed": int(errors.group(1)) if errors else 0}


def measure(frontends, who, path, clients):
    wrk(frontends.url(who, path), clients, 1)  # all are awake
    before = frontends.cpu(who)
    got = wrk(frontends.url(who, path), clients, SECONDS)
    got["cpu us"] = (frontends.cpu(who) - before) / max(got["requests"], 1) * 1e6
    return got


def show(app, clients, rounds):
    print(f"\n{app}, {clients} clients; 8 workers; CPU is the web server's own a request, and what it has more than for the static file")
    floor = statistics.median(r["cpu us"] for r in rounds["static file"])
    medians = {name: {key: statistics.median(r[key] for r in got) for key in got[0]} for name, got in rounds.items()}
    added = {name: m["cpu us"] - floor for name, m in medians.items()}
    peer = medians["mod_proxy_fcgi"]
    print("    (what mod_proxy_fcgi is the measure of: a second, p99, added CPU; a p99 of mod_fcgid near 1 s is its sleep when all processes are busy)")
    for name, m in medians.items():
        ratio = f"  a second x{m['a second'] / peer['a second']:.2f}, p99 x{m['p99 ms'] / peer['p99 ms']:.2f}, added CPU x{added[name] / added['mod_proxy_fcgi']:.2f}"
        print(f"  {name.ljust(16)} {m['a second']:8.0f} a second  p50 {m['p50 ms']:7.2f} ms  p99 {m['p99 ms']:8.2f} ms  CPU {m['cpu us']:6.1f} us (+{added[name]:5.1f})  "
              f"failed {m['failed']:.0f}{ratio if name not in ('static file', 'mod_proxy_fcgi') else ''}")


def requests(build, rounds):
    with everything(build) as frontends:
        for app in ("c", "php"):
            for clients in (16, 128):
                got = {name: [] for name in PATHS}
                for _ in range(rounds):
                    for name, (who, path) in PATHS.items():
                        got[name].append(measure(frontends, who, path.format(app=app), clients))
                show({"c": "C application", "php": "PHP"}[app], clients, got)


def large(build, rounds):
    """An answer of 1 GB."""
    names = [n for n in PATHS if n != "static file"]
    with everything(build) as frontends:
        got = {name: [] for name in names}
        for _ in range(rounds):
            for name in names:
                who, path = PATHS[name]
                before, begun = frontends.cpu(who), time.monotonic()
                size = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{size_download}", frontends.url(who, path.format(app="c")) + "?bytes=1073741824"], capture_output=True,
                                      text=True, check=True).stdout
                got[name].append({"cpu s": frontends.cpu(who) - before, "s": time.monotonic() - begun, "bytes": int(size)})
        print("\nAn answer of 1 GB from a C application")
        peer = statistics.median(r["cpu s"] for r in got["mod_proxy_fcgi"])
        for name in names:
            cpu = statistics.median(r["cpu s"] for r in got[name])
            print(f"  {name.ljust(16)} {statistics.median(r['s'] for r in got[name]):6.2f} s  CPU {cpu:5.2f} s (x{cpu / peer:.2f})  {got[name][0]['bytes']} bytes")


CROWD = """
import asyncio, sys, time
async def one(port, path):
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.0\\r\\n\\r\\n".encode())
        answer = await reader.read()
        writer.close()
        return b" 200 " in answer.split(b"\\r\\n")[0]
    except OSError as error:
        print(repr(error), file=sys.stderr)
        return False
async def main():
    begun = time.monotonic()
    good = await asyncio.gather(*[one(int(sys.argv[1]), sys.argv[2]) for _ in range(1000)])
    print(time.monotonic() - begun, sum(good))
asyncio.run(main())
"""


def static_wait(s):
    begun = time.monotonic()
    s.sendall(b"GET /s.txt HTTP/1.1\r\nHost: x\r\n\r\n")
    assert s.recv(65536)
    return (time.monotonic() - begun) * 1000


def static_waits(port, process):
    """What a static file took, again and again until the process has ended; ms.  httpd closes kept connections when it runs out of threads: then on another."""
    took, s = [], socket.create_connection(("127.0.0.1", port))
    while process.poll() is None:
        try:
            took.append(static_wait(s))
            time.sleep(0.002)
        except (OSError, AssertionError):
            s.close()
            s = socket.create_connection(("127.0.0.1", port))
    s.close()
    return sorted(took)


def first_bytes(port, path):
    """When the first part of an answer comes whose second the application writes a second later; ms."""
    took = []
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port)) as s:
            begun = time.monotonic()
            s.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            got = b""
            while not got.partition(b"\r\n\r\n")[2]:
                more = s.recv(65536)
                assert more
                got += more
            took.append((time.monotonic() - begun) * 1000)
    return sorted(took)


def waiting(build, rounds):
    """1,000 requests of 2 s at once on 128 threads."""
    names = {"mod_fcgipm": "/fcgipm/wait", "mod_proxy_fcgi": "/proxy/wait"}
    with everything(build, children=2, start=2) as frontends:
        print("\n1,000 requests of 2 s at once, two children of 64 threads, AsyncRequestWorkerFactor 16; a static file of the same httpd meanwhile")
        for name, path in names.items():
            for _ in range(rounds):
                crowd = subprocess.Popen(["/usr/bin/python3", "-c", CROWD, str(frontends.ports["httpd"]), path + "?wait=2"], stdout=subprocess.PIPE, text=True)
                took = static_waits(frontends.ports["httpd"], crowd)
                elapsed, good = crowd.communicate()[0].split()
                print(f"  {name.ljust(16)} all within {float(elapsed):6.2f} s, {good} answered; static file: median {took[len(took) // 2]:.2f} ms, p99 {took[int(len(took) * 0.99)]:.1f} ms of {len(took)}")
        for name, path in names.items():
            took = first_bytes(frontends.ports["httpd"], path + "?size=100&pieces=2&pause=1")
            print(f"  {name.ljust(16)} first byte of an answer that goes on a second later: median {took[10]:.1f} ms, longest {took[-1]:.1f} ms")
