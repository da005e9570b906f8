"""What `check` finds in a chroot, and that its remedies are enough: chroots are built by following them and nothing else."""
import random
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from apps import APPS
from conftest import BUILD, needs_root
from fcgi import request

FINDING = re.compile(r"^(?P<place>[^:]+:\d+:\d+): (?P<warning>warning: )?pools\.(?P<pool>[^.: ]+)(?:\.(?P<key>\w+))?: (?P<what>.*)$")
COMMANDS = ("install ", "cd / && cp ", "mkdir ", "rm ", "chmod ", "ldconfig ", "mount ")


def check(config, *args):
    return subprocess.run([BUILD / "bin" / "fcgipm", "check", *args, "-c", config], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                          check=False)


def findings(done):
    """The findings of a check, each in the form that is promised."""
    lines = done.stderr.splitlines()
    found = [FINDING.match(line) for line in lines]
    assert all(found), lines
    assert (done.returncode == 78) == any(not f["warning"] for f in found), done
    return found


def config(place, command, chroot="@DIR@/jail", user="fcgipm-t1", extra=""):
    path = place / "pools.yaml"
    path.write_text(f"""
manager: {{runtime_directory: {place}/run}}
pools:
  app:
    {command}
    user: {user}
    {f"chroot: {chroot}" if chroot else ""}
    workers: {{min: 2, max: 2}}
{extra}""".replace("@DIR@", str(place)))
    path.chmod(0o644)
    return path


def remedy(finding):
    """The command in the parentheses at its end, for root's shell."""
    command = re.search(r"\(([^()]*)\)$", finding["what"])
    assert command and command[1].startswith(COMMANDS), f"no command: {finding[0]}"
    return command[1]


def follow_remedies(path, umask="022"):
    """Does what check says until it is silent; the findings, round by round."""
    rounds = []
    while True:
        done = check(path)
        found = findings(done)
        if not found:
            assert done.returncode == 0 and "0 warnings" in done.stdout, done
            return rounds
        rounds.append([f[0] for f in found])
        assert len(rounds) < 12, rounds[-1]
        for command in dict.fromkeys(remedy(f) for f in found):
            subprocess.run(["sh", "-ec", f"umask {umask}; {command}"], check=True, timeout=60)


@pytest.fixture
def jail(place):
    root = place / "jail"
    (root / "apps").mkdir(parents=True)
    for path in (root, root / "apps"):
        path.chmod(0o755)
    for app in (place / "apps").iterdir():
        if app.is_file():
            shutil.copy2(app, root / "apps")
            (root / "apps" / app.name).chmod(0o755)
    return root


COMMAND = {language: text.replace("@DIR@", "") for language, text in APPS.items()}
COMMAND["perl"] = "command: [/apps/app.pl]"  # the interpreter is named by its first line
KNOWN = {
    "c": ["/lib64/ld-linux", "libfcgi.so.0", "/dev/null", "/dev/urandom"],
    "php": ["/usr/bin/php-cgi", "libxml2.so.2", "libicudata.so", "time zones", "/etc/resolv.conf", "/etc/nsswitch.conf", "TLS", "/dev/null"],
    "perl": ["#! interpreter /usr/bin/perl", "libcrypt.so.1", "strict.pm", "/etc/resolv.conf", "/dev/urandom"],
    "ruby": ["/usr/bin/ruby", "libruby", "set.rb", "rbconfig.rb"],
    "sbcl": ["/usr/bin/sbcl", "its core", "libzstd"],
    "clisp": ["/usr/bin/clisp", "lispinit.mem"],
    "python": ["/usr/bin/python3", "os.py"],
}


@needs_root
@pytest.mark.parametrize("language", list(KNOWN))
def test_a_chroot_built_by_the_remedies_of_check_serves(fcgipm, place, jail, accounts, language):
    path = config(place, COMMAND[language])
    rounds = follow_remedies(path)
    for what in KNOWN[language]:
        assert any(what in line for line in rounds[0]), (what, rounds[0])
    m = fcgipm(path.read_text()).ready()
    pid = m.pids()[0]
    assert Path(f"/proc/{pid}/root").readlink() == jail
    assert Path(f"/proc/{pid}").stat().st_uid == accounts[0].pw_uid
    assert request(m.socket(), "pid", SCRIPT_FILENAME="/apps/app.php" if language == "php" else "/app").startswith(b"pid=")


@needs_root
def test_what_is_for_root_alone_is_found_out(fcgipm, place, jail, accounts):
    """A copy under umask 077, a directory that the account may not enter, files that it may not read: each is named, one after the other."""
    path = config(place, COMMAND["c"])
    rounds = follow_remedies(path, umask="077")
    assert any(f"(chmod a+x {jail}/dev)" in line for r in rounds for line in r), rounds
    library = next(jail.glob("lib/**/libfcgi.so.0"))
    library.chmod(0o600)
    for directory in (jail / "lib", library.parent, jail / "apps"):
        directory.chmod(0o700)
    text = "\n".join(line for r in follow_remedies(path) for line in r)
    for what in (f"a+x {jail}/lib)", f"a+x {library.parent})", f"a+r {library})", f"a+x {jail}/apps)"):
        assert f"(chmod {what}" in text, (what, text)
    m = fcgipm(path.read_text()).ready()
    assert request(m.socket(), "pid").startswith(b"pid=")


@pytest.mark.parametrize("language", list(KNOWN))
def test_nothing_is_said_about_a_real_root_that_has_it_all(place, language):
    done = check(config(place, APPS[language], chroot=None, user="nobody"))
    assert done.returncode == 0, done.stderr
    assert "0 warnings" in done.stdout, done


@needs_root
def test_what_a_chroot_lacks_costs_start_and_reload_nothing(fcgipm, place, jail, accounts):
    """Warnings are check's alone; a start and a reload look for what they always looked for."""
    path = config(place, COMMAND["c"])
    for f in findings(check(path)):
        if not f["warning"]:
            subprocess.run(["sh", "-ec", remedy(f)], check=True, timeout=60)
    done = check(path)
    assert done.returncode == 0 and "2 warnings" in done.stdout, done
    assert all(f["warning"] and f["key"] == "chroot" and "/dev/" in f["what"] for f in findings(done))
    m = fcgipm(path.read_text()).ready()
    m.write(path.read_text() + "  other: {command: [/apps/app], user: fcgipm-t1, chroot: @DIR@/jail}\n")
    assert m.cli("reload", check=0).stderr == ""
    assert not [e for e in m.events if e.get("event") in ("reload.warning", "pool.unfit")]


@needs_root
def test_a_dump_is_a_configuration_and_nothing_else(place, jail, accounts):
    path = config(place, COMMAND["c"])
    done = check(path)
    assert done.returncode == 78
    for f in findings(done):
        if not f["warning"]:
            subprocess.run(["sh", "-ec", remedy(f)], check=True, timeout=60)
    done = check(path, "--dump")
    assert done.returncode == 0 and "warning" not in done.stdout + done.stderr, done


@needs_root
def test_a_hostile_chroot_neither_holds_nor_misleads_a_check(place, jail, accounts):
    """What an account may put into its chroot: nothing of it is opened that waits or acts, read without a bound, or believed."""
    subprocess.run(["sh", "-ec", f"""cd {jail}
mkdir -p bin lib etc dev lib64 usr/share usr/lib/perl5
mkfifo etc/resolv.conf etc/nsswitch.conf lib/libc.so.6
ln -s loop lib64/loop; ln -s loop lib64/ld-linux-x86-64.so.2
ln -s /etc/shadow etc/hosts; ln -s ../../../../../../etc usr/share/zoneinfo
truncate -s 100G etc/ld.so.cache
mknod dev/null c 1 1; mknod dev/urandom b 7 200
cp /usr/bin/perl bin/perl; truncate -s 100G bin/perl
cp apps/app bin/broken; dd if=/dev/urandom of=bin/broken bs=1 seek=32 count=400 conv=notrunc status=none
printf '#!/bin/perl;reboot\n' > bin/shell; printf '#!/etc/shadow\n' > bin/shadow; chmod 755 bin/*"""], check=True)
    path = config(place, "command: [/bin/perl]", extra="".join(
        f"  {name}: {{command: [/bin/{name}], user: fcgipm-t1, chroot: {jail}}}\n" for name in ("broken", "shell", "shadow")))
    done = check(path)
    found = findings(done)
    text = done.stderr
    assert done.returncode == 78
    assert {f["pool"] for f in found if not f["warning"]} == {"app", "broken", "shell", "shadow"}
    assert "its program interpreter /lib64/ld-linux-x86-64.so.2 in the chroot: Too many levels of symbolic links" in text
    assert "needs libc.so.6 and gets /lib/libc.so.6, which is no regular file" in text
    assert "/dev/null in the chroot is not the device (1, 3)" in text
    assert "/etc/ld.so.cache in the chroot cannot be used" in text
    shadow = [f for f in found if "/etc/shadow" in f["what"]]
    assert shadow and not any("install -D" in f["what"] for f in shadow)  # what the account may not read is not offered for copying
    assert not any("install -D" in f["what"] for f in found if ";" in f["what"])


@needs_root
def test_files_that_change_meanwhile_are_looked_at_as_they_are(place, jail, accounts):
    path = config(place, COMMAND["c"])
    follow_remedies(path)
    files = [(f, f.read_bytes()) for f in (jail / "apps/app", next(jail.glob("lib/**/libc.so.6")))]
    done = threading.Event()

    def change():
        rng = random.Random(1)
        while not done.is_set():
            f, whole = rng.choice(files)
            cut = bytearray(whole[: rng.randrange(1, 4096)])
            cut[rng.randrange(len(cut))] ^= 0xff
            f.write_bytes(rng.choice((whole, bytes(cut))))

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(60):
            assert not any("could not be looked at" in f["what"] for f in findings(check(path)))
    finally:
        done.set()
        thread.join()
    for f, whole in files:
        f.write_bytes(whole)
    assert check(path).returncode == 0


@needs_root
def test_what_a_program_of_the_chroot_names_steers_no_terminal(place, jail, accounts):
    path = config(place, COMMAND["c"])
    follow_remedies(path)
    program, old, hostile = jail / "apps/app", b"/lib64/ld-linux-x86-64.so.2", "/\x1b[31m\x9b1m\u2028\xe9".encode() + b"\xd1x"
    program.write_bytes(program.read_bytes().replace(old, hostile.ljust(len(old), b"x")))
    assert "its program interpreter /?[31m??1m???\xe9?xxx" in check(path).stderr


@needs_root
def test_a_chroot_with_a_system_of_its_own_is_told_to_install(place, jail, accounts):
    for path in ("var/lib/dpkg/status", "usr/bin/apt-get"):
        (jail / path).parent.mkdir(parents=True)
        (jail / path).touch(0o644)
    path = config(place, COMMAND["php"])
    text = check(path).stderr
    assert f"(chroot {jail} apt-get install tzdata)" in text
    assert "install -D /usr/bin/php-cgi" not in text and "cp -a" not in text
    shutil.chown(jail / "usr/bin", accounts[0].pw_name)  # then root had better not run what stands there
    assert "chroot /" not in check(path).stderr


def test_a_look_that_ends_without_an_answer_is_said(place):
    build = place / "build"
    shutil.copytree(BUILD / "bin", build / "bin")
    shutil.copytree(BUILD / "libexec", build / "libexec")
    shutil.copy("/bin/true", build / "libexec/fcgipm/fcgipm-look")
    path = config(place, "command: [/bin/true]", chroot=None, user="nobody")
    done = subprocess.run([build / "bin/fcgipm", "check", "-c", path], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0 and "pools.app: could not be looked at" in done.stderr, done
