#!/usr/bin/env python3
"""Reads the lines of the drivers: writes the table of docs/sdks.md, and the closing line of the test.

usage: table.py RESULTS [PAGE]
"""

import json
import sys
from pathlib import Path

CHECKS = {
    "environment_flags": "environment flags",
    "identity_traits": "identity, traits of each type",
    "transient_identity": "transient identity",
    "transient_trait": "transient trait",
    "trait_removed": "trait removed by null",
    "anonymous": "anonymous",
    "local_evaluation": "local evaluation equals remote, 1,000 identities",
    "analytics_once": "analytics counted exactly once",
    "wrong_key": "a wrong key is an error",
    "server_returns": "the server goes away and comes back",
    "realtime": "realtime, also what changed while the stream was down",
}
WORDS = {"ok": "yes", "failed": "**no**", "none": "-"}
BEGIN, END = "<!-- table -->", "<!-- end of table -->"


def row(name: str, lines: list) -> str:
    """The row of an SDK, of what its lines tell."""
    found = {line["check"]: WORDS[line["result"]] for line in lines if line["check"]}
    version = next((line["version"] for line in lines if line["version"]), "")
    unknown = "not run" if all(line["result"] == "skipped" for line in lines) else "?"
    return f"| {name} {version} | ".replace("  ", " ") + " | ".join(found.get(check, unknown) for check in CHECKS) + " |"


def write(page: Path, sdks: dict) -> None:
    """Puts the table between its marks."""
    table = ["| | " + " | ".join(CHECKS.values()) + " |", "|---|" + "---|" * len(CHECKS)]
    table += [row(name, lines) for name, lines in sdks.items()]
    text = page.read_text()
    page.write_text(text[: text.index(BEGIN) + len(BEGIN)] + "\n" + "\n".join(table) + "\n" + text[text.index(END):])


def main() -> int:
    lines = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines() if line.startswith("{")]
    sdks = {name: [line for line in lines if line["sdk"] == name] for name in dict.fromkeys(line["sdk"] for line in lines)}
    failed = [line for line in lines if line["result"] == "failed"]
    skipped = [line for line in lines if line["result"] == "skipped"]
    missing = [(name, check) for name, told in sdks.items() if told[0]["result"] != "skipped"
               for check in CHECKS if check not in {line["check"] for line in told}]
    if len(sys.argv) > 2:
        write(Path(sys.argv[2]), sdks)
    for line in skipped:
        print(f"SKIPPED: {line['sdk']}: {line['note']}")
    for line in failed:
        print(f"failed: {line['sdk']}: {line['check']}: {line['note']}")
    for name, check in missing:
        print(f"not told: {name}: {check}")
    bad = len(failed) + len(missing)
    passed = sum(line["result"] == "ok" for line in lines)
    print(f"{passed} passed, {bad} failed, {len(skipped)} skipped")
    return int(bad > 0 or not lines)


sys.exit(main())
