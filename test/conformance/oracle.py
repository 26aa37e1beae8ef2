"""Flagsmith's Python engine as the oracle.

Where the engine raises there is no answer to compare with, so the context is
evaluated again with every condition that raises counting as false, which is
what flagsmith.evaluate promises to do. Where a condition lacks a member, or
has a wrong type in it, the context itself is malformed, and an SQL error about
the input will do as well as an answer.
"""

import json
import warnings
from typing import Any, Dict, List, NamedTuple, Optional

import flag_engine.segments.evaluator as evaluator
import semver

warnings.simplefilter("ignore")

_condition = evaluator.context_matches_condition

# A missing member, or a wrong type where the engine would not look for one.
MALFORMED = (KeyError, AttributeError, TypeError, RecursionError)


class Expected(NamedTuple):
    """The engine's result; where it raises, what it raised and the result to expect instead.

    No result at all means that any answer is right, malformed that a refusal is too.
    """

    result: Optional[Dict[str, Any]]
    raised: Optional[str] = None
    malformed: bool = False


def versions() -> str:
    from importlib.metadata import version

    names = ("flagsmith-flag-engine", "jsonpath-rfc9535", "semver")
    return ", ".join(f"{name} {version(name)}" for name in names)


def accepts_old_versions() -> bool:
    """Whether semver still takes what Flagsmith's server takes; 3.1 is stricter."""
    return semver.Version.is_valid("1.2.3\n")


def evaluate(text: str) -> Expected:
    try:
        return Expected(evaluator.get_evaluation_result(json.loads(text)))
    except Exception as error:
        raised = f"{type(error).__name__}: {str(error)[:200]}"
    caught: List[Exception] = []
    try:
        result = _evaluate_forgiving(text, caught)
    except Exception:
        return Expected(None, raised, malformed=True)
    if any(isinstance(error, (KeyError, RecursionError)) for error in caught):
        return Expected(None, raised, malformed=True)
    return Expected(result, raised, any(isinstance(error, MALFORMED) for error in caught))


def _evaluate_forgiving(text: str, caught: List[Exception]) -> Dict[str, Any]:
    def condition(**arguments: Any) -> bool:
        try:
            return _condition(**arguments)
        except Exception as error:
            caught.append(error)
            return False

    evaluator.context_matches_condition = condition
    try:
        return evaluator.get_evaluation_result(json.loads(text))
    finally:
        evaluator.context_matches_condition = _condition
