#!/usr/bin/env python3
"""Holds the include lines of fcgipm/ and mod_fcgipm/ against fcgipm/LAYERS, and refuses include cycles between headers.

Prints one line a finding, FILE:LINE: what; exits with 1 when there is one.
"""
import os
import re
import sys

ROOTS = ("fcgipm", "mod_fcgipm")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def read_layers(path):
    layers = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            line = line.split("#", 1)[0].strip()
            if line:
                name, _, allowed = line.partition(":")
                layers[name.strip()] = set(allowed.split())
    return layers


def sources(root):
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                yield os.path.join(folder, name)


def includes(path):
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            found = INCLUDE.match(line)
            if found:
                yield number, found.group(1)


def layer_of(path):
    """fcgipm/base/fd.h is of base; the httpd module is one layer, in one folder."""
    root, *rest = path.split("/")
    return root if root == "mod_fcgipm" else rest[0]


def check_edges(layers, findings):
    for path in [*sources("fcgipm"), *sources("mod_fcgipm")]:
        own = layer_of(path)
        if own not in layers:
            findings.append(f"{path}:1: the layer {own} is not in fcgipm/LAYERS")
            continue
        for number, target in includes(path):
            parts = target.split("/")
            if parts[:2] == ["include", "fcgipm"]:
                continue
            if parts[0] not in ROOTS:
                findings.append(f"{path}:{number}: includes are written from the root of the source: {target}")
            elif layer_of(target) in layers and layer_of(target) not in {own, *layers[own]}:
                findings.append(f"{path}:{number}: {own} may not include {layer_of(target)} (fcgipm/LAYERS)")


def check_cycles(findings):
    graph = {p: [t for _, t in includes(p) if os.path.exists(t)] for root in ROOTS for p in sources(root) if p.endswith(".h")}
    state = {}

    def visit(node, trail):
        state[node] = "open"
        for target in graph.get(node, []):
            if state.get(target) == "open":
                cycle = trail[trail.index(target):] + [target] if target in trail else [node, target]
                findings.append(f"{node}:1: include cycle: {' -> '.join(cycle)}")
            elif target not in state:
                visit(target, trail + [target])
        state[node] = "done"

    for node in graph:
        if node not in state:
            visit(node, [node])


def main():
    findings = []
    check_edges(read_layers("fcgipm/LAYERS"), findings)
    check_cycles(findings)
    print("\n".join(findings) if findings else "layers: every include is allowed, no cycle")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
