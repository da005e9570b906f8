"""A manager, and a reader of the configuration, that have been taken over: each attack is refused by name, counted, and nothing else suffers."""
import errno
import os
import pwd
import re
import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest
from apps import pool
from conftest import BUILD, Manager, children_of, comm, needs_root, wait_for
from fcgi import request
from loghost import host, listen  # pylint: disable=unused-import

pytestmark = needs_root

REFUSED = {
    "bind_unknown_pool": (errno.ENOENT, "unknown pool"),
    "bind_path_as_pool": (errno.ENOENT, "unknown pool"),
    "bind_unknown_generation": (errno.ENOENT, "unknown generation"),
    "spawn_unknown_pool": (errno.ENOENT, "unknown pool"),
    "spawn_unknown_generation": (errno.ENOENT, "unknown generation"),
    "commit_unknown_generation": (errno.ENOENT, "unknown generation"),
    "output_unknown_pool": (errno.ENOENT, "unknown pool"),
    "signal_pid_1": (errno.ESRCH, "unknown worker"),
    "signal_launcher": (errno.ESRCH, "unknown worker"),
    "signal_number_of_the_future": (errno.ESRCH, "unknown worker"),
    "signal_everybody": (errno.ESRCH, "unknown worker"),
    "signal_stop": (errno.EPERM, "signal"),
    "signal_none": (errno.EPERM, "signal"),
    "signal_negative": (errno.EPERM, "signal"),
    "look_unknown": (errno.ESRCH, "unknown worker"),
    "retire_unknown": (errno.ESRCH, "unknown worker"),
    "cut_unknown": (errno.ESRCH, "unknown worker"),
    "state_without_descriptor": (errno.EPROTO, "wrong number of descriptors"),
    "state_with_two": (errno.EPROTO, "wrong number of descriptors"),
    "surplus_descriptors": (errno.EPROTO, "wrong number of descriptors"),
    "unknown_type": (errno.EPROTO, "unknown type"),
    "type_of_the_launcher": (errno.EPROTO, "unknown type"),
    "type_beyond_the_table": (errno.EPROTO, "unknown type"),
    "unknown_notice": (errno.EPROTO, "malformed"),
    "unknown_end": (errno.EPROTO, "malformed"),
    "surplus_bytes": (errno.EPROTO, "malformed"),
    "truncated": (errno.EPROTO, "malformed"),
    "unterminated_name": (errno.EPROTO, "malformed"),
    "endless_name": (errno.EPROTO, "malformed"),
    "too_long": (errno.EPROTO, "too long"),
    "reload_twice": (errno.EBUSY, "a reload is under way"),
}
# Without a sequence number to answer to: the log alone says it.
REFUSED_UNANSWERED = {"header_alone": "malformed", "many_descriptors": "malformed", "oversized_datagram": "too long"}
# What an honest manager may ask at a bad moment is answered, not counted.
ANSWERED = {
    "spawn_unbound": (errno.ENOTCONN, "pool other is not bound"),
    "forget_a_pool_of_the_file": (errno.EBUSY, "the pool still has workers"),
    "output_where_none_is": (errno.EINVAL, "the pool has no output file"),
    "first_reload": (0, ""),
}


TWO = "pools:" + pool("c", workers=1, extra="stop: {timeout: 1s}") + """
  other:
    command: [/bin/sleep, "60"]
    user: nobody
    workers: {min: 0, max: 5}
    output: "null"
  crowd:
    command: [/bin/sleep, "60"]
    user: nobody
    workers: {min: 0, max: 2000}
    output: "null"
"""


class Stage:
    """A copy of the build in which one role can be played by a hostile program."""

    def __init__(self, place):
        self.build = place / "build"
        for part in ("bin", "libexec"):
            shutil.copytree(BUILD / part, self.build / part)

    def _put(self, role, program):
        at = self.build / "libexec/fcgipm" / f"fcgipm-{role}"
        shutil.copy(program, at.with_suffix(".new"))
        at.with_suffix(".new").rename(at)

    def hostile(self, role, play):
        (self.build / "libexec/fcgipm/play").write_text(play + "\n")
        self._put(role, BUILD / "tests/hostile" / role)

    def honest(self, role):
        self._put(role, BUILD / "libexec/fcgipm" / f"fcgipm-{role}")


@pytest.fixture
def stage(place):
    return Stage(place)


def wait_line(m, begin, timeout=60):
    wait_for(lambda: any(line.startswith(begin) for line in list(m.lines)), timeout, lambda: "\n".join(m.lines[-40:]))


def rss_kb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1))


def said(m, timeout=60):
    """What the hostile program wrote, once it is done: {name: (code, text)}."""
    wait_line(m, "hostile done", timeout)
    return {name: (int(code), text) for name, code, text in re.findall(r"^hostile (\w+) (-?\d+) (.*)$", "\n".join(m.lines), re.M)}



def serves(m, times=20):
    for _ in range(times):
        assert request(m.socket(), "").startswith(b"pid=")


def at_once(m):
    """Asked to stop twice it ends at once: a hostile manager retires nobody."""
    m.kill(signal.SIGTERM)
    m.event("launcher.stopping")
    m.kill(signal.SIGTERM)
    m.process.wait(10)


def take_over(m, stage):
    """An honest manager in its place: it finds everything as it is."""
    stage.honest("manager")
    m.expected_errors.add("manager.died")
    seen = len(m.events)
    os.kill(m.manager_pid, signal.SIGKILL)
    m.event("manager.go", after=seen)


def test_a_manager_that_was_taken_over_is_refused_by_name(fcgipm, stage):
    stage.hostile("manager", "refusals")
    m = fcgipm(TWO, build=stage.build)
    answers = said(m)
    assert {name: answers[name] for name in REFUSED} == REFUSED
    assert {name: answers[name][0] for name in ANSWERED} == {name: code for name, (code, _) in ANSWERED.items()}
    for name, (_, text) in ANSWERED.items():
        assert answers[name][1].startswith(text)
    refused = [e for e in m.events if e["event"] == "manager.refused"]
    assert [e["reason"] for e in refused[:3]] == list(REFUSED_UNANSWERED.values())
    assert [int(e["count"]) for e in refused] == [*range(1, 17), 32], "each is counted; a flood of them does not fill the log"
    serves(m)
    take_over(m, stage)
    m.event("ready")
    serves(m)


def test_a_manager_cannot_pass_for_a_client_of_the_broker(fcgipm, stage):
    """It hands connections on; who made them the kernel says, and what may be run stands in the spec."""
    stage.hostile("manager", "exec")
    m = fcgipm(TWO + "exec:\n  cgi: {roots: [/bin], user: nobody, clients: [root, nobody], worker_clients: true}\n", build=stage.build)
    answers = said(m)
    assert answers["exec_handed"][0] == 0 and answers["exec_forged_client"][0] == 2, "client-not-permitted"
    assert m.event("exec.refused", refusal="client-not-permitted")["uid"] == str(pwd.getpwnam("fcgipm").pw_uid)
    assert answers["exec_without_descriptor"][0] == errno.EPROTO == answers["exec_with_two"][0]
    serves(m)
    at_once(m)


def test_a_spawn_flood_ends_at_the_pools_max_and_at_the_total(fcgipm, stage):
    stage.hostile("manager", "flood")
    m = fcgipm("manager: {runtime_directory: @RUN@, max_workers: 20}\n" + TWO.replace("max: 2000", "max: 200"), build=stage.build)
    answers = said(m)
    assert answers["pool_granted"][0] == 6 and answers["spawn_over_pool"] == (errno.EAGAIN, "workers of the pool: 6 of max 5")
    assert answers["total_granted"][0] == 40 - 1 - 6 and answers["spawn_over_total"] == (errno.EAGAIN, "total of workers: 40 of twice max_workers 20")
    serves(m)
    at_once(m)


def test_a_flood_of_templates_that_serve_ends_at_twice_the_pools_max(fcgipm, stage):
    """Each is a worker once it has been seen to serve, and the place of a template is free again."""
    stage.hostile("manager", "templates")
    m = fcgipm("pools:" + pool("c", workers=1), build=stage.build)
    assert said(m)["templates_granted"] == (4, "templates of the pool: 0, workers: 5 of max 2")
    at_once(m)


def test_orders_for_workers_on_one_line_are_given_up_one_by_one(fcgipm, stage):
    """Of a template that does not answer (under a sanitizer this shows what is used after it was freed)."""
    stage.hostile("manager", "doubles")
    shutil.copytree(BUILD / "lib", stage.build / "lib")
    deaf = TWO.replace('crowd:\n    command: [/bin/sleep, "60"]', "crowd:\n    command: [@DIR@/apps/rogue]\n    environment: {ROGUE: deaf}")
    m = fcgipm(deaf, build=stage.build)
    answers = said(m)
    assert answers["doubles_template"][0] == 1 and answers["doubles_given_up"] == (errno.ETIMEDOUT, "the template did not fork in time"), answers
    serves(m)
    at_once(m)


def test_a_spawn_flood_is_bounded_in_rate(fcgipm, stage):
    stage.hostile("manager", "rate")
    at_once_gone = TWO.replace("max: 2000", "max: 400").replace('crowd:\n    command: [/bin/sleep, "60"]', "crowd:\n    command: [/bin/true]")
    m = fcgipm("manager: {runtime_directory: @RUN@, max_workers: 400}\n" + at_once_gone, build=stage.build)
    answers = said(m)
    assert answers["rate_answered"][0] == 3000
    # a thousand a second, and what the bucket holds at the start: max_workers and 256
    assert answers["rate_granted"][0] <= 400 + 256 + answers["rate_ms"][0] * 1.05 + 10
    if answers["rate_granted"][0] < 3000:
        assert any(e["event"] == "manager.refused" and e["reason"].startswith("spawn rate") for e in m.events)
    serves(m)
    at_once(m)


def test_a_worker_retired_before_its_exec_ends_whatever_its_stop_signal(fcgipm, stage):
    """WINCH passes a process by that has not asked for it: nobody would ever hear of the end."""
    stage.hostile("manager", "hasty")
    m = fcgipm(TWO.replace("max: 2000}", "max: 2000}\n    stop: {signal: WINCH}"), build=stage.build)
    assert said(m)["hasty_signalled"][0] == 40
    wait_for(lambda: not [p for p in children_of(m.launcher_pid) if comm(p) == "sleep"], 10, message="one of them lives on")
    at_once(m)


def test_a_manager_that_never_reads_is_not_read_either(fcgipm, stage):
    stage.hostile("manager", "deaf")
    m = fcgipm(TWO, build=stage.build)
    wait_line(m, "hostile started")
    end = time.monotonic() + 2
    while time.monotonic() < end:
        serves(m, 5)
    assert rss_kb(m.launcher_pid) < 12000 or "asan" in str(BUILD)
    take_over(m, stage)
    m.event("ready", timeout=60)
    serves(m)


def test_a_manager_that_dies_in_a_loop_is_damped_and_workers_write_and_serve_on(fcgipm, stage):
    stage.hostile("manager", "die")
    m = fcgipm(TWO, build=stage.build)
    wait_for(lambda: len([e for e in m.events if e["event"] == "manager.died"]) >= 4)
    end, written = time.monotonic() + 2, 0
    while time.monotonic() < end or written < 1 << 20:  # nobody reads the output: a pipe would be full after 64 KiB
        assert request(m.socket(), "stderr=" + "x" * 8000).startswith(b"pid=")
        written += 8000
    assert len([e for e in m.events if e["event"] == "manager.died"]) <= 7, "0, 100, 200, 400 ... ms apart"
    stage.honest("manager")
    m.event("ready", timeout=60)
    serves(m)


def test_a_manager_cannot_keep_the_launcher_from_the_log(fcgipm, stage, host, listen):
    """Its socket to the journal is its own: shut down and without a timeout it spoils nobody else's."""
    stage.hostile("manager", "log")
    log = listen(host.journal)
    m = fcgipm("manager: {runtime_directory: @RUN@, log: {target: journal}}\n" + TWO, build=stage.build, wrap=host.enter)
    assert {name: code for name, (code, _) in said(m).items() if name.startswith("log_")} == {"log_timeout": 0, "log_shutdown": 0}
    m.kill(signal.SIGTERM)
    log.event("launcher.stopping")
    m.kill(signal.SIGTERM)
    m.process.wait(10)
    assert not any(e["event"] == "log.dropped" for e in log.events)


def test_a_manager_that_lets_go_of_its_link_is_replaced(fcgipm, stage):
    stage.hostile("manager", "mute")
    m = fcgipm(TWO, build=stage.build)
    wait_line(m, "hostile started")
    stage.honest("manager")
    m.expected_errors |= {"manager.died", "manager.failed"}
    m.event("ready", timeout=30)
    serves(m)


def test_what_a_phase_does_not_allow_is_refused(fcgipm, stage):
    stage.hostile("manager", "wrong_phase")
    m = fcgipm(TWO, build=stage.build)
    answers = said(m)
    assert answers["end"] == (0, "")
    assert answers["bind_while_ending"] == answers["reload_while_ending"] == (errno.EPROTO, "wrong phase")
    for _ in range(2):  # drain, stop, at once
        m.kill(signal.SIGTERM)
        time.sleep(0.1)
    m.process.wait(10)


def test_a_manager_that_retires_nobody_does_not_hold_the_end(fcgipm, stage):
    stage.hostile("manager", "none")
    m = fcgipm(TWO, build=stage.build)
    said(m)
    begun = time.monotonic()
    m.stop()
    assert time.monotonic() - begun < 12, "stop.timeout and five seconds"
    m.event("launcher.stop_timeout")


# What conf answers with, and what the operator's reload and the log say of it.
BELOW_A_FLOOR = {
    "uid_0": "uid 0", "gid_0": "gid 0", "group_0": "supplementary group 0", "uid_minus_1": "id -1", "gid_minus_1": "id -1",
    "account_of_the_manager": "fcgipm's own account", "account_of_conf": "fcgipm's own account", "group_of_the_manager": "fcgipm's own group",
    "manager_is_root": "may not be root or fcgipm-conf", "manager_is_conf": "may not be root or fcgipm-conf",
    "relative_executable": "executable is not absolute", "relative_chroot": "chroot is no absolute path",
    "chroot_with_dots": "chroot is no absolute path", "relative_directory": "directory is no absolute path",
    "capability_sys_admin": "a capability that amounts to root", "capability_setuid": "a capability that amounts to root",
    "capability_unknown": "a capability that amounts to root", "control_socket_as_address": "address among fcgipm's own files",
    "relative_address": "address is no absolute path", "private_elsewhere": "private socket outside its place", "name_of_two": "an entry under another pool's name", "twice": "pools out of order",
    "no_executable": "no command", "name_with_slash": "a name that no pool may have", "nice_beyond": "nice value out of range",
    "mode_with_setuid": "socket mode out of range", "stop_signal_0": "stop signal out of range", "stop_timeout_for_ever": "stop timeout out of range",
}
PROFILES_BELOW_A_FLOOR = {
    "profile_uid_0": "uid 0", "profile_gid_0": "gid 0", "profile_group_0": "group 0", "profile_owner_with_group_0": "group 0", "profile_uid_minus_1": "id -1",
    "profile_account_of_the_manager": "fcgipm's own account", "profile_account_of_conf": "fcgipm's own account", "profile_group_of_the_manager": "fcgipm's own group",
    "profile_min_uid_0": "min_uid is 0", "profile_min_gid_0": "min_gid is 0", "profile_no_root": "no root", "profile_root_is_all": "a root is /",
    "profile_root_with_dots": "a root is no absolute path", "profile_root_half_a_pattern": "a root is no absolute path",
    "profile_preload_set": "LD_ variables", "profile_preload_allowed": "LD_ variables", "profile_all_variables": "LD_ variables",
    "profile_capability_setuid": "a capability that amounts to root", "profile_relative_chroot": "chroot is no absolute path",
    "profile_relative_directory": "directory is no absolute path", "profile_named_local": "a name that no profile may have",
    "profile_name_with_slash": "a name that no profile may have", "profile_twice": "profiles out of order", "profile_running_beyond": "max_running out of range",
    "profile_queue_beyond": "queue_limit out of range", "profile_timeout_for_ever": "timeout out of range",
}
BROKEN_PROTOCOL = {
    "not_sealed": "spec not sealed", "truncated": "truncated or malformed", "trailing": "truncated or malformed", "errors_with_a_spec": "malformed",
    "no_spec": "malformed", "no_descriptor": "malformed", "three_descriptors": "wrong number of descriptors", "unknown_type": "unknown type",
    "answer_of_look": "wrong phase", "half_a_header": "malformed", "oversized": "too long", "include_flood": "asks before it has read",
}
ENDED = {"silent_end": "ended without an answer", "dies_by_signal": "ended without an answer"}


@pytest.fixture(scope="module")
def served():
    """One launcher that outlives every attack of this module's confs."""
    place = Path(tempfile.mkdtemp(prefix="fcgipm-it.", dir="/tmp"))
    place.chmod(0o755)
    (place / "apps").mkdir()
    shutil.copy(BUILD / "tests/apps/app", place / "apps/app")
    (place / "link-to-shadow").symlink_to("/etc/shadow")
    stage = Stage(place)
    one = pool("c", workers=1, extra="stop: {timeout: 1s}").replace("max: 2", "max: 1")  # a second one, under load, would look like a change
    m = Manager(place, "pools:" + one, build=stage.build).ready()
    m.expected_errors.add("reload.refused")
    yield m, stage
    assert m.stop() == 0
    m.check_end()
    shutil.rmtree(place)


def reload_with(served, attack, code=78):
    m, stage = served
    stage.hostile("conf", attack)
    before, seen = m.pids(), len(m.events)
    done = m.cli("reload", check=code)
    serves(m, 3)
    if code != 0:
        assert m.pids() == before and m.status()["pools"][0]["state"] == "ready", "nothing has changed"
    return done.stdout + done.stderr, [e for e in m.events[seen:] if e["event"] == "conf.refused"]


@pytest.mark.parametrize("attack", BELOW_A_FLOOR)
def test_no_spec_below_a_floor_is_run(served, attack):
    text, refused = reload_with(served, attack)
    assert BELOW_A_FLOOR[attack] in text
    assert len(refused) == 1 and BELOW_A_FLOOR[attack] in refused[0]["reason"] and int(refused[0]["count"]) > 0


@pytest.mark.parametrize("attack", PROFILES_BELOW_A_FLOOR)
def test_no_profile_below_a_floor_is_taken_up(served, attack):
    text, refused = reload_with(served, attack)
    floor = PROFILES_BELOW_A_FLOOR[attack]
    assert floor in text and ("exec.cgi: below the floor: " in text or "the spec: " in text), text
    assert len(refused) == 1 and floor in refused[0]["reason"] and refused[0].get("profile", "cgi") == "cgi" and int(refused[0]["count"]) > 0


@pytest.mark.parametrize("attack", BROKEN_PROTOCOL)
def test_a_conf_that_breaks_the_protocol_changes_nothing(served, attack):
    text, refused = reload_with(served, attack)
    assert BROKEN_PROTOCOL[attack] in text and "broke the protocol" in text
    assert len(refused) == 1 and BROKEN_PROTOCOL[attack] in refused[0]["reason"]


@pytest.mark.parametrize("attack", ENDED)
def test_a_conf_that_ends_changes_nothing(served, attack):
    assert ENDED[attack] in reload_with(served, attack)[0]


def test_what_conf_writes_cannot_steer_a_terminal(served):
    text, _ = reload_with(served, "controls_in_the_text")
    assert "fine" in text and not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)


@pytest.mark.parametrize("attack", ("include_above", "include_absolute", "include_through_a_link"))
def test_conf_gets_no_file_outside_the_configurations_directory(served, attack):
    text, _ = reload_with(served, attack)
    assert re.search(r"include: code [1-9]\d*, descriptors 0", text), text


def test_a_good_spec_of_the_same_program_is_run(served):
    """The attacks above differ from this one in a single thing."""
    reload_with(served, "honest", code=0)
    served[0].event("pool.replaced", pool="app")
    serves(served[0])
