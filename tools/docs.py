#!/usr/bin/python3
"""docs/events.md: holds it (and every test that a page names) against the sources, or prints it as fcgipm-events(7): docs.py [man]"""
import re
import sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent
EVENT = re.compile(r"^\| ([a-z_.]+) \| ([a-z, ]+) \| ([^|]*) \| ([^|]*) \|$", re.M)


def logged_events():
    """{name: ({level}, {field})} of what the sources log."""
    logged = {}
    for path in sorted(root.glob("fcgipm/*/*.c")):
        for call, name, fields in re.findall(r'(log_(?:error|warn|info|debug)\(|(?:FP_LOG_\w+,\s*|= *|FP_LOG_\w+ : FP_LOG_\w+,\s*)FP_LOG_LINE\()"([a-z_.]+)"(.*?)\);', path.read_text(), re.S):
            levels, keys = logged.setdefault(name, (set(), set()))
            levels.update(level.lower() for level in re.findall(r"(?<=log_)\w+|(?<=FP_LOG_)(?:ERROR|WARN|INFO|DEBUG)", call))
            keys.update(re.findall(r'K[SIB]\((?:\w+ \? "\w+" : )?"(\w+)"', fields))
    for begin, end in re.findall(r'X\([A-Z_]+, \w+, "([a-z_.]+)", "([a-z_.]+)"', (root / "fcgipm/manager/episode.h").read_text()):
        logged[begin], logged[end] = ({"warn"}, {"pool", "queued", "wanted", "max"}), ({"info"}, {"pool", "in_all_ms"})
    return logged


def compare():
    logged, wrong = logged_events(), []
    documented = {name: (set(levels.split(", ")), set(re.split(r", | or ", fields))) for name, levels, fields, _ in EVENT.findall((root / "docs/events.md").read_text())}
    wrong += [f"{name}: logged, but not in docs/events.md" for name in sorted(set(logged) - set(documented))]
    wrong += [f"{name}: in docs/events.md, but never logged" for name in sorted(set(documented) - set(logged))]
    for name in sorted(set(logged) & set(documented)):
        levels, keys = logged[name]
        if levels and levels != documented[name][0]:
            wrong.append(f"{name}: logged as {', '.join(sorted(levels))}, in docs/events.md as {', '.join(sorted(documented[name][0]))}")
        if keys - documented[name][1]:
            wrong.append(f"{name}: field {', '.join(sorted(keys - documented[name][1]))} is not in docs/events.md")
    tests = set(re.findall(r"\b(test_\w+)", "\n".join(p.read_text() for p in root.glob("tests/**/*.[cp]*") if p.suffix in (".c", ".py"))))
    for page in sorted(root.glob("**/*.md")):
        wrong += [f"{page.relative_to(root)}: no such test: {name}" for name in re.findall(r"`(test_\w+)`", page.read_text()) if name not in tests]
    ids = set(re.findall(r"FP\d{4}", "".join(p.read_text() for p in root.glob("mod_fcgipm/*.[ch]"))))
    described = set(re.findall(r"^\| (FP\d{4}) \|", (root / "docs/mod_fcgipm.md").read_text(), re.M))
    wrong += [f"{i}: of mod_fcgipm, but not in docs/mod_fcgipm.md" for i in sorted(ids - described)] + [f"{i}: in docs/mod_fcgipm.md alone" for i in sorted(described - ids)]
    directives = set(re.findall(r'"(Fcgipm\w+)", \w+, ', (root / "mod_fcgipm/config.c").read_text()))
    wrong += [f"{d}: not in docs/mod_fcgipm.md" for d in sorted(directives) if f"`{d} " not in (root / "docs/mod_fcgipm.md").read_text()]
    print("\n".join(wrong) or f"docs: {len(logged)} events, each as documented; every test that is named is there")
    return bool(wrong)


# ---- the manual ----

def plain(text):
    """Text for troff: neither a request at the beginning of a line nor an escape in it."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def prose(text):
    """A paragraph in mdoc: a sentence a line, `code` and name(7) as macros with the punctuation that follows."""
    out = []
    for part in re.split(r"((?:`[^`]*`|[a-z][\w.-]*\(\d\))[.,:;)]*)", text):
        code, page = re.fullmatch(r"`([^`]*)`([.,:;)]*)", part), re.fullmatch(r"([\w.-]+)\((\d)\)([.,:;)]*)", part)
        if code:
            quoted = code.group(1).replace('"', '""')
            line = f'.Ql "{plain(quoted)}"'
        elif page:
            line = f".Xr {plain(page.group(1))} {page.group(2)}"
        else:
            out += [plain(sentence) for sentence in re.sub(r"(?<=[.:]) (?=[A-Z])", "\n", part.strip()).split("\n") if sentence]
            continue
        after = (code or page).groups()[-1]
        if out and out[-1].endswith("("):
            out[-1] = out[-1][:-1].rstrip()
            line, after = f".Pq {line[1:]}", after.removeprefix(")")
        out.append(line + "".join(f" {c}" for c in after))
    return "\n".join(out)


def table(rows):
    """The first column is the tag; of an event's row level and fields go before what happened."""
    lines = [".Bl -tag -width Ds"]
    for tag, *rest in rows:
        event = EVENT.match(f"| {' | '.join([tag, *rest])} |")
        lines.append(f".It Ic {plain(tag.strip('`'))}" + (f" Pq {event.group(2)}" if event else ""))
        if event:
            lines.append(f"{prose(rest[2])}\n.br\nFields: {plain(rest[1]) or 'none'}.")
        else:
            lines += [prose(cell) + ("" if cell is rest[-1] else ":") for cell in rest]
    return "\n".join([*lines, ".El"])


def manual():
    text = re.sub(r"<!--.*?-->\n", "", (root / "docs/events.md").read_text(), flags=re.S)
    title, *sections = re.split(r"^## ", text, flags=re.M)
    print('.\\" Generated by make docs from docs/events.md.\n.Dd November 23, 2026\n.Dt FCGIPM-EVENTS 7\n.Os\n.Sh NAME\n.Nm fcgipm-events\n.Nd what fcgipm logs\n.Sh DESCRIPTION')
    for number, section in enumerate([title.removeprefix("# Events\n"), *sections]):
        heading, _, body = section.partition("\n")
        if number > 0:
            print(f".Sh {heading.upper()}")
        blocks = [b for b in body.strip().split("\n\n") if b]
        for i, block in enumerate(blocks):
            rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.split("\n")] if block.startswith("|") else None
            if rows is None and i > 0:
                print(".Pp")
            print(table(rows[2:]) if rows else prose(" ".join(block.split("\n"))))
    print(".Sh SEE ALSO\n.Xr journalctl 1 ,\n.Xr fcgipm.yaml 5 ,\n.Xr fcgipm 8 ,\n.Xr logrotate 8")


if __name__ == "__main__":
    sys.exit(manual() if sys.argv[1:] == ["man"] else compare())
