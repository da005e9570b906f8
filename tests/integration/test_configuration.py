"""The file: includes, sizes, what is refused and how it is said."""
import os
import subprocess

from apps import pool
from conftest import BUILD, needs_root
from fcgi import request


def check(config):
    return subprocess.run([BUILD / "bin" / "fcgipm", "check", "-c", config], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)


def write(path, text):
    path.write_text(text)
    path.chmod(0o644)
    return path


def test_an_include_of_thousands_of_files(place):
    """More descriptors than a socket holds at once."""
    (place / "pools.d").mkdir(mode=0o755)
    for i in range(3000):
        write(place / "pools.d" / f"{i:04}.yaml", "pools: {}\n" if i < 2999 else "pools: {last: {colour: red}}\n")
    done = check(write(place / "main.yaml", "include: pools.d/*.yaml\npools: {}\n"))
    assert done.returncode == 78
    assert f"{place}/pools.d/2999.yaml:1:16: pools.last.colour: unknown key" in done.stderr


@needs_root
def test_a_pool_may_be_larger_than_a_datagram(fcgipm):
    """Its environment alone exceeds what the processes send each other in one piece."""
    large = ", ".join(f'BIG_{i}: "{"x" * 1000}"' for i in range(200))
    m = fcgipm("pools:" + pool("c", workers=1, extra=f"environment: {{{large}}}")).ready()
    environ = open(f"/proc/{m.pids()[0]}/environ", "rb").read()
    assert environ.count(b"BIG_") == 200
    assert check(m.config).returncode == 0
    write(m.config, m.config.read_text().replace("/apps/app]", "/apps/nothing]"))
    done = check(m.config)
    assert done.returncode == 78 and "pools.app.command" in done.stderr and "nothing" in done.stderr


def test_lists_that_no_message_holds_are_refused_with_the_remedy(place):
    many = ", ".join(f'"{uid}"' for uid in range(100000, 104000))
    for text, where in ((f"pools: {{app: {{command: [/bin/true], user: nobody, frontends: [{many}]}}}}\n", "pools.app: too long"),
                        (f"manager: {{control: {{observers: [{many}]}}}}\npools: {{}}\n", "manager: too long")):
        done = check(write(place / "lists.yaml", text))
        assert done.returncode == 78 and where in done.stderr and "@group" in done.stderr, done.stderr


@needs_root
def test_an_environment_file_is_read_with_the_accounts_rights_at_each_start(fcgipm, place, accounts):
    """Outside the chroot, unreadable to others, and new with the next worker."""
    account = accounts[0]
    secrets = write(place / "secrets", "# for one account alone\nTOKEN=first\nMODE='from the file'\n")
    secrets.chmod(0o400)
    os.chown(secrets, account.pw_uid, account.pw_gid)
    m = fcgipm("pools:" + pool("c", workers=1, user=account.pw_name, extra=f"environment: {{MODE: given, KEPT: here}}\n    environment_file: {secrets}")).ready()
    assert {"TOKEN=first", "MODE=from the file", "KEPT=here"} <= set(request(m.socket(), "env").decode().split("\n"))
    assert not check(m.config).stderr and check(m.config).returncode == 0
    secrets.write_text("TOKEN=second\n")
    m.cli("restart", "app", check=0)
    assert "TOKEN=second" in request(m.socket(), "env").decode().split("\n")
    for pid in (m.manager_pid, m.launcher_pid):
        assert b"second" not in open(f"/proc/{pid}/environ", "rb").read()


@needs_root
def test_an_environment_file_that_does_not_serve_is_named(fcgipm, place):
    secrets = write(place / "secrets", "A=1\nexport B=2\n")
    m = fcgipm("pools:" + pool("c", workers=1, extra=f"environment_file: {secrets}"))
    m.expected_errors.add("pool.failed")
    assert m.event("template.exit", pool="app")["text"] == f"could not be started: environment_file {secrets}: Invalid argument"
    m.event("pool.failed", pool="app")
    assert f"{secrets}:2: not NAME=VALUE" in m.pool()["last_error"]
    done = check(m.config)
    assert done.returncode == 78 and f"pools.app.environment_file: {secrets}:2: not NAME=VALUE" in done.stderr
    secrets.write_text("A=1\n")
    done = check(m.config)
    assert done.returncode == 0 and f"warning: pools.app.environment_file: {secrets}: every account can read it (chmod o-r)" in done.stderr
    secrets.chmod(0o600)
    done = check(m.config)
    assert done.returncode == 78 and "Permission denied" in done.stderr
    secrets.unlink()
    os.mkfifo(secrets)
    secrets.chmod(0o644)
    done = check(m.config)
    assert done.returncode == 78 and "a regular file that uid" in done.stderr
