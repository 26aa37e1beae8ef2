"""What a real Flagsmith was asked and answered, and how to compare with that."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

Differences = List[Tuple[str, Any, Any]]
MISSING = "(missing)"


class Answer(NamedTuple):
    status: int
    headers: Dict[str, str]
    body: str


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
