"""Migration: what Debian's packages ship becomes a pools.yaml that check accepts and run runs, and no directive that the others know is unknown."""
import glob
import re
import subprocess
from pathlib import Path

import pytest
from conftest import BUILD, needs_root

FPM = sorted(glob.glob("/etc/php/*/fpm/php-fpm.conf"))[-1]
VERSION = FPM.split("/")[3]
FPM_BINARY = f"/usr/sbin/php-fpm{VERSION}"
UNKNOWN = "that is known here"


def command(*args):
    return subprocess.run([BUILD / "bin" / "fcgipm", *map(str, args)], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)


def imported(*args, code=0):
    done = command("import", *args)
    assert done.returncode == code, done.stderr
    return done


def judged(place, yaml):
    """The configuration in force, as check dumps it."""
    config = place / "imported.yaml"
    config.write_text(yaml)
    config.chmod(0o644)
    done = command("check", "--dump", "--secrets", "-c", config)
    assert done.returncode == 0, done.stderr + yaml
    return done.stdout


@pytest.fixture
def run_php():
    """php-fpm's package has its sockets below /run/php, which its service makes."""
    path = Path("/run/php")
    made = not path.exists()
    path.mkdir(exist_ok=True)
    yield path
    if made:
        path.rmdir()


# ---- what the packages ship ----

@needs_root
def test_php_fpm_as_shipped(place, run_php):
    done = imported("php-fpm", FPM)
    dump = judged(place, done.stdout)
    assert f"command: [/usr/bin/php-cgi{VERSION}, \"-c\", /etc/php/{VERSION}/fpm/php.ini]" in dump
    assert f"listen: {run_php}/php{VERSION}-fpm.sock" in dump
    assert "user: www-data" in dump and re.search(r"max: 5\n", dump)
    # Each line that is said is a directive of a file, and stands in the YAML too.
    lines = done.stderr.splitlines()
    assert lines
    for line in lines:
        path, number, rest = line.split(":", 2)
        written = Path(path).read_text().splitlines()[int(number) - 1]
        assert rest.split(" = ")[0].strip() in written
        assert "# " + line in done.stdout


@needs_root
def test_mod_fcgid_as_shipped(place):
    site = place / "site.conf"
    site.write_text('FcgidWrapper "/usr/bin/php-cgi -d memory_limit=32M" .php\nFcgidIdleTimeout 40\n')
    done = imported("mod-fcgid", "/etc/apache2/mods-available/fcgid.conf", site)
    dump = judged(place, done.stdout)
    assert 'command: [/usr/bin/php-cgi, "-d", "memory_limit=32M"]' in dump and "max: 100\n" in dump and "idle_timeout: 40s\n" in dump
    assert 'SetHandler "fcgipm:php-cgi"' in done.stdout
    assert "fcgid.conf:2: FcgidConnectTimeout 20: not carried over: " in done.stderr


# ---- every directive ----

def names_in_files():
    """What php-fpm's own files mention, commented out or not; and what is in [global]."""
    found = {True: set(), False: set()}
    for path in [FPM, *glob.glob(f"/etc/php/{VERSION}/fpm/pool.d/*.conf")]:
        in_global = path == FPM
        for line in Path(path).read_text().splitlines():
            match = re.match(r";?([a-z][a-z_.]*)(\[[^]]*\])?\s*=", line)
            if match:
                found[in_global].add(match.group(1))
    return found


def names_of_binary(place):
    """What php-fpm prints of a configuration that it has read, by section; and every name that its printing has a format for."""
    config = place / "fpm.conf"
    config.write_text(f"[global]\nerror_log = {place}/log\n[a]\nuser = nobody\nlisten = {place}/a.sock\npm = ondemand\npm.max_children = 1\n")
    done = subprocess.run([FPM_BINARY, "-tt", "-y", config], capture_output=True, text=True, timeout=30, check=True)
    found = {True: set(), False: set()}
    in_global = True
    for line in done.stderr.splitlines():
        text = line.split("NOTICE:", 1)[-1].strip("\n ")
        if text.startswith("["):
            in_global = text == "[global]"
        match = re.match(r"\t([a-z_.]+)(\[.*?\])? = ", text)
        if match:
            found[in_global].add(match.group(1))
    formats = set(re.findall(rb"\t([a-z_]+(?:\.[a-z_]+)*)(?:\[[^]]*\])? = (?:%|undefined)", Path(FPM_BINARY).read_bytes()))
    return found, {name.decode() for name in formats}


def unknown(place, in_global, names):
    """Those that the import does not know."""
    config = place / "names.conf"
    config.write_text(("[global]\n" if in_global else "[a]\n") + "".join(f"{name} = 1\n" for name in sorted(names)))
    done = command("import", "php-fpm", config)
    assert done.returncode in (0, 1)
    return {line.split(": ")[1].split(" = ")[0] for line in done.stderr.splitlines() if UNKNOWN in line}


def test_every_directive_of_php_fpm_is_known(place):
    files = names_in_files()
    binary, formats = names_of_binary(place)
    # The lists are those that they should be.
    assert {"pid", "include", "daemonize"} <= files[True] and {"pm.max_children", "php_admin_value", "env", "access.suppress_path"} <= files[False]
    assert "process.max" in binary[True] and "pm.process_idle_timeout" in binary[False]
    assert {"listen.acl_users", "systemd_interval"} <= formats
    assert unknown(place, True, files[True] | binary[True] | {"nonsense"}) == {"nonsense"}
    assert unknown(place, False, files[False] | binary[False] | {"pm.nonsense"}) == {"pm.nonsense"}
    assert not unknown(place, True, formats) & unknown(place, False, formats)


def test_php_fpm_knows_every_directive_of_ours(place):
    """The other way round: what the table carries over is a directive of php-fpm, as php-fpm says itself."""
    for in_global, name in [(False, "pm.max_spawn_rate"), (False, "process.dumpable"), (True, "log_buffering"), (False, "nonsense")]:
        config = place / "one.conf"
        config.write_text("[global]\n" + (f"{name} = 1\n" if in_global else "") + f"error_log = {place}/log\n[a]\nuser = nobody\nlisten = {place}/a.sock\n"
                          "pm = ondemand\npm.max_children = 1\n" + ("" if in_global else f"{name} = 1\n"))
        theirs = subprocess.run([FPM_BINARY, "-t", "-y", config], capture_output=True, text=True, timeout=30, check=False)
        assert ("unknown entry" in theirs.stderr) == bool(unknown(place, in_global, {name})), name


def test_every_directive_of_mod_fcgid_is_known(place):
    module = Path("/usr/lib/apache2/modules/mod_fcgid.so").read_bytes()
    names = {n.decode() for n in re.findall(rb"\0(Fcgid[A-Z][A-Za-z0-9]+)(?=\0)", module)}
    names |= {n.decode() for n in re.findall(rb"Deprecated - Use '(Fcgid[A-Za-z0-9]+)' instead", module)}
    assert len(names) > 30 and {"FcgidWrapper", "FcgidCmdOptions", "FcgidZombieScanInterval"} <= names
    config = place / "fcgid.conf"
    config.write_text("".join(f"{name} 1 2 3 4\n" for name in sorted(names | {"FcgidNonsense"})))
    lines = [line for line in imported("mod-fcgid", config, code=1).stderr.splitlines() if UNKNOWN in line and "FcgidCmdOptions" not in line]
    assert len(lines) == 1 and "FcgidNonsense" in lines[0]


def test_every_option_of_spawn_fcgi_is_known():
    usage = subprocess.run(["spawn-fcgi", "-h"], capture_output=True, text=True, timeout=30, check=False).stdout
    options = re.findall(r"^ -(\w)( <)?", usage, re.M)
    assert {letter for letter, _ in options} >= set("fdaspMCFbPncSugUG")
    for letter, value in options:
        done = command("import", "spawn-fcgi", "--", f"-{letter}", *(["1"] if value else []), "--", "/bin/x")
        assert "no option of spawn-fcgi" not in done.stderr and "x:" in done.stdout, letter
    assert "no option of spawn-fcgi" in imported("spawn-fcgi", "--", "-Z", code=1).stderr


# ---- as the others read it ----

VALUES = """
[global]
error_log = @DIR@/log
[Shop]
user = nobody
prefix = @DIR@/$pool
listen = run/$pool.sock
pm = dynamic
pm.max_children = 12 ; children
pm.min_spare_servers = 2
pm.max_spare_servers = 7
env[A] = "a;b"
env[B] = yes
env[C] = 'x "y" $pool'
env[D] = one   two  ; three
chdir = /
"""


def test_values_are_what_php_fpm_reads(place):
    (place / "Shop").mkdir()
    config = place / "fpm.conf"
    config.write_text(VALUES.replace("@DIR@", str(place)))
    theirs = subprocess.run([FPM_BINARY, "-tt", "-y", config], capture_output=True, text=True, timeout=30, check=True).stderr
    ours = imported("php-fpm", config).stdout
    for name, value in re.findall(r"env\[(\w)\] = (.*)", theirs):
        escaped = value.replace('"', '\\"')
        assert f'"{name}": "{escaped}"' in ours, (name, value)
    assert len(re.findall(r"env\[\w\] = ", theirs)) == 4
    assert f"listen: {re.search('listen = (.*)', theirs).group(1)}\n" in ours
    start = re.search(r"pm.start_servers = (\d+)", theirs).group(1)
    assert f"min: {start}\n      max: 12\n      spare: 2\n" in ours


# ---- it runs ----

POOL = """
[app]
user = fcgipm-t1
group = fcgipm-t1
listen = @DIR@/run/pools/app.sock
pm = static
pm.max_children = 2
php_admin_value[memory_limit] = 41M
php_value[error_reporting] = E_ALL & ~E_NOTICE
php_value[auto_prepend_file] = "@DIR@/say \\"hi\\"; $pool.php"
php_flag[display_errors] = off
php_admin_flag[short_open_tag] = on
env[WHO] = "the ; pool $pool"
"""

SCRIPT = """<?php echo implode("|", [ini_get("memory_limit"), ini_get("error_reporting"), ini_get("display_errors"), ini_get("short_open_tag"),
getenv("WHO"), $prepended, posix_getuid()]);
"""


@needs_root
def test_an_imported_pool_serves(fcgipm, place, accounts):
    (place / 'say "hi"; app.php').write_text("<?php $prepended = 1;\n")
    script = place / "values.php"
    script.write_text(SCRIPT)
    config = place / "fpm.conf"
    config.write_text(POOL.replace("@DIR@", str(place)))
    m = fcgipm(imported("php-fpm", config).stdout).ready()
    assert m.pool()["workers"]["total"] == 2
    answer = m.cli("request", "app", script, check=0).stdout
    assert answer == f"41M|{32767 & ~8}|0|1|the ; pool app|1|{accounts[0].pw_uid}"


@needs_root
def test_what_spawn_fcgi_ran_serves(fcgipm, place, accounts):
    script = place / "who.php"
    script.write_text("<?php echo posix_getuid(), ' ', getcwd();\n")
    done = imported("spawn-fcgi", "--", "-s", f"{place}/run/pools/app.sock", "-u", accounts[0].pw_name, "-M", "0600", "-F", "2", "-d", "/tmp", "--",
                    "/usr/bin/php-cgi", "-d", "display_errors=1")
    m = fcgipm(done.stdout).ready()
    name = m.status()["pools"][0]["name"]
    assert name == "php-cgi" and m.pool(name)["workers"]["total"] == 2
    assert m.cli("request", name, script, check=0).stdout.split()[0] == str(accounts[0].pw_uid)
    assert (place / "run/pools/app.sock").stat().st_mode & 0o777 == 0o600


# ---- the command itself ----

def test_usage():
    assert command("import").returncode == 2
    assert command("import", "php-fpm").returncode == 2
    assert command("import", "lighttpd", "x").returncode == 2


def test_many_files(place):
    files = [place / f"{i}.conf" for i in range(500)]
    for i, path in enumerate(files):
        path.write_text(f"[site{i}]\nuser = nobody\npm = ondemand\npm.max_children = 5\n")
    by_name = imported("php-fpm", *files)
    assert by_name.stdout.count("\n    user: nobody\n") == 500 and "max_workers: 2500\n" in by_name.stdout
    main = place / "main.conf"
    main.write_text(f"include = {place}/[0-9]*.conf\n")
    by_glob = imported("php-fpm", main)
    assert sorted(by_glob.stdout.splitlines()) == sorted(by_name.stdout.splitlines())


def test_what_cannot_be_read(place):
    done = imported("php-fpm", place / "none.conf", code=1)
    assert f"{place}/none.conf: No such file or directory\n" == done.stderr and "pools: {}" in done.stdout
    assert imported("php-fpm", place, code=1).stderr == f"{place}: Is a directory\n"
