"""A private httpd with mod_fcgipm on a free loopback port: any MPM, its log, its restarts, and what must hold when it ends."""
import http.client
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

from conftest import BUILD, ROOT, children_of, wait_for
from frontends import free_port

MODULES = Path("/usr/lib/apache2/modules")
MPMS = ("event", "worker", "prefork")
BASE = ("authz_core", "authz_host", "authn_core", "mime", "dir", "env", "status")
PROCESSES = {
    "prefork": "StartServers 4\nMinSpareServers 4\nMaxSpareServers 40\nServerLimit 40\nMaxRequestWorkers 40",
    "threads": "StartServers 1\nServerLimit 4\nThreadsPerChild 40\nMinSpareThreads 1\nMaxSpareThreads 120\nMaxRequestWorkers 120",
}
TEXT = """
ServerRoot {dir}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {dir}/httpd.pid
DefaultRuntimeDir {dir}
ErrorLog {dir}/error.log
TypesConfig /etc/mime.types
ErrorLogFormat "%M"
LogLevel warn mpm_{mpm}:notice fcgipm:info
DocumentRoot {root}
{loads}
LoadModule fcgipm_module {build}/lib/httpd/modules/mod_fcgipm.so
{processes}
{user}
Timeout 20
KeepAliveTimeout 5
GracefulShutdownTimeout 10
FcgipmControl {control}
ExtendedStatus On
<Directory />
  Require all granted
  AllowOverride All
</Directory>
<Location /server-status>
  SetHandler server-status
</Location>
{more}
"""


def loads(mpm, modules):
    names = [f"mpm_{mpm}", *BASE, *modules]
    return "\n".join(f"LoadModule {n}_module {MODULES}/mod_{n}.so" for n in dict.fromkeys(names))


def sanitized():
    """What a module that was built with the address sanitizer needs in an httpd that was not."""
    linked = subprocess.run(["ldd", BUILD / "lib/httpd/modules/mod_fcgipm.so"], capture_output=True, text=True, check=True).stdout
    library = re.search(r"=> (\S*/libasan\S+)", linked)
    return {"LD_PRELOAD": library.group(1), "ASAN_OPTIONS": "detect_leaks=0:log_to_syslog=0"} if library else {}


class Answer:
    """What a client got; broken: it noticed that the answer is not whole."""

    def __init__(self, status, headers, body, broken=False):
        self.status, self.headers, self.body, self.broken = status, headers, body, broken

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:200]!r}{' broken' if self.broken else ''}>"


class Httpd:
    """more: configuration; modules: beyond BASE.  start() ... stop(), which asserts."""

    def __init__(self, place, mpm, control, more="", modules=()):
        self.dir, self.mpm, self.port = place, mpm, free_port()
        self.root = place / "htdocs"
        self.root.mkdir(parents=True, exist_ok=True)
        for directory in (place, self.root):
            directory.chmod(0o755)
        self.config, self.log_file = place / "httpd.conf", place / "error.log"
        self.names = {"dir": place, "mpm": mpm, "port": self.port, "root": self.root, "build": BUILD, "control": control, "loads": loads(mpm, modules),
                      "processes": PROCESSES["prefork" if mpm == "prefork" else "threads"], "user": "User www-data\nGroup www-data" if ROOT else ""}
        self.process, self.files = None, {}
        self.excused = []  # on SIGTERM the event MPM closes its threads' sockets while they end, and may crash by itself (close_worker_sockets(), no module involved)
        self.write(more)

    def write(self, more):
        self.config.write_text(TEXT.format(more=more, **self.names))

    def start(self):
        at = self.mark()
        self.process = subprocess.Popen(["/usr/sbin/apache2", "-DFOREGROUND", "-f", self.config], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, **sanitized()},
                                        start_new_session=True)  # the prefork MPM ends its children by its process group
        wait_for(self.listens, message=lambda: f"httpd does not listen: {self.log()[-2000:]}")
        self.line("resuming normal operations", at)  # it listens before it hears signals
        self.files = {pid: files_of(pid) for pid in self.children()}
        return self

    def listens(self):
        assert self.process.poll() is None, self.process.stderr.read() + self.log()
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    # ---- its log

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def mark(self):
        """Where the log ends now, for lines()."""
        return len(self.log())

    def lines(self, pattern, since=0):
        return [line for line in self.log()[since:].splitlines() if re.search(pattern, line)]

    def line(self, pattern, since=0):
        """The first line that matches; it is waited for."""
        return wait_for(lambda: self.lines(pattern, since), message=lambda: f"no {pattern!r} in the log:\n{self.log()[since:][-3000:]}")[0]

    # ---- its processes

    def children(self):
        return children_of(self.process.pid)

    def graceful(self):
        self._again(signal.SIGUSR1, "resuming normal operations")

    def restart(self):
        self._again(signal.SIGHUP, "resuming normal operations")
        self.excused = self.crashes()

    def crashes(self):
        return self.lines(r"exit signal|AH0005[12]|Sanitizer|runtime error:|double free|corrupted")

    def _again(self, signo, said):
        at = self.mark()
        self.process.send_signal(signo)
        self.line(said, at)
        wait_for(self.listens)

    def stop(self):
        """Ends it; asserts that nothing crashed and nothing is left open."""
        if self.process is None:
            return
        try:
            if self.process.poll() is None:
                self.assert_nothing_leaks()
                self.process.send_signal(signal.SIGWINCH)  # gracefully: see excused
        except BaseException:
            self.process.terminate()
            raise
        finally:
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise AssertionError(f"httpd did not end:\n{self.log()[-3000:]}") from None
            finally:
                self.process.stderr.close()
        crashes = [line for line in self.crashes() if line not in self.excused]
        assert not crashes, crashes[:5]

    def stop_now(self):
        """SIGTERM, whatever is under way."""
        self.process.terminate()
        self.process.wait(30)
        self.excused = self.crashes()

    def assert_nothing_leaks(self):
        """No child holds a connection of a pool or of a client, nor a file that it had not at its start."""
        def left():
            return {pid: found for pid in self.children() if (found := connections_of(pid) + sorted(files_of(pid) - self.files.get(pid, files_of(pid))))}

        wait_for(lambda: not left(), message=lambda: f"left open: {left()}")

    # ---- requests

    def request(self, path, method="GET", body=None, headers=None, **more):
        """One request on one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers or {}, **more)
            return read(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.request(path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def connect(self, timeout=20):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def raw(self, data, timeout=20):
        """All that comes back until the connection ends, and whether it ended by a reset."""
        got = b""
        with self.connect(timeout) as s:
            try:
                s.sendall(data)
                while more := s.recv(65536):
                    got += more
            except ConnectionError:
                return got, True
        return got, False

    def curl(self, path, *args):
        return subprocess.run(["curl", "-sS", "--max-time", "20", *args, f"http://127.0.0.1:{self.port}{path}"], capture_output=True, check=False)

    def counters(self, pool):
        """mod_status' lines for machines, by name."""
        text = self.get("/server-status?auto").body.decode()
        return {name: int(n) for name, n in re.findall(rf"^Fcgipm\[{re.escape(pool)}\]\.(\S+): (-?\d+)$", text, re.M)}


def read(response):
    try:
        body, broken = response.read(), False
    except (http.client.IncompleteRead, ConnectionError) as error:
        body, broken = getattr(error, "partial", b""), True
    return Answer(response.status, response.headers, body, broken)


# ---- what a process has open

def _links(pid):
    found = {}
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                found[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}")
            except FileNotFoundError:
                pass
    except FileNotFoundError:
        pass
    return found


def files_of(pid):
    return {link for link in _links(pid).values() if link.startswith("/") and not link.startswith(("/dev/", "/proc/"))}


def _inodes(table, wanted):
    """Inodes of sockets in /proc/net/table whose columns are as wanted: {column: value}."""
    rows = [line.split() for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    column = 6 if table == "unix" else 9
    return {r[column] for r in rows if all(r[c] in values for c, values in wanted.items())}


def connections_of(pid):
    """Connected stream sockets: those of pools (unix), those of clients (TCP)."""
    connected = _inodes("unix", {4: ("0001",), 5: ("03",)}) | _inodes("tcp", {3: ("01", "08")})
    return [link for link in _links(pid).values() if link.startswith("socket:") and link[8:-1] in connected]
