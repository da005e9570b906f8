"""What each process may do: the launcher is small, the manager has no capability, a worker has what its pool says and nothing else."""
import os
import platform
import re
import resource
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from apps import pool
from conftest import BUILD, HERE, children_of, comm, needs_root, wait_for, with_and_without_cgroups
from fcgi import request

pytestmark = needs_root


def proc_status(pid):
    return dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


def needed(role):
    out = subprocess.run(["readelf", "-d", BUILD / "libexec/fcgipm" / role], capture_output=True, text=True, check=True).stdout
    return {re.sub(r"\.so.*", "", name) for name in re.findall(r"\(NEEDED\).*\[(.*)\]", out)}


def test_the_launcher_links_libc_and_libcap_alone():
    assert needed("fcgipm-launcher") - {"libasan", "libubsan"} <= {"libc", "libcap", "libm"}


def test_yaml_is_read_by_conf_alone():
    assert "libyaml-0" in needed("fcgipm-conf")
    assert "libyaml-0" not in needed("fcgipm-manager") | needed("fcgipm-launcher")


def test_the_terminal_is_for_the_command_line_alone():
    roles = [role.name for role in (BUILD / "libexec/fcgipm").iterdir()]
    assert "fcgipm-launcher" in roles
    assert not [(role, name) for role in roles for name in needed(role) if re.match("lib(ncurses|tinfo)", name)]


def test_the_manager_has_no_capability_and_gains_none(fcgipm):
    m = fcgipm("pools:" + pool("c")).ready()
    s = proc_status(m.manager_pid)
    assert {s[k] for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0000000000000000"}
    assert s["NoNewPrivs"] == "1" and s["Uid"].split()[0] != "0" and len(set(s["Uid"].split())) == 1
    assert Path(f"/proc/{m.manager_pid}/environ").stat().st_uid == 0, "it is dumpable"


def test_the_launcher_keeps_the_capabilities_of_the_table_and_no_other(fcgipm):
    m = fcgipm("pools:" + pool("c")).ready()
    table = re.findall(r"^\| (CAP_\w+) \|", (HERE.parent.parent / "docs/threats.md").read_text(), re.M)
    names = {name: int(number) for name, number in re.findall(r"#define\s+(CAP_\w+)\s+(\d+)", Path("/usr/include/linux/capability.h").read_text())}
    wanted = sum(1 << names[name] for name in table)
    ours = int(proc_status(os.getpid())["CapPrm"], 16)
    s = proc_status(m.launcher_pid)
    assert int(s["CapPrm"], 16) == int(s["CapEff"], 16) == wanted & ours
    assert int(s["CapBnd"], 16) & ~wanted == 0


def test_a_worker_has_its_account_its_groups_its_limits_and_nothing_else(fcgipm, accounts):
    a, b = accounts
    m = fcgipm(f"""
pools:
  app:
    command: [@DIR@/apps/app]
    user: {a.pw_name}
    groups: [{b.pw_name}]
    directory: /usr
    umask: "0027"
    environment: {{ONE: "1 two"}}
    priority: {{nice: 5}}
    limits: {{nofile: 100, core: 0}}
    workers: {{min: 1, max: 1}}
""").ready()
    pid = m.pids()[0]
    s = proc_status(pid)
    assert s["Uid"].split() == [str(a.pw_uid)] * 4 and s["Gid"].split() == [str(a.pw_gid)] * 4
    assert s["Groups"].split() == [str(b.pw_gid)]
    assert {s[k] for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0000000000000000"}
    assert s["NoNewPrivs"] == "1" and s["Umask"] == "0027"
    assert sorted(os.listdir(f"/proc/{pid}/fd"), key=int) == ["0", "1", "2", "4"]  # 4: where it rings for the manager
    answer = request(m.socket(), "id").decode()
    assert f"uid={a.pw_uid} gid={a.pw_gid} cwd=/usr sid={pid} nice=5 groups={b.pw_gid}\n" == answer
    environment = set(request(m.socket(), "env").decode().splitlines())
    assert "ONE=1 two" in environment and {e.split("=")[0] for e in environment} == {"ONE", "PATH"}
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert re.search(r"Max open files\s+100\s+100", limits) and re.search(r"Max core file size\s+0\s+0", limits)


def test_a_step_that_fails_is_named_with_pool_and_errno(fcgipm, place):
    m = fcgipm("pools:" + pool("c") + """
  bad:
    command: [/bin/true]
    user: nobody
    directory: /nowhere
""")
    m.expected_errors.add("pool.failed")
    m.event("pool.unfit", pool="bad")
    wait_for(lambda: m.pool("bad")["state"] == "failed")
    assert "/nowhere" in m.pool("bad")["last_error"]
    assert m.pool("app")["state"] in ("ready", "starting")


def run_as(account, program, **more):
    return subprocess.Popen(["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "/usr/bin/python3", "-c", program], stdout=subprocess.PIPE, **more)


@contextmanager
def stopping_everything(account):
    stopper = run_as(account, "import os, signal, time\nend = time.monotonic() + 60\nprint(flush=True)\n"
                              "while time.monotonic() < end:\n"
                              "    try: os.kill(-1, signal.SIGSTOP)\n"
                              "    except OSError: pass\n")
    try:
        stopper.stdout.readline()
        yield
    finally:
        stopper.kill()
        stopper.wait()


def test_an_account_that_stops_everything_it_may_holds_nobody(fcgipm, accounts):
    a = accounts[0]
    with stopping_everything(a):
        m = fcgipm("pools:" + pool("c") + pool("c", name="held", user=a.pw_name, workers=2))
        m.expected_errors.add("pool.failed")
        m.event("manager.go")
        wait_for(lambda: m.pool()["state"] == "ready")
        for _ in range(5):
            m.cli("restart", "app", check=0, timeout=10)
        assert request(m.socket(), "pid").startswith(b"pid=")


TRACE = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
traced = libc.ptrace(0x4206, PID, 0, 0) == 0 # PTRACE_SEIZE
try: read = os.open("/proc/PID/mem", os.O_RDONLY) >= 0
except OSError: read = False
print(traced, read, flush=True)
"""


def starts_of(m, account):
    """Those that are the account's by now."""
    def is_one(pid):
        try:
            return os.readlink(f"/proc/{pid}/exe").endswith("/fcgipm-start") and proc_status(pid)["Uid"].split() == [str(account.pw_uid)] * 4
        except OSError:
            return False  # it has gone meanwhile
    return [pid for pid in children_of(m.launcher_pid) if is_one(pid)]


def may_lie_near_its_stack():
    """Not where a container's filter forbids it; nor with a limit of the stack for which the kernel leaves a gigabyte."""
    soft = resource.getrlimit(resource.RLIMIT_STACK)[0]
    return subprocess.run(["setarch", "-R", "true"], capture_output=True).returncode == 0 and 0 < soft <= 512 << 20


def lies_near_its_stack(pid):
    """In the same gigabyte."""
    at = {line.split()[-1].rsplit("/", 1)[-1]: int(line.split("-")[0], 16) for line in Path(f"/proc/{pid}/maps").read_text().splitlines()}
    return at["[stack]"] >> 30 == at["fcgipm-start"] >> 30


def test_start_holds_nothing_of_the_launchers(fcgipm, place, accounts):
    """Stopped by its account, which it is by then: what it maps and has open, and that it cannot be traced."""
    a, slow = accounts[0], place / "environment"
    slow.write_text("".join(f"N{i}=\n" for i in range(7000)))  # which keeps it for a while
    slow.chmod(0o644)
    with stopping_everything(a):
        m = fcgipm("pools:" + pool("c", user=a.pw_name, extra=f"environment_file: {slow}"))
        m.expected_errors.add("pool.failed")
        pid = wait_for(lambda: starts_of(m, a))[0]
    maps = {line.split()[5] for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if len(line.split()) > 5}
    assert {Path(name).name for name in maps if not name.startswith("[")} == {"fcgipm-start"}, maps
    assert lies_near_its_stack(pid) or not may_lie_near_its_stack(), maps  # what that saves: docs/measured.md
    assert {os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir() if int(fd.name) not in {0, 1, 2, 3, 4, 5, 6, 18}} <= {str(slow)}
    assert Path(f"/proc/{pid}/environ").stat().st_uid == 0, "it is dumpable"
    with run_as(a, TRACE.replace("PID", str(pid))) as tracer:
        assert tracer.communicate(timeout=30)[0].split() == [b"False", b"False"]


def test_what_a_start_writes_lies_together():
    """Each page more costs every start (docs/measured.md)."""
    symbols = subprocess.run(["nm", BUILD / "libexec/fcgipm/fcgipm-start"], capture_output=True, text=True, check=True).stdout
    at = {name: int(address, 16) for address, name in re.findall(r"^([0-9a-f]+) \w (\S+)$", symbols, re.M)}
    if platform.machine() != "x86_64" or "__libc" not in at:
        pytest.skip("not x86-64, where data begin a page; or not by musl, and there is no layout for it")
    headers = subprocess.run(["readelf", "-lW", BUILD / "libexec/fcgipm/fcgipm-start"], capture_output=True, text=True, check=True).stdout
    at["relocated"] = int(re.search(r"LOAD +\S+ (\S+) .* RW ", headers)[1], 16)
    assert len({at[name] >> 12 for name in ("relocated", "_edata", "__libc", "__stack_chk_guard", "job")}) == 1, at


def personality_of(pid):
    return Path(f"/proc/{pid}/personality").read_text().strip()


@pytest.mark.parametrize("as_was", [("setarch", "--uname-2.6"), ()], ids=["UNAME26", "as the tests"])
@with_and_without_cgroups
def test_whatever_is_started_has_the_launchers_personality(fcgipm, place, as_was, wrap):
    """fcgipm-start has another (personality(2)) for a moment, in which it lies at fixed addresses."""
    (place / "cgi").mkdir()
    (place / "cgi/show").write_text("#!/bin/sh\nexec cat /proc/self/personality\n")
    (place / "cgi/show").chmod(0o755)
    m = fcgipm("pools:" + pool("c", name="exec") + pool("php", name="fork", workers=1) +
               "exec:\n  cgi: {roots: [@DIR@/cgi], user: nobody, file_owner: any, clients: [root]}\n", wrap=[*wrap, *as_was]).ready()
    own = personality_of(m.launcher_pid)
    assert own == ("00020000" if as_was else personality_of("self"))
    assert {personality_of(pid) for pid in (m.manager_pid, *m.pids("exec"), *m.pids("fork"))} == {own}
    assert m.cli("exec", "cgi", "--", place / "cgi/show", check=0).stdout.strip() == own


def is_zombie(pid):
    try:
        return proc_status(pid)["State"].startswith("Z")
    except OSError:
        return False  # it has gone meanwhile


def test_a_child_that_a_worker_made_for_the_launcher_is_reaped_and_never_counted(fcgipm):
    m = fcgipm("""
pools:
  app:
    command: [@DIR@/apps/sibling]
    user: nobody
    workers: {min: 1, max: 1}
""")
    m.event("child.unknown")
    assert m.process.poll() is None
    assert comm(m.launcher_pid) == "fcgipm-launcher"
    wait_for(lambda: not [p for p in children_of(m.launcher_pid) if is_zombie(p)], message="not reaped")


def test_pools_may_not_use_fcgipms_own_accounts(fcgipm, place):
    m = fcgipm("pools:" + pool("c")).ready()
    m.expected_errors.add("reload.refused")
    for user in ("fcgipm", "fcgipm-conf", "root"):
        m.write("pools:" + pool("c", user=user))
        done = m.cli("reload")
        assert done.returncode in (1, 78) and "app.user" in done.stdout + done.stderr


@pytest.mark.parametrize("signo", [signal.SIGKILL])
def test_the_launchers_death_leaves_the_workers_serving(place, signo):
    from conftest import Manager
    m = Manager(place, "pools:" + pool("c", workers=2))
    m.ready()
    workers, manager = m.pids(), m.manager_pid
    m.process.send_signal(signo)
    m.process.wait(10)
    try:
        assert request(m.socket(), "pid").startswith(b"pid=")
        wait_for(lambda: comm(manager) == "", message="the manager outlives its launcher")
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
