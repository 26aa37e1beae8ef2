"""JSON whose spelling is kept: numbers as written, members given twice.

Evaluation depends on how a number is written (1 is an int, 1.0 and 1e0 are
floats), so the generator must choose the spelling and the shrinker must not
lose it. A tree is plain Python (dict, list, str, ...) with two additions.
"""

import json
from typing import Any


class Spelled(float):
    """A float with the text that it is written as, such as 1E5 or 1.50."""

    def __new__(cls, text: str) -> "Spelled":
        number = super().__new__(cls, text)
        number.text = text
        return number


class Again(str):
    """A member name that does not replace an equal one: it is written a second time."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other


def write(tree: Any) -> str:
    """JSON text of a tree. Strings of odd length are written in ASCII escapes."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{_string(k)}: {write(v)}" for k, v in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(write, tree)) + "]"
    if isinstance(tree, Spelled):
        return tree.text
    if isinstance(tree, str):
        return _string(tree)
    return json.dumps(tree)


def clone(tree: Any) -> Any:
    """A copy in which no two places share a list or an object."""
    if isinstance(tree, dict):
        return {name: clone(value) for name, value in tree.items()}
    if isinstance(tree, list):
        return [clone(value) for value in tree]
    return tree


def _string(text: str) -> str:
    surrogates = any("\ud800" <= c <= "\udfff" for c in text)
    return json.dumps(str(text), ensure_ascii=surrogates or len(text) % 2 == 1)
