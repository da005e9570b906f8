"""`check --dump`: the whole effective configuration, which reads as itself."""
import re
import subprocess

import pytest
import yaml
from conftest import BUILD, needs_root

# Every key of the table, each with another value than its default where one is possible yet.
EVERY_KEY = """
manager:
  user: fcgipm
  runtime_directory: @DIR@/run
  max_workers: 700
  control: {operators: [root, "@adm"], observers: ["@adm", nobody], frontends: [www-data, "33"], holders: []}
  log: {target: @DIR@/log, level: debug, format: json}
include: pools.d/*.yaml
defaults:
  environment: {FROM_DEFAULTS: "*secret*", BOTH: "*hidden*"}
  workers: {idle_timeout: 90m}
pools:
  every:
    command: [/bin/true, -x, "", "two words", "quo\\"te", "back\\\\slash", "line\\nbreak", "tab\\t", "é€", "#", ": ", "- a", "yes", "0660", "*a", "@b"]
    user: fcgipm-t1
    group: fcgipm-t2
    groups: [adm, "33"]
    chroot: "@DIR@"
    directory: /apps
    umask: "0077"
    environment: {BOTH: "*mine*", QUOTED: "a\\"b\\\\c", LINES: "*one*\\n*two*\\n", EMPTY: "", UNICODE: "ünï\\u2028", "NULL": null, YES: yes, NUMBER: 0x10}
    environment_file: "@DIR@/secrets"
    inherit_environment: [TZ, LANG]
    listen: "@DIR@/a b.sock"
    socket: {user: www-data, group: "33", mode: 666, private: false}
    frontends: ["@www-data", root]
    queue: {limit: 5, timeout: 1500ms}
    workers: {min: 2, max: 0010, spare: 3, start: prefork, template: keep, template_lifetime: 2h, concurrency: 7, idle_timeout: 0, boot_timeout: 61s, boot_parallel: 2, max_requests: 5, max_lifetime: 365d, max_memory: 10M}
    request: {timeout: 7s, slow: 5s, keep_timeout: 5s}
    stop: {signal: 15, busy_signal: SIGUSR1, timeout: 0}
    restart: {delay: 1s, max_delay: 2m, give_up_after: 9}
    limits: {nofile: 64, nproc: 7, core: 1025, as: 4096M, cpu: 90s}
    priority: {nice: -7}
    cgroup: {memory_max: 0, pids_max: 0, cpu_weight: 0}
    sandbox: {no_new_privileges: false, capabilities: [net_raw, CAP_NET_BIND_SERVICE]}
    output: "null"
  private: {command: [/bin/true], user: fcgipm-t1, socket: {private: true}}
  tcp: {command: [/bin/true], user: fcgipm-t1, listen: "[0::1]:09000"}
"""


def write(path, text):
    path.write_text(text)
    path.chmod(0o644)
    return path


def dump(config, *args):
    done = subprocess.run([BUILD / "bin/fcgipm", "check", "--dump", *args, "-c", config], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def every(place, accounts):
    (place / "bin").mkdir(mode=0o755)
    (place / "bin/true").write_text("#!/bin/true\n")
    subprocess.run(["cp", "-a", "/bin/true", place / "bin/true"], check=True)
    for library in re.findall(r"(/\S+)", subprocess.run(["ldd", "/bin/true"], capture_output=True, text=True, check=True).stdout):
        subprocess.run(["install", "-D", library, f"{place}{library}"], check=True)
    write(place / "secrets", "A=1\n")
    (place / "pools.d").mkdir(mode=0o755)
    write(place / "pools.d/b.yaml", "pools: {included: {command: [/bin/true], user: fcgipm-t2, environment: {TOKEN: '*token*'}}}\n")
    return write(place / "pools.yaml", EVERY_KEY.replace("@DIR@", str(place)))


@needs_root
def test_the_file_names_every_key_that_there_is(every):
    """Else what follows would prove less than it says."""
    dumped, written = yaml.safe_load(dump(every).stdout), yaml.safe_load(every.read_text())

    def keys(tree):
        return {(k, inner) for k, v in tree.items() for inner in (v if isinstance(v, dict) and k != "environment" else [""])}

    assert keys(dumped["pools"]["every"]) == keys(written["pools"]["every"])
    assert keys(dumped["manager"]) == keys(written["manager"])


@needs_root
@pytest.mark.parametrize("secrets", ([], ["--secrets"]))
def test_the_dump_of_the_dump_is_the_same_text(place, every, secrets):
    first = dump(every, *secrets)
    again = write(place / "again.yaml", first.stdout)
    second = dump(again, *secrets)
    assert second.stdout == first.stdout
    assert dump(write(place / "third.yaml", second.stdout), *secrets).stdout == first.stdout


@needs_root
def test_the_dump_shows_what_is_in_force(every):
    pools = yaml.safe_load(dump(every, "--secrets").stdout)["pools"]
    p, given = pools["every"], yaml.safe_load(every.read_text())["pools"]["every"]
    assert list(pools) == ["every", "included", "private", "tcp"]
    assert p["command"] == given["command"], "each argument as it was"
    assert p["environment"] == {"BOTH": "*mine*", "EMPTY": "", "FROM_DEFAULTS": "*secret*", "LINES": "*one*\n*two*\n", "NULL": "null", "NUMBER": "0x10",
                                "QUOTED": 'a"b\\c', "UNICODE": "ünï\u2028", "YES": "yes"}
    assert p["workers"]["idle_timeout"] == "0s" and p["workers"]["max"] == 10 and pools["tcp"]["workers"]["idle_timeout"] == "90m"
    assert p["limits"]["as"] == "4G" and p["limits"]["core"] == 1025 and p["restart"]["max_delay"] == "2m" and p["queue"]["timeout"] == "1500ms"
    assert p["stop"] == {"signal": "TERM", "busy_signal": "USR1", "timeout": "0s"} and p["socket"]["mode"] == "0666"
    assert pools["tcp"]["listen"] == "[::1]:9000" and pools["tcp"]["group"] == "fcgipm-t1"
    assert pools["private"]["listen"].endswith("/run/private/private.sock") and pools["private"]["socket"]["mode"] == "0666"
    assert pools["included"]["environment"]["TOKEN"] == "*token*"


@needs_root
def test_without_secrets_no_value_of_the_environment_is_shown(every):
    text = dump(every).stdout
    environment = yaml.safe_load(text)["pools"]["every"]["environment"]
    assert set(environment.values()) == {"********"} and set(environment) >= {"FROM_DEFAULTS", "EMPTY", "LINES"}
    assert not [word for word in ("*secret*", "*hidden*", "*mine*", "*one*", "*token*", "0x10") if word in text]


def test_a_dump_is_a_configuration_and_its_warnings_are_told_apart(place):
    config = write(place / "warn.yaml", "manager: {max_workers: 1}\npools: {a: {command: [/bin/true], user: nobody, workers: {min: 2}}}\n")
    done = dump(config)
    assert done.stdout.startswith("manager:\n") and "warning" not in done.stdout
    assert done.stderr == f"{config}:1:24: warning: manager.max_workers: 1, but the pools' workers.min come to 2 (not all of them will run)\n"
    assert dump(write(place / "again.yaml", done.stdout)).stdout == done.stdout


@pytest.mark.parametrize("pool", ("command: [/nothing/there], user: nobody", "command: [/bin/true], user: nobody, colour: red"))
def test_what_cannot_run_is_not_dumped(place, pool):
    config = write(place / "bad.yaml", f"pools: {{a: {{{pool}}}}}\n")
    done = subprocess.run([BUILD / "bin/fcgipm", "check", "--dump", "-c", config], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 78 and not done.stdout
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith(f"{config}:1:"), done.stderr
