#!/usr/bin/env python3
"""Measures everything against the cluster that PGHOST names; bench/run calls it."""

import json
import os
import pathlib
import platform
import subprocess
import sys
import time

import http_measures
import measures
import report
from harness import FAST, ROUNDS, SECONDS, Session

# Each file of results is written by a run of any of its parts.
FILES = {
    "figures": "read attached engines scan first changes connections growth".split(),
    "http": "http post instances memory sse".split(),
}
SETTINGS = "server_version shared_buffers max_connections work_mem fsync synchronous_commit jit autovacuum".split()


def answer(*command):
    """The first line that a program says, on whichever output, or None where it is missing."""
    try:
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return run.stdout.splitlines()[0]
    except (OSError, IndexError):
        return None


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def conditions():
    """Under what conditions the figures came to be."""
    with Session() as session:
        settings = {name: session.value(f"SHOW {name}") for name in SETTINGS}
        settings["flagsmith"] = session.value("SELECT extversion FROM pg_extension WHERE extname = 'flagsmith'")
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "processor": processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "identities": measures.COUNT,
        "rounds": ROUNDS,
        "seconds": SECONDS,
        "fast": FAST,
        "postgresql": settings,
        "pgbouncer": answer("pgbouncer", "--version"),
        "wrk": answer("wrk", "--version"),
        "nginx": answer("nginx", "-v"),
        "node": answer("node", "--version"),
        "rustc": answer("rustc", "--version"),
    }


def parts(folder):
    return {
        "read": measures.read_path,
        "attached": measures.attached,
        "engines": lambda: measures.engines(folder),
        "scan": measures.scan,
        "first": measures.first_call,
        "changes": measures.changes,
        "connections": measures.connections,
        "growth": measures.growth,
        "http": lambda: http_measures.http(folder),
        "post": lambda: http_measures.post(folder),
        "instances": lambda: http_measures.instances(folder),
        "memory": lambda: http_measures.memory(folder),
        "sse": lambda: http_measures.sse(folder),
    }


def measure(folder, wanted):
    lines, curves = [], {}
    for name in wanted:
        start = time.monotonic()
        result = parts(folder)[name]()
        if name in ("growth", "instances"):
            result, curves = result
        lines += result
        print(f"{name}: measured in {time.monotonic() - start:.0f} s", flush=True)
    return lines, curves


def write(results, name, lines, curves):
    results.mkdir(parents=True, exist_ok=True)
    whole = {"conditions": conditions(), "figures": lines, "growth": curves}
    (results / f"{name}.json").write_text(json.dumps(whole, indent=1) + "\n")
    plots = {"figures": ("ratios", "growth", report.growth_plot), "http": ("http", "instances", report.instances_plot)}
    ratios, growth, plot = plots[name]
    (results / f"{ratios}.svg").write_text(report.ratios_plot(lines))
    if curves:
        (results / f"{growth}.svg").write_text(plot(curves))


def main():
    scratch, results = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    wanted = os.environ.get("PARTS", " ".join(sum(FILES.values(), []))).split()
    unknown = set(wanted) - set(parts(scratch))
    if unknown:
        sys.exit(f"no such part: {' '.join(unknown)}")
    start = time.monotonic()
    measures.load()
    print(f"load: {measures.COUNT} identities in {time.monotonic() - start:.0f} s", flush=True)
    table = []
    for name, own in FILES.items():
        some = [part for part in wanted if part in own]
        if some:
            lines, curves = measure(scratch, some)
            write(results, name, lines, curves)
            table += lines
    print("\n" + report.table(table))


if __name__ == "__main__":
    main()
