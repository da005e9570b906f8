"""The file: includes, sizes, what is refused and how it is said."""
import subprocess

from apps import pool
from conftest import BUILD, needs_root


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
