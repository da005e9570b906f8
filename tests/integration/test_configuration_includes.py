"""include: what is read, in which order, and what is refused with the remedy."""
import os
import subprocess

import pytest
from conftest import BUILD, needs_root

GOOD = "{command: [/bin/true], user: nobody}"


class Tree:
    """Files below a directory; pools.yaml is the main one."""

    def __init__(self, place):
        self.place = place

    def write(self, name, text="pools: {}\n", mode=0o644):
        path = self.place / name
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def check(self, include, *args, **more):
        """(exit code, what is said) with the directory left out of it."""
        self.write("pools.yaml", f"include: {include}\npools: {{}}\n")
        done = subprocess.run([BUILD / "bin/fcgipm", "check", "-c", self.place / "pools.yaml", *args], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, check=False, **more)
        return done.returncode, (done.stderr or done.stdout).replace(f"{self.place}/", "")


@pytest.fixture
def tree(place):
    return Tree(place)


def pools_of(text):
    return [line.split(":")[0].strip() for line in text.splitlines() if line.startswith("  ") and line[2] != " " and line.endswith(":")]


def test_files_are_read_in_order_of_their_names_and_each_once(tree):
    for name, key in (("10-z", "a"), ("9-y", "b"), ("B", "c"), ("a", "d")):
        tree.write(f"pools.d/{name}.yaml", f"pools: {{x: {{{key}: 1}}}}\n")
    code, said = tree.check("['pools.d/*.yaml', pools.d/a.yaml, 'pools.d/?.yaml', '*.yaml']")
    assert code == 78
    assert [line.split(":")[0] for line in said.splitlines() if "unknown key" in line] == ["pools.d/10-z.yaml"], "of a name that is given twice the first counts"
    assert [line.split(" (")[0] for line in said.splitlines() if "given twice" in line] == [
        f"pools.d/{name}.yaml:1:9: pools.x: given twice" for name in ("9-y", "B", "a")]
    assert "(first in pools.d/10-z.yaml line 1; keep one)" in said.replace(str(tree.place), "")


def test_the_working_directory_does_not_matter(tree):
    tree.write("pools.d/a.yaml", f"pools: {{a: {GOOD}}}\n")
    assert tree.check("pools.d/*.yaml", cwd="/") == tree.check("pools.d/*.yaml", cwd=tree.place) == (0, "pools.yaml: good: 1 pools, 0 warnings\n")
    assert tree.check(f"{tree.place}/pools.d/*.yaml")[0] == 0, "the directory of the file may be written out"


def test_neither_hidden_files_nor_what_editors_and_dpkg_leave_are_read(tree):
    for name in (".a.yaml", ".#a.yaml", "a.yaml~", "#a.yaml#", "a.yaml.bak", "a.yaml.swp", "a.yaml.dpkg-dist", "a.yml", "README"):
        tree.write(f"pools.d/{name}", "not: [yaml")
    tree.write("pools.d/a.yaml", f"pools: {{a: {GOOD}}}\n")
    assert tree.check("pools.d/*.yaml") == (0, "pools.yaml: good: 1 pools, 0 warnings\n")


def test_a_pattern_may_match_nothing_and_a_name_may_not(tree):
    (tree.place / "pools.d").mkdir(mode=0o755)
    assert tree.check("pools.d/*.yaml")[0] == 0
    assert tree.check("pools.d/a.yaml") == (78, "pools.yaml:1:10: include: pools.d/a.yaml: cannot open pools.d/a.yaml: No such file or directory\n")
    assert tree.check("[]") == tree.check("") == (0, "pools.yaml: good: 0 pools, 0 warnings\n")


def test_a_file_that_includes_itself_or_a_cycle(tree):
    assert tree.check("'*.yaml'")[0] == 0, "it is read once"
    tree.write("a.d/a.yaml", "include: ../pools.yaml\npools: {}\n")
    assert tree.check("a.d/*.yaml") == (78, "a.d/a.yaml:1:1: include: in an included file (it belongs into pools.yaml)\n")


BELOW = "what lies below this file's directory, such as pools.d/*.yaml)"
PATTERNS = {
    "../a.yaml": f'no ".", ".." or empty names ({BELOW}',
    "./a.yaml": f'no ".", ".." or empty names ({BELOW}',
    "pools.d/../a.yaml": f'no ".", ".." or empty names ({BELOW}',
    "pools.d//a.yaml": f'no ".", ".." or empty names ({BELOW}',
    "*": "README does not end in .yaml or .yml (such as pools.d/*.yaml)",
    "README": "README does not end in .yaml or .yml (such as pools.d/*.yaml)",
    "missing.d/*.yaml": "cannot open the directory missing.d/: No such file or directory (make it, or mend the pattern)",
    "fifo.d/*.yaml": "fifo.d/a.yaml is not a regular file",
    "directory.d/*.yaml": "directory.d/a.yaml is not a regular file",
    "link.d/*.yaml": "link.d/a.yaml is a link, which is not followed (name the file itself, or put it there)",
    "linked.d/*.yaml": "cannot open the directory linked.d/: Not a directory (make it, or mend the pattern)",
    "open.d/*.yaml": "open.d/b.yaml has mode 0646; others may not write it (chmod go-w); so it is with 1 more",
    "sticky.d/*.yaml": "sticky.d/a.yaml has mode 0664; others may not write it (chmod go-w)",
    "writable.d/*.yaml": "the directory writable.d/ belongs to uid 0 with mode 0777: others could change what is in it (chown root, chmod go-w)",
    "owned.d/*.yaml": "owned.d/a.yaml belongs to uid 65534; it must be root's (chown root)",
    "of-nobody.d/*.yaml": "the directory of-nobody.d/ belongs to uid 65534 with mode 0755: others could change what is in it (chown root, chmod go-w)",
}


@needs_root
@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_may_not_be_included_is_said_with_the_remedy(tree, pattern):
    for name, mode in (("README", 0o644), ("pools.d/a.yaml", 0o644), ("open.d/a.yaml", 0o644), ("open.d/b.yaml", 0o646), ("open.d/c.yaml", 0o622),
                       ("sticky.d/a.yaml", 0o664), ("writable.d/a.yaml", 0o644), ("owned.d/a.yaml", 0o644), ("of-nobody.d/a.yaml", 0o644)):
        tree.write(name, mode=mode)
    for name in ("fifo.d", "directory.d", "directory.d/a.yaml", "link.d"):
        (tree.place / name).mkdir(mode=0o755)
    os.mkfifo(tree.place / "fifo.d/a.yaml")
    (tree.place / "link.d/a.yaml").symlink_to("../pools.d/a.yaml")
    (tree.place / "linked.d").symlink_to("pools.d")
    (tree.place / "writable.d").chmod(0o777)
    (tree.place / "sticky.d").chmod(0o1777)
    os.chown(tree.place / "owned.d/a.yaml", 65534, 65534)
    os.chown(tree.place / "of-nobody.d", 65534, 65534)
    code, said = tree.check(f"'{pattern}'")
    assert (code, said) == (78, f"pools.yaml:1:10: include: {pattern}: {PATTERNS[pattern]}\n")


@pytest.mark.parametrize("include, said", (
    ("/etc/*.yaml", '1:10: include: "/etc/*.yaml" is not below this file\'s directory (such as pools.d/*.yaml)'),
    ("''", '1:10: include: "" is not below this file\'s directory (such as pools.d/*.yaml)'),
    ("{a: b}", "1:10: include: a mapping (a pattern, or a list of them)"),
    ("['a.d/*.yaml', [b]]", "1:25: include: a list or mapping among the patterns (each is one value)"),
    ("[*.yaml]", "1:12: neither \"&\" nor \"*\" can begin a value (write it in quotes)"),
))
def test_what_is_no_pattern(tree, include, said):
    (tree.place / "a.d").mkdir(mode=0o755)
    assert tree.check(include) == (78, f"pools.yaml:{said}\n")


def test_an_error_in_an_included_file_names_that_file(tree):
    tree.write("pools.d/a.yaml", f"manager: {{}}\ndefaults: {{}}\ninclude: b.yaml\npools:\n  a: {GOOD}\n  b: {{}}\n")
    tree.write("pools.d/b.yaml", "pools:\n  c:\n\tuser: x\n")
    tree.write("pools.d/c.yaml", f"pools:\n  a: {GOOD}\n  d: {{command: [/bin/true], user: nobody, listen: 127.0.0.1:9}}\n")
    tree.write("pools.d/d.yaml", "pools: {e: {command: [/bin/true], user: nobody, listen: 0.0.0.0:9}}\n")
    code, said = tree.check("pools.d/*.yaml")
    assert code == 78
    assert said.splitlines() == [
        "pools.d/a.yaml:1:1: manager: in an included file (it belongs into pools.yaml)",
        "pools.d/a.yaml:2:1: defaults: in an included file (it belongs into pools.yaml)",
        "pools.d/a.yaml:3:1: include: in an included file (it belongs into pools.yaml)",
        "pools.d/a.yaml:6:3: pools.b: no command (such as command: [/usr/bin/php-cgi])",
        "pools.d/a.yaml:6:3: pools.b: no user (the account of its workers, such as user: alice)",
        "pools.d/b.yaml:3:1: a tab in the indentation (spaces only)",
        "pools.d/c.yaml:2:3: pools.a: given twice (first in pools.d/a.yaml line 5; keep one)",
        "pools.d/d.yaml:1:57: pools.e.listen: taken by pool d in pools.d/c.yaml line 3 (an address of its own)",
    ]


def test_what_is_included_is_merged_into_the_dump(tree):
    tree.write("pools.d/b.yaml", f"pools: {{b: {GOOD}}}\n")
    tree.write("pools.d/a.yaml", f"pools: {{c: {GOOD}, a: {GOOD}}}\n")
    code, dumped = tree.check("pools.d/*.yaml", "--dump")
    assert code == 0 and [p for p in pools_of(dumped) if len(p) == 1] == ["a", "b", "c"] and "include" not in dumped
