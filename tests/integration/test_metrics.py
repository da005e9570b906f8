"""OpenMetrics, read by the parser of prometheus_client."""
import os
import re
import signal

from apps import pool
from conftest import HERE, wait_for
from fcgi import Load
from prometheus_client.openmetrics.parser import text_string_to_metric_families


def scrape(m):
    """{(name, labels): value} of a strict parse."""
    text = m.cli("status", "--openmetrics", check=0).stdout
    assert text.endswith("# EOF\n")
    families = list(text_string_to_metric_families(text))
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for f in families for s in f.samples}, families


def of(samples, name, **labels):
    return samples[name, tuple(sorted(labels.items()))]


def test_openmetrics_says_what_status_says(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=2) + pool("c", name="asleep", workers=0).replace("max: 0", "max: 3")).ready()
    samples, _ = scrape(m)
    status = m.status()
    for p in status["pools"]:
        for metric, value in (("total_processes", p["workers"]["total"]), ("max_processes", p["workers"]["max"]), ("listen_queue_length", p["queue"]["limit"]),
                              ("idle_processes", p["workers"]["idle"])):
            assert of(samples, f"fcgipm_{metric}", pool=p["name"]) == value
        states = {dict(labels)["fcgipm_pool_state"]: v for (name, labels), v in samples.items() if name == "fcgipm_pool_state" and dict(labels)["pool"] == p["name"]}
        assert [state for state, v in states.items() if v == 1] == [p["state"]]
    assert of(samples, "fcgipm_info", version=status["manager"]["version"]) == 1
    counted = [dict(labels)["pool"] for name, labels in samples if name == "fcgipm_accepted_connections_total"]
    assert counted == ["app"], "what has never run has no scoreboard, and unknown is not 0"


def test_every_metric_is_documented_and_no_other(fcgipm):
    _, families = scrape(fcgipm("pools:" + pool("c")).ready())
    suffix = {"counter": "_total", "info": "_info"}
    said = {f.name + suffix.get(f.type, ""): f.type for f in families}
    documented = dict(re.findall(r"^\| (fcgipm_\w+) \| (\w+) \|", (HERE.parent.parent / "docs/metrics.md").read_text(), re.M))
    assert said == documented


def test_counters_never_go_back(fcgipm):
    """Not when the manager is killed, nor when a reload changes the pool."""
    text = "pools:" + pool("c", workers=1).replace("max: 2", "max: 1")
    m = fcgipm(text).ready()
    m.expected_errors |= {"manager.died", "worker.crashed"}
    with Load(m.socket(), "sleep=50", clients=8):
        wait_for(lambda: of(scrape(m)[0], "fcgipm_alarm_seconds_total", pool="app", alarm="at_max") > 0.2)
        samples, _ = scrape(m)
        assert of(samples, "fcgipm_alarm", pool="app", fcgipm_alarm="at_max") == 1
    os.kill(m.pids()[0], signal.SIGKILL)
    wait_for(lambda: of(scrape(m)[0], "fcgipm_restarts_total", pool="app", reason="signal") == 1)
    before, families = scrape(m)
    seen = len(m.events)
    os.kill(m.manager_pid, signal.SIGKILL)
    m.event("manager.go", after=seen)
    m.write(text + "    umask: \"0077\"\n")
    m.cli("reload", check=0)
    after, _ = scrape(m)
    counters = {f.name + "_total" for f in families if f.type == "counter"}
    assert all(after[key] >= value for key, value in before.items() if key[0] in counters)
    assert of(after, "fcgipm_manager_deaths_total") == 1
    assert of(after, "fcgipm_restarts_total", pool="app", reason="signal") == 1
