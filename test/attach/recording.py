"""What a real Flagsmith was asked and answered, and how to compare with that."""

import argparse
import base64
import gzip
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

Differences = List[Tuple[str, Any, Any]]
MISSING = "(missing)"


class Answer(NamedTuple):
    status: int
    headers: Dict[str, str]
    body: str


class Tally:
    """Counts tests, and the answers that each rule has explained: one that explains none has failed."""

    def __init__(self) -> None:
        self.passed = self.failed = 0
        self.explained: Counter = Counter()

    def require(self, name: str, condition: bool, details: Iterable[Any] = ()) -> None:
        self.passed += condition
        self.failed += not condition
        if not condition:
            print("\n    ".join([f"not ok: {name}", *(str(detail)[:300] for detail in list(details)[:5])]))

    def end(self, rules: Iterable[Any], heading: str) -> int:
        for reason, count in self.explained.most_common():
            print(f"{count:5d} {heading}: {reason}")
        for rule in rules:
            self.require(f"no request needs the rule: {rule.reason}", self.explained[rule.reason] > 0)
        print(f"{self.passed} passed, {self.failed} failed, 0 skipped")
        return int(self.failed > 0)


def find_folder(description: str) -> Optional[Path]:
    """The recording that the command line or FLAGSMITH_RECORDED names; if there is none, all is skipped."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("folder", nargs="?", default=os.environ.get("FLAGSMITH_RECORDED"))
    folder = parser.parse_args().folder
    if folder and Path(folder, "flagsmith.dump").exists():
        return Path(folder)
    print(f"SKIPPED: no recording in {folder or 'FLAGSMITH_RECORDED, which is not set'}")
    print("0 passed, 0 failed, 1 skipped")
    return None


def read(folder: Path, name: str) -> Iterator[Dict[str, Any]]:
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def headers_of(message: Dict[str, Any]) -> Dict[str, str]:
    pairs = message["headers"]
    return {k.lower(): v for k, v in (pairs.items() if isinstance(pairs, dict) else pairs)}


def ask(connection, request: Dict[str, Any]) -> Answer:
    """Sends the request to flagsmith.http_get or http_post, as an API instance does."""
    headers = json.dumps(headers_of(request))
    if request["method"] == "GET":
        row = connection.execute("SELECT * FROM flagsmith.http_get(%s, %s)", (request["path"], headers)).fetchone()
    else:
        body = request.get("body")
        if body is None and request.get("body_base64"):
            body = base64.b64decode(request["body_base64"]).decode("utf-8")
        row = connection.execute("SELECT * FROM flagsmith.http_post(%s, %s, %s)", (request["path"], headers, body or "")).fetchone()
    return Answer(row[0], {k.lower(): v for k, v in row[1].items()}, row[2] or "")


def parse(body: Any) -> Any:
    try:
        return json.loads(body or "")
    except ValueError:
        return body or ""


def diff(wanted: Any, got: Any, path: str = "$") -> Differences:
    """Where two bodies differ in meaning: numbers keep their kind, lists their order.

    Not compared is what is new in each answer of Flagsmith's (identity_uuid); without an
    order are a segment's overrides of equal priority, which are of different features.
    """
    if type(wanted) is not type(got):
        return [(path, wanted, got)]
    if isinstance(wanted, dict):
        found: Differences = []
        for name in {**wanted, **got}:
            if name not in wanted or name not in got:
                found.append((f"{path}.{name}", wanted.get(name, MISSING), got.get(name, MISSING)))
            elif name != "identity_uuid":
                found += diff(wanted[name], got[name], f"{path}.{name}")
        return found
    if isinstance(wanted, list):
        if path.endswith("].feature_states"):
            wanted, got = (sorted(x, key=lambda s: (s["feature_segment"]["priority"], s["feature"]["id"])) for x in (wanted, got))
        found = [] if len(wanted) == len(got) else [(f"{path} (length)", len(wanted), len(got))]
        for i, (a, b) in enumerate(zip(wanted, got)):
            found += diff(a, b, f"{path}[{i}]")
        return found
    return [] if wanted == got else [(path, wanted, got)]
