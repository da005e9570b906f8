"""What the privileged process costs, however many workers there are."""
import re
from pathlib import Path

import pytest
from apps import pool
from conftest import BUILD
from fcgi import request


def resident_kb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1))


@pytest.mark.skipif("asan" in str(BUILD), reason="memory is not measured under a sanitizer")
def test_the_launcher_stays_below_8_mb_with_1000_workers(fcgipm):
    m = fcgipm("manager: {runtime_directory: @RUN@, max_workers: 1100}\npools:" + pool("c", workers=1000, extra="limits: {nofile: 64}"))
    m.event("ready", timeout=60)
    assert len(m.pids()) == 1000
    print(f"launcher {resident_kb(m.launcher_pid)} kB, manager {resident_kb(m.manager_pid)} kB")
    assert resident_kb(m.launcher_pid) < 8192
    for _ in range(50):
        assert request(m.socket(), "").startswith(b"pid=")
