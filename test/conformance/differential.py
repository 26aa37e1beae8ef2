#!/usr/bin/env python3
"""Compares flagsmith.evaluate with Flagsmith's Python engine on random contexts.

usage: differential.py [--seed SEED] [--count N] [--only I]

Each difference is shrunk to a small context and printed with both answers, the
seed and the number, which give it again: differential.py --seed S --only I.
"""

import argparse
import sys
import time
from collections import Counter
from typing import Any, List, Optional, Tuple

import generate
from compare import diff, same_result
from database import LOST, TIMED_OUT, Answer, Database, Unavailable
from jsontext import write
from shrink import shrink

try:
    import oracle
    from oracle import Expected
except ImportError as error:
    print(f"SKIPPED: {error}; pip install -r test/conformance/requirements.txt")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

CHUNK = 500
SHRINK_BUDGET = 3000
COSTLY_BUDGET = 60  # where each try restarts the server or waits for a timeout


def main(database: Optional[Any] = None) -> int:
    arguments = parse_arguments()
    seed = arguments.seed if arguments.seed is not None else int(time.time())
    print(f"seed {seed}; {oracle.versions()}")
    if not oracle.accepts_old_versions():
        print("warning: this semver is stricter than Flagsmith's server; see requirements.txt")
    try:
        database = database or Database()
    except Unavailable as error:
        sys.exit(f"differential.py: {error}")
    if arguments.only is not None:
        numbers = [arguments.only]
    else:
        numbers = list(range(arguments.first, arguments.first + arguments.count))
    return Run(database, seed, arguments.failures).run(numbers)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, help="default: the clock")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="number of the first context")
    parser.add_argument("--only", type=int, help="just the context with this number")
    parser.add_argument("--failures", type=int, default=20, help="how many to shrink and print")
    return parser.parse_args()


def judge(expected: Expected, answer: Answer, damaged: bool) -> Tuple[str, bool]:
    """What became of a case, in a word or two, and whether it passes.

    A context that was damaged may be refused, even where the engine answers because it
    never looks at the damage.
    """
    if answer.state == LOST:
        return "the backend was lost", False
    if answer.state == TIMED_OUT:
        return "timed out", False
    if answer.state is not None:
        fine = (expected.malformed or damaged) and answer.state.startswith("22")
        return ("refused as malformed", True) if fine else (f"SQL error {answer.state}", False)
    if expected.result is None:
        return "answered where the engine raises on a malformed context", True
    if not same_result(expected.result, answer.parsed()):
        return "differs where the engine raises" if expected.raised else "differs", False
    return "as if a condition that raises were false" if expected.raised else "equal", True


class Run:
    """One pass over the numbers of a seed."""

    def __init__(self, database: Any, seed: int, failures: int) -> None:
        self.database = database
        self.seed = seed
        self.printable = failures
        self.verdicts: Counter = Counter()
        self.reasons: Counter = Counter()
        self.failed = 0

    def run(self, numbers: List[int]) -> int:
        for start in range(0, len(numbers), CHUNK):
            self.compare(numbers[start : start + CHUNK])
        for verdict, count in self.verdicts.most_common():
            print(f"  {count:7} {verdict}")
        print("  flags by reason: " + ", ".join(f"{n} {r}" for r, n in self.reasons.most_common()))
        print(f"{len(numbers) - self.failed} passed, {self.failed} failed, 0 skipped")
        return 1 if self.failed else 0

    def compare(self, numbers: List[int]) -> None:
        made = [generate.tree(self.seed, number) for number in numbers]
        texts = [write(tree) for tree, _ in made]
        answers = self.database.evaluate(texts)
        for number, (tree, damaged), text, answer in zip(numbers, made, texts, answers):
            expected = oracle.evaluate(text)
            verdict, passed = judge(expected, answer, damaged)
            self.verdicts[verdict] += 1
            self.count_reasons(expected)
            if not passed:
                self.failed += 1
                self.explain(number, tree, verdict)

    def count_reasons(self, expected: Expected) -> None:
        """Shows that the contexts test something: how many flags were targeted, split, cut."""
        for flag in (expected.result or {}).get("flags", {}).values():
            self.reasons[str(flag["reason"]).split(";")[0]] += 1

    def explain(self, number: int, tree: Any, verdict: str) -> None:
        if self.failed > self.printable:
            if self.failed == self.printable + 1:
                print("further failures are counted, not shown")
            return
        costly = verdict in ("the backend was lost", "timed out")
        tree = shrink(
            tree,
            lambda smaller: self.ask(write(smaller))[2][0] == verdict,
            COSTLY_BUDGET if costly else SHRINK_BUDGET,
        )
        text = write(tree)
        expected, answer, _ = self.ask(text)
        print(f"FAILED --seed {self.seed} --only {number}: {verdict}\n  {text}")
        if expected.raised:
            print(f"  the engine raises {expected.raised}")
        if answer.state is not None:
            print(f"  {answer.state}: {answer.message}")
        elif expected.result is not None:
            print(diff(expected.result, answer.parsed(), "python engine"))

    def ask(self, text: str) -> Tuple[Expected, Answer, Tuple[str, bool]]:
        expected = oracle.evaluate(text)
        answer = self.database.evaluate([text])[0]
        return expected, answer, judge(expected, answer, False)


if __name__ == "__main__":
    sys.exit(main())
