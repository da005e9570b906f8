#!/usr/bin/python3
"""Holds docs/events.md against the events that the sources log: the same names, and every field of the source in the table."""
import re
import sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent
logged, documented = {}, {}
for path in sorted(root.glob("fcgipm/*/*.c")):
    for name, fields in re.findall(r'(?:log_(?:error|warn|info|debug)\(|FP_LOG_LINE\()"([a-z_.]+)"(.*?)\);', path.read_text(), re.S):
        logged.setdefault(name, set()).update(re.findall(r'K[SIB]\((?:\w+ \? "\w+" : )?"(\w+)"', fields))
for name, fields in re.findall(r"^\| ([a-z_.]+) \| [a-z, ]+ \| ([^|]*) \|", (root / "docs/events.md").read_text(), re.M):
    documented[name] = set(re.split(r", | or ", fields))

wrong = [f"{name}: logged, but not in docs/events.md" for name in sorted(set(logged) - set(documented))]
wrong += [f"{name}: in docs/events.md, but never logged" for name in sorted(set(documented) - set(logged))]
wrong += [f"{name}: field {', '.join(sorted(logged[name] - documented[name]))} is not in docs/events.md"
          for name in sorted(set(logged) & set(documented)) if logged[name] - documented[name]]
print("\n".join(wrong) or f"events: {len(logged)}, each as documented")
sys.exit(bool(wrong))
