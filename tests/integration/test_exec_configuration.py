"""`exec:` as `check` reads it: what is wrong with a profile, with line and column, its warnings, and the dump.

What needs no real accounts is in tests/unit/conf/test_profiles.c, each value's errors in tests/unit/settings/test_profile.c.
"""
import os
import subprocess

import pytest
import yaml
from conftest import BUILD, needs_root

FCGIPM = BUILD / "bin/fcgipm"


def check(config, *args, **more):
    return subprocess.run([FCGIPM, "check", "-c", config, *args], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False, **more)


def write(path, text):
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o644)
    return path


def said(config):
    """(exit code, the lines without the file's name)"""
    done = check(config)
    assert all(line.startswith(f"{config}:") for line in done.stderr.splitlines()), done.stderr
    return done.returncode, [line.removeprefix(f"{config}:") for line in done.stderr.splitlines()]


def cgi(line):
    """A profile that is right but for one line, the fifth: its value begins behind the colon."""
    return f"exec:\n  cgi:\n    roots: [/usr/lib/cgi-bin, '/home/*/public_html']\n    clients: [www-data]\n    {line}\n"


EVERYTHING_WRONG = """\
exec:
  Cgi: {}
  local: {roots: [/srv]}
  a: {roots: [srv, /, "/srv/[a"], max_running: 0}
  b:
    roots: [/srv]
    user: root
    arguments: {max: 2000, alow: []}
    environment: {LD_PRELOAD: /tmp/x.so}
    environment_allow: ["*", TZ]
    clients: [nosuch-client]
    timeout: 60
  c:
    user: fcgipm
    sandbox: {capabilities: [SYS_ADMIN]}
  d: {roots: [/srv], group: www-data, groups: [www-data]}
  e: {roots: [/srv], user: www-data, min_uid: 1000}
"""
ALL_OF_IT = """\
2:3: exec: "Cgi" is no name for a profile (a-z, 0-9, ".", "_", "-", at most 63, a letter or digit first)
3:3: exec.local: reserved: a web server that is told so runs the program itself (another name)
4:15: exec.a.roots: "srv" is no absolute path (such as /usr/lib/cgi-bin)
4:20: exec.a.roots: "/" would be every program (such as /usr/lib/cgi-bin)
4:23: exec.a.roots: "/srv/[a" is no pattern (a "[" without its "]", or a backslash; *, ? and [...] within one component)
4:48: exec.a.max_running: 0 is below 1 (1 to 4096)
7:11: exec.b.user: root (an account without privileges)
8:22: exec.b.arguments.max: 2000 exceeds 1023 (0 to 1023)
8:28: exec.b.arguments.alow: unknown key (did you mean "allow"?)
9:19: exec.b.environment.LD_PRELOAD: the loader's (no profile may set that)
10:25: exec.b.environment_allow: "*" would be those of the loader, too, LD_* (a longer prefix)
11:15: exec.b.clients: user "nosuch-client" does not exist (useradd makes it; or another name or number)
12:14: exec.b.timeout: "60" is no duration (such as 250ms, 10s, 5m, 1h)
13:3: exec.c: no roots (where the programs are, such as roots: [/usr/lib/cgi-bin])
14:11: exec.c.user: fcgipm's own account (an account of the programs' own)
15:30: exec.c.sandbox.capabilities: "SYS_ADMIN" amounts to root (such as CAP_NET_BIND_SERVICE)
16:29: exec.d.group: not with user: owner: a program runs in the group that it belongs to (leave it out, or name a user)
16:47: exec.d.groups: not with user: owner (leave it out, or name a user)
17:28: exec.e.user: www-data has uid 33, below min_uid, 1000 (another account, or a lower min_uid)
"""


@needs_root
def test_all_that_is_wrong_is_said_in_one_go(place):
    assert said(write(place / "pools.yaml", EVERYTHING_WRONG)) == (78, ALL_OF_IT.splitlines())


@pytest.mark.parametrize("text, profiles", (
    ("exec: {cgi: {roots: [/srv], clients: [root]}}\n", "1 exec profiles, "), ("exec: {}\npools: {}\n", ""), ("pools: {}\nexec: {cgi: {roots: [/srv], clients: [root]}}\n", "1 exec profiles, ")))
def test_profiles_alone_are_a_configuration(place, text, profiles):
    config = write(place / "pools.yaml", text)
    done = check(config)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"{config}: good: 0 pools, {profiles}0 warnings\n")


@pytest.mark.parametrize("line, warning", (
    ("environment: {A-B: x}", "5:19: warning: exec.cgi.environment.A-B: a name that shells and most languages cannot read (letters, digits and _, no digit first)"),
    ("environment: {PATH: 'bin'}", "5:19: warning: exec.cgi.environment.PATH: a part is not absolute, so programs are looked for in the working directory, too (absolute directories alone)"),
    ("file_owner: root", "5:17: warning: exec.cgi.file_owner: root, with user: owner: no program will run, as none runs as root (name a user)"),
    ("user: owner", None), ("environment_allow: [TZ, LC_*]", None), ("queue: {limit: 0}", None),
))
def test_warnings(place, line, warning):
    assert said(write(place / "pools.yaml", cgi(line))) == (0, [warning] if warning else [])


@needs_root
def test_a_pool_among_the_clients_of_a_profile_is_warned_of(place, accounts):
    pools = "pools: {app: {command: [/bin/true], user: fcgipm-t1}}\nexec: {cgi: {roots: [/srv], clients: [fcgipm-t1], worker_clients: %s}}\n"
    assert said(write(place / "pools.yaml", pools % "false")) == (0, [
        "1:43: warning: pools.app.user: fcgipm-t1 is also in exec.cgi.clients: only that they descend from fcgipm keeps its workers from running programs of that profile"])
    assert said(write(place / "pools.yaml", pools % "true")) == (0, [
        "1:43: warning: pools.app.user: fcgipm-t1 is also in exec.cgi.clients, with worker_clients: its workers may run programs of that profile"])


def test_profiles_in_included_files(place):
    write(place / "conf.d/a.yaml", "exec: {cgi: {roots: [/srv/a], clients: [root]}}\n")
    write(place / "conf.d/b.yaml", "exec: {git: {roots: [/srv/b], clients: [root]}, cgi: {roots: [/srv/b]}}\n")
    config = write(place / "pools.yaml", "include: conf.d/*.yaml\nexec: {own: {roots: [/srv/c], clients: [root]}}\n")
    done = check(config)
    assert (done.returncode, done.stderr) == (78, f"{place}/conf.d/b.yaml:1:49: exec.cgi: given twice (first in {place}/conf.d/a.yaml line 1; keep one)\n")
    write(place / "conf.d/b.yaml", "exec: {git: {roots: [/srv/b], clients: [root]}}\n")
    assert list(yaml.safe_load(check(config, "--dump").stdout)["exec"]) == ["cgi", "git", "own"]


EVERY_KEY = """
exec:
  every:
    roots: [/srv/cgi, "/home/*/public_html/[a-c]?", "/srv/a b"]
    user: fcgipm-t1
    group: fcgipm-t2
    groups: [adm, "33"]
    clients: [root, "@adm"]
    worker_clients: true
    outlives_client: true
    leaves_descendants: true
    file_owner: any
    file_group: run
    min_uid: 2
    min_gid: 3
    chroot: /srv
    directory: /x
    umask: 77
    environment: {TOKEN: "*secret*", LINES: "*one*\\n*two*\\n", PATH: /bin}
    environment_allow: [TZ, LC_*]
    arguments: {max: 0, allow: ["--*", "[", "yes", "0660"]}
    limits: {nofile: 0, nproc: 5, core: 1K, as: 2048M, cpu: 90s}
    priority: {nice: -3}
    sandbox: {no_new_privileges: false, capabilities: [net_raw]}
    timeout: 0
    stop: {timeout: 90m}
    max_running: 4096
    queue: {limit: 0}
  least: {roots: [/srv]}
  named: {roots: [/srv], user: fcgipm-t1}
"""


@needs_root
@pytest.mark.parametrize("secrets", ([], ["--secrets"]))
def test_the_dump_of_the_dump_is_the_same_text(place, accounts, secrets):
    config = write(place / "pools.yaml", EVERY_KEY)
    first = check(config, "--dump", *secrets)
    assert first.returncode == 0, first.stderr
    again = check(write(place / "again.yaml", first.stdout), "--dump", *secrets)
    assert again.stdout == first.stdout and again.returncode == 0

    dumped, given = yaml.safe_load(first.stdout)["exec"], yaml.safe_load(EVERY_KEY)["exec"]["every"]
    every = dumped["every"]
    assert set(every) == set(given) == set(dumped["least"]), "each key of the table"
    if secrets:
        assert every["environment"] == given["environment"]
    else:
        assert set(every["environment"].values()) == {"********"} and not [w for w in ("*secret*", "*one*") if w in first.stdout]
    assert every["roots"] == given["roots"] and every["arguments"] == {"max": 0, "allow": ["--*", "[", "yes", "0660"]}
    assert every["limits"]["as"] == "2G" and every["umask"] == "0077" and every["stop"]["timeout"] == "90m" and every["clients"] == ["root", "@adm"]


@needs_root
def test_the_dump_shows_what_follows_from_an_account(place, accounts):
    dumped = yaml.safe_load(check(write(place / "pools.yaml", EVERY_KEY), "--dump").stdout)["exec"]
    account = accounts[0]
    least, named = dumped["least"], dumped["named"]
    assert (least["user"], least["group"], least["min_uid"], least["min_gid"], least["clients"]) == ("owner", "", 1000, 100, ["www-data"])
    assert least["max_running"] == 64 and least["queue"]["limit"] == 511 and least["timeout"] == "1m" and least["environment"] == {}
    assert (named["user"], named["group"]) == ("fcgipm-t1", "fcgipm-t1")
    assert named["min_uid"] == min(1000, account.pw_uid) and named["min_gid"] == min(100, account.pw_gid), "the account is named, so it is meant"


@needs_root
def test_an_ordinary_user_runs_programs_as_himself(place):
    os.chown(place, 65534, 65534)
    config = write(place / "pools.yaml", "exec: {cgi: {roots: [/srv], user: www-data, chroot: /srv}, own: {roots: [/srv]}}\n")
    os.chown(config, 65534, 65534)
    done = check(config, "--dump", user=65534, group=65534, extra_groups=[], env={"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(place)})
    assert done.returncode == 0, done.stderr
    assert done.stderr.replace(f"{config}:", "").splitlines() == [
        "1:35: warning: exec.cgi.user: www-data is not you (without root every program runs as you)",
        "1:53: warning: exec.cgi.chroot: needs root (no program will run)"]
    profiles = yaml.safe_load(done.stdout)["exec"]
    assert profiles["cgi"]["user"] == "nobody" and profiles["own"]["user"] == "owner" and profiles["own"]["clients"] == ["nobody"]


@needs_root
def test_a_reload_takes_profiles_up_or_leaves_all_as_it_is(fcgipm):
    m = fcgipm("pools: {}\nexec: {cgi: {roots: [/srv], clients: [root]}}\n").ready()
    m.expected_errors.add("reload.refused")
    m.write("pools: {}\nexec: {cgi: {roots: [/srv, /usr], clients: [root]}, git: {roots: [/usr], clients: [root]}}\n")
    m.cli("reload")
    m.write("pools: {}\nexec: {cgi: {roots: [/]}}\n")
    assert ':22: exec.cgi.roots: "/" would be every program (such as /usr/lib/cgi-bin)' in m.cli("reload", check=78).stderr
    m.write("pools: {}\nexec: {cgi: {roots: [/srv], clients: [root], sandbox: {capabilities: [net_raw]}}}\n")
    assert "exec.cgi: sandbox.capabilities names one that was given up at start (restart fcgipm)" in m.cli("reload", check=78).stderr
