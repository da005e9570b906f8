#!/usr/bin/python3
"""Holds the docs against the sources: every event and its fields stand in docs/events.md, and every test that a page names is there."""
import re
import sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent
logged, documented = {}, {}
for path in sorted(root.glob("fcgipm/*/*.c")):
    for name, fields in re.findall(r'(?:log_(?:error|warn|info|debug)\(|FP_LOG_LINE\()"([a-z_.]+)"(.*?)\);', path.read_text(), re.S):
        logged.setdefault(name, set()).update(re.findall(r'K[SIB]\((?:\w+ \? "\w+" : )?"(\w+)"', fields))
for begin, end in re.findall(r'X\([A-Z_]+, \w+, "([a-z_.]+)", "([a-z_.]+)"', (root / "fcgipm/manager/episode.h").read_text()):
    logged[begin], logged[end] = {"pool", "queued", "wanted", "max"}, {"pool", "in_all_ms"}
for name, fields in re.findall(r"^\| ([a-z_.]+) \| [a-z, ]+ \| ([^|]*) \|", (root / "docs/events.md").read_text(), re.M):
    documented[name] = set(re.split(r", | or ", fields))

wrong = [f"{name}: logged, but not in docs/events.md" for name in sorted(set(logged) - set(documented))]
wrong += [f"{name}: in docs/events.md, but never logged" for name in sorted(set(documented) - set(logged))]
wrong += [f"{name}: field {', '.join(sorted(logged[name] - documented[name]))} is not in docs/events.md"
          for name in sorted(set(logged) & set(documented)) if logged[name] - documented[name]]
tests = set(re.findall(r"\b(test_\w+)", "\n".join(p.read_text() for p in root.glob("tests/**/*.[cp]*") if p.suffix in (".c", ".py"))))
for page in sorted(root.glob("**/*.md")):
    wrong += [f"{page.relative_to(root)}: no such test: {name}" for name in re.findall(r"`(test_\w+)`", page.read_text()) if name not in tests]
print("\n".join(wrong) or f"docs: {len(logged)} events, each as documented; every test that is named is there")
sys.exit(bool(wrong))
