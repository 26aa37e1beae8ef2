#!/usr/bin/env python3
"""Writes the table of docs/sdks.md from the lines of the drivers, and the closing line of the test.

usage: table.py RESULTS PAGE SKIPPED
"""

import json
import sys
from pathlib import Path

CHECKS = {
    "environment_flags": "environment flags",
    "identity_traits": "identity with traits of each type",
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


def main() -> int:
    results, page, skipped = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    lines = [json.loads(line) for line in Path(results).read_text().splitlines() if line.startswith("{")]
    sdks = list(dict.fromkeys((line["sdk"], line["version"]) for line in lines))
    found = {(line["sdk"], line["check"]): line for line in lines}
    failed = [line for line in lines if line["result"] == "failed"]
    missing = [(name, check) for name, _ in sdks for check in CHECKS if (name, check) not in found]
    if sdks:
        table = ["| | " + " | ".join(f"{name} {version}" for name, version in sdks) + " |", "|---|" + "---|" * len(sdks)]
        for check, title in CHECKS.items():
            cells = [WORDS[found[name, check]["result"]] if (name, check) in found else "?" for name, _ in sdks]
            table.append(f"| {title} | " + " | ".join(cells) + " |")
        text = page.read_text()
        page.write_text(text[: text.index(BEGIN) + len(BEGIN)] + "\n" + "\n".join(table) + "\n" + text[text.index(END):])
    for line in failed:
        print(f"failed: {line['sdk']}: {line['check']}: {line['note']}")
    for name, check in missing:
        print(f"not told: {name}: {check}")
    bad = len(failed) + len(missing)
    print(f"{len(lines) - len(failed)} passed, {bad} failed, {skipped} skipped")
    return int(bad > 0 or not lines and not skipped)


sys.exit(main())
