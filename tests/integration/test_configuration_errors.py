"""What is wrong with a configuration, as `check` says it: the whole text, with line and column.

Each entry: what stands in the file, and the lines that come of it, without the file's name.  @DIR@ is the test's directory.  What needs no real accounts and
files is in tests/unit/conf/test_errors.c, each value's errors in tests/unit/settings/test_settings.c, YAML's own in tests/unit/conf/test_syntax.c.
"""
import os
import shutil
import subprocess

import pytest
from conftest import BUILD, needs_root

pytestmark = needs_root


def blog(line):
    """A pool that is right but for one line, the fifth: its value begins behind the colon."""
    return f"pools:\n  blog:\n    command: [/bin/true]\n    user: nobody\n    {line}\n"


def program(line):
    return f"pools:\n  blog:\n    user: nobody\n    chroot: \"\"\n    {line}\n"


SOMETHING_ELSE = "(remove it, or name another path)"
MAKE = "(make the directory, or name another path)"
NAME = '(a-z, 0-9, ".", "_", "-", at most 63, a letter or digit first)'

NAMES = {
    "..": f'3: pools: ".." is no name for a pool {NAME}',
    "a/b": f'3: pools: "a/b" is no name for a pool {NAME}',
    "/a": f'3: pools: "/a" is no name for a pool {NAME}',
    ".a": f'3: pools: ".a" is no name for a pool {NAME}',
    "-a": f'3: pools: "-a" is no name for a pool {NAME}',
    "A": f'3: pools: "A" is no name for a pool {NAME}',
    "ä": f'3: pools: "ä" is no name for a pool {NAME}',
    '"a b"': f'3: pools: "a b" is no name for a pool {NAME}',
    '""': f'3: pools: "" is no name for a pool {NAME}',
    '"a\\nb"': f'3: pools: "a?b" is no name for a pool {NAME}',
    '"\\e[2J"': f'3: pools: "?[2J" is no name for a pool {NAME}',
    "a" * 64: f'3: pools: "{"a" * 64}" is no name for a pool {NAME}',
    "a@b": '3: pools.a@b: "@" is for pools that templates make (a-z, 0-9, ".", "_", "-")',
}
COMMANDS = {
    "command: [@DIR@/missing]": "14: pools.blog.command: @DIR@/missing: No such file or directory (install the package that has it: apt-file search @DIR@/missing)",
    "command: [@DIR@/ok]": "14: pools.blog.command: @DIR@/ok: not a regular file",
    "command: [@DIR@/ok/plain]": "14: pools.blog.command: @DIR@/ok/plain: uid 65534 may not execute it (chmod a+rx @DIR@/ok/plain)",
    "command: [@DIR@/closed/x]": "14: pools.blog.command: @DIR@/closed/x: uid 65534 may not execute it (chmod a+x @DIR@/closed)",
    "command: [@DIR@/ok/world]": "14: pools.blog.command: @DIR@/ok/world: every account can change it (chmod o-w @DIR@/ok/world)",
    "command: [@DIR@/open/x]": "14: pools.blog.command: @DIR@/open/x: every account can change @DIR@/open (chmod o-w @DIR@/open)",
    "command: [@DIR@/ok/to-open]": "14: pools.blog.command: @DIR@/ok/to-open: every account can change @DIR@/open (chmod o-w @DIR@/open)",
    "command: [@DIR@/ok/script]": "14: pools.blog.command: its #! interpreter @DIR@/ok/world: every account can change it (chmod o-w @DIR@/ok/world)",
    "command: [@DIR@/sticky/x]": None,  # as /tmp: others cannot replace it
    "command: [@DIR@/ok/group]": None,  # of those who deploy it
    "command: [@DIR@/ok/own]": None,  # the account may change what it runs
}
PLACES = {
    "listen: /nonexistent/x.sock": f"13: pools.blog.listen: /nonexistent: No such file or directory {MAKE}",
    "listen: @DIR@/ok/plain/x.sock": f"13: pools.blog.listen: @DIR@/ok/plain: Not a directory {MAKE}",
    "listen: @DIR@/ok/plain": f"13: pools.blog.listen: @DIR@/ok/plain: something else than a socket is there {SOMETHING_ELSE}",
    "listen: @DIR@/ok": f"13: pools.blog.listen: @DIR@/ok: something else than a socket is there {SOMETHING_ELSE}",
    "listen: @DIR@/open/x.sock": "13: pools.blog.listen: @DIR@/open belongs to uid 0 with mode 0777: somebody else could change what is in it (chown root, chmod go-w)",
    "listen: @DIR@/account/x.sock": None,
    "listen: @DIR@/account/missing/x.sock": "13: pools.blog.listen: @DIR@/account/missing: No such file or directory (a directory that uid 65534 may write)",
    "listen: @DIR@/account/read-only/x.sock": "13: pools.blog.listen: @DIR@/account/read-only: uid 65534 may not write it (a directory that it may write)",
    "listen: @DIR@/account/fifo": f"13: pools.blog.listen: @DIR@/account/fifo: something else than a socket is there {SOMETHING_ELSE}",
    "output: /nonexistent/x.log": f"13: pools.blog.output: /nonexistent: No such file or directory {MAKE}",
    "output: /var/log/nonexistent/x.log": f"13: pools.blog.output: /var/log/nonexistent: No such file or directory {MAKE}",
    "output: /var/log": f"13: pools.blog.output: /var/log: something else than a regular file is there {SOMETHING_ELSE}",
    "output: /dev/null": f"13: pools.blog.output: /dev/null: something else than a regular file is there {SOMETHING_ELSE}",
    "output: @DIR@/ok/x.log": "13: pools.blog.output: @DIR@/ok: uid 65534 may not write it (a directory that it may write)",
    "output: @DIR@/ok/plain": "13: pools.blog.output: @DIR@/ok/plain: uid 65534 may not write it (chown, or name another path)",
    "output: @DIR@/account/fifo": f"13: pools.blog.output: @DIR@/account/fifo: something else than a regular file is there {SOMETHING_ELSE}",
    "output: @DIR@/account/x.log": None,
    "directory: /nonexistent": "16: pools.blog.directory: /nonexistent: No such file or directory (make it, or name another)",
    "directory: @DIR@/ok/plain": "16: pools.blog.directory: @DIR@/ok/plain: Not a directory (make it, or name another)",
    "directory: @DIR@/closed": "16: pools.blog.directory: @DIR@/closed: uid 65534 may not enter it",
    "chroot: /nonexistent": "13: pools.blog.chroot: /nonexistent: No such file or directory (make the directory, or let uid 65534 enter it)",
    "environment_file: /nonexistent": "23: pools.blog.environment_file: /nonexistent: No such file or directory (a regular file that uid 65534 may read, at most 64K)",
    "environment_file: @DIR@/ok/settings": "23: pools.blog.environment_file: @DIR@/ok/settings: every account can change it (chmod o-rw)",
}


class Place:
    def __init__(self, place):
        self.place = place
        for name, mode in (("ok", 0o755), ("open", 0o777), ("closed", 0o700), ("sticky", 0o1777), ("account", 0o755), ("account/read-only", 0o555)):
            (place / name).mkdir()
            (place / name).chmod(mode)
        for name, mode in (("ok/plain", 0o644), ("ok/world", 0o757), ("ok/group", 0o775), ("ok/own", 0o755), ("open/x", 0o755), ("closed/x", 0o755), ("sticky/x", 0o755)):
            shutil.copy("/bin/true", place / name)
            (place / name).chmod(mode)
        (place / "ok/script").write_text(f"#!{place}/ok/world\n")
        (place / "ok/script").chmod(0o755)
        (place / "ok/settings").write_text("A=1\n")
        (place / "ok/settings").chmod(0o646)
        (place / "ok/to-open").symlink_to("../open/x")
        os.mkfifo(place / "account/fifo")
        os.chown(place / "ok/group", 0, 33)
        for name in ("ok/own", "account", "account/read-only"):
            os.chown(place / name, 65534, 65534)

    def check(self, text):
        """(exit code, the lines without the file's name)"""
        config = self.place / "pools.yaml"
        config.write_text(text.replace("@DIR@", str(self.place)))
        config.chmod(0o644)
        done = subprocess.run([BUILD / "bin/fcgipm", "check", "-c", config], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
        assert all(line.startswith(f"{config}:") for line in done.stderr.splitlines()), done.stderr
        return done.returncode, [line.removeprefix(f"{config}:").replace(str(self.place), "@DIR@") for line in done.stderr.splitlines()]


@pytest.fixture
def at(place):
    return Place(place)


def cases(table):
    return pytest.mark.parametrize("line, said", table.items(), ids=[line[:50] for line in table])


@cases(NAMES)
def test_names(at, line, said):
    assert at.check(f"pools:\n  {line}: {{}}\n") == (78, [f"2:{said}"])


@cases(COMMANDS)
def test_commands(at, line, said):
    assert at.check(program(line)) == ((78, [f"5:{said}"]) if said else (0, []))


@cases(PLACES)
def test_places(at, line, said):
    assert at.check(blog(line)) == ((78, [f"5:{said}"]) if said else (0, []))


def test_two_pools_in_one_directory_of_two_names(at):
    (at.place / "alias").symlink_to("ok")
    good = "command: [/bin/true], user: nobody"
    assert at.check(f"pools:\n  b: {{{good}, listen: @DIR@/ok/x.sock}}\n  a: {{{good}, listen: @DIR@/alias/y.sock}}\n  c: {{{good}, listen: @DIR@/alias/x.sock}}\n") == (
        78, ["4:51: pools.c.listen: taken by pool b in line 2, by another name of that directory (an address of its own)"])


def test_what_a_look_finds_in_defaults_is_said_once(at):
    assert at.check("defaults:\n  user: nobody\n  command: [/nothing]\n  output: /nonexistent/x\npools: {a: {}, b: {}, c: {command: [/bin/true]}}\n") == (78, [
        "3:12: defaults.command: /nothing: No such file or directory (install the package that has it: apt-file search /nothing)",
        f"4:11: defaults.output: /nonexistent: No such file or directory {MAKE}"])


TWENTY = """\
manager:
  max_workers: 0
  control: {operators: [root, nosuch-operator]}
defaults:
  workers: {idle_timeout: 30}
pools:
  blog:
    command: [php-cgi]
    user: nosuch-user
    umask: "0999"
    workers: {max: 9000, mni: 3, start: prefrok}
    max_requests: 5
    cgroup: {pids_max: 10}
    user: nobody
  shop:
    command: /usr/bin/php-cgi
    user: root
    listen: foo
    groups: [adm, root]
    environment: [a]
  Ab: {}
  tcp:
    command: [/bin/true]
    user: nobody
    listen: "0.0.0.0:9000"
    socket: {private: true}
    workers: {min: 5, max: 2}
    stop: {signal: FOO}
  other: {command: [/bin/true], user: nobody, listen: "127.0.0.1:9000"}
templates: {}
exec: {cgi: {user: root, roots: []}}
tmplates: {}
"""
ALL_OF_THEM = """\
2:16: manager.max_workers: 0 is below 1 (1 to 1000000)
3:31: manager.control.operators: user "nosuch-operator" does not exist (useradd makes it; or another name or number)
5:27: defaults.workers.idle_timeout: "30" is no duration (such as 250ms, 10s, 5m, 1h)
8:15: pools.blog.command: "php-cgi" is no absolute path (such as /usr/bin/php-cgi)
9:11: pools.blog.user: user "nosuch-user" does not exist (useradd makes it; or another name or number)
10:12: pools.blog.umask: "0999" is no mode (octal digits, such as "0027")
11:20: pools.blog.workers.max: 9000 exceeds 4096 (1 to 4096)
11:26: pools.blog.workers.mni: unknown key (did you mean "min"?)
11:41: pools.blog.workers.start: "prefrok" is not known here (auto, exec or prefork)
12:5: pools.blog.max_requests: unknown key (did you mean "workers.max_requests"?)
13:24: pools.blog.cgroup.pids_max: "10" is not possible yet (leave it out)
14:5: pools.blog.user: given twice (first in line 9; keep one)
16:14: pools.shop.command: not a list (such as [/usr/bin/php-cgi, -b])
17:11: pools.shop.user: root (an account without privileges)
18:13: pools.shop.listen: "foo" is no address (an absolute path, 127.0.0.1:9000 or "[::1]:9000")
19:19: pools.shop.groups: group 0 (a group without privileges)
20:18: pools.shop.environment: not a mapping (NAME: VALUE lines)
21:3: pools: "Ab" is no name for a pool (a-z, 0-9, ".", "_", "-", at most 63, a letter or digit first)
26:23: pools.tcp.socket.private: TCP has no private sockets (a unix socket, or false)
27:20: pools.tcp.workers.min: 5 exceeds workers.max, 2 (at most as much)
28:20: pools.tcp.stop.signal: "FOO" is not known here (TERM, INT, QUIT, HUP, USR1, USR2, WINCH or KILL)
29:55: pools.other.listen: taken by pool tcp in line 25 (an address of its own)
30:1: templates: not possible yet (leave it out)
31:20: exec.cgi.user: root (an account without privileges)
31:33: exec.cgi.roots: an empty list (such as [/usr/lib/cgi-bin])
32:1: tmplates: unknown key (did you mean "templates"?)
"""


def test_all_that_is_wrong_is_said_in_one_go_and_in_the_order_of_the_file(at):
    assert at.check(TWENTY) == (78, ALL_OF_THEM.splitlines())


def test_reload_says_the_same_and_changes_nothing(fcgipm, at):
    m = fcgipm(blog("workers: {min: 0}")).ready()
    m.expected_errors.add("reload.refused")
    before = m.status()["pools"]
    code, lines = at.check(TWENTY)
    assert (code, len(lines)) == (78, 26)
    assert m.cli("reload", check=78).stderr.replace("fcgipm: ", "").splitlines()[:26] == [f"{m.config}:{line}" for line in lines]
    assert m.status()["pools"] == before
    m.write(blog("listen: /nonexistent/x.sock"))
    assert "pools.blog.listen: /nonexistent: No such file or directory" in m.cli("reload", check=78).stderr
    assert m.status()["pools"] == before
