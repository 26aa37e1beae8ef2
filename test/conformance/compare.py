"""Equality of JSON values as the evaluation contract means it, and differences to read.

Python's own == says that 1, 1.0 and True are equal; a flag's value says that
they are three things. So equality here looks at types, tells -0.0 from 0.0,
and lets NaN equal itself.
"""

import difflib
import json
from typing import Any


def same(left: Any, right: Any) -> bool:
    """Whether two values are equal in type and content; members may stand in any order."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float):
        return repr(left) == repr(right)
    return left == right


def same_result(left: Any, right: Any) -> bool:
    """Whether two evaluation results are equal, the order of their flags included."""
    return same(left, right) and list(left["flags"]) == list(right["flags"])


def diff(
    expected: Any, actual: Any, expected_name: str = "expected", actual_name: str = "flagsmith.evaluate"
) -> str:
    """A unified diff of two JSON values, indented for a terminal."""
    lines = difflib.unified_diff(
        _pretty(expected), _pretty(actual), expected_name, actual_name, lineterm="", n=2
    )
    return "\n".join("    " + _shorten(line) for line in lines)


def _pretty(value: Any) -> list:
    if isinstance(value, str):
        return value.splitlines()
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=False).splitlines()


def _shorten(line: str, width: int = 300) -> str:
    line = line.encode("utf-8", "backslashreplace").decode("utf-8")
    return line if len(line) <= width else f"{line[:width]}… ({len(line)} characters)"
