#!/usr/bin/env python3
"""Compares the extension with answers recorded from a running Flagsmith.

usage: recorded.py [FOLDER]

Every environment document of the recording must come back from the tables as
it went in, and identities must get the flags that Flagsmith's server gave
them. Everything happens in one transaction that is rolled back.

The server evaluates rows where an import evaluates the document, so a few
answers differ by what a document does not hold. Each such answer is accounted
for by a rule that says exactly which other answer the server must have given;
the rules and their counts are printed, and whatever fits none is a failure.
"""

import argparse
import gzip
import hashlib
import json
import os
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, Dict, List, Optional

from compare import diff, same
from database import Answer, Database, Unavailable

# Golden answers come from these; the state of the others was changed after it
# was recorded, or they hash identities by a row's number, which no document holds.
DOCUMENTS = {"Production": "production", "Cloned v2": "cloned-v2", "Private": "private"}

TIE = "equal priorities: the server takes the later feature state, the engine the first segment"
CONTROL = "multivariate by type, without variants: the server says control, the engine null"

GET_FLAGS = "SELECT json_agg(f)::text FROM flagsmith.get_identity_flags($1, $2, $3::jsonb) AS f"
GET_SEGMENTS = "SELECT json_agg(s.id)::text FROM flagsmith.get_identity_segments($1, $2, $3::jsonb) AS s"
SET_TRAITS = "SELECT flagsmith.set_traits($1, $2, $3::jsonb)::text"
IMPORT = "SELECT flagsmith.import_environment($1::jsonb)"
EXPORT = "SELECT flagsmith.environment_document($1)::text"
CREATE_KEY = "SELECT flagsmith.create_server_key($1)"


class Failed(Exception):
    pass


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default=os.environ.get("FLAGSMITH_RECORDED"))
    folder = parser.parse_args().folder
    if not folder or not Path(folder).is_dir():
        print(f"SKIPPED: no recording in {folder or 'FLAGSMITH_RECORDED, which is not set'}")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    try:
        database = Database()
    except Unavailable as error:
        sys.exit(f"recorded.py: {error}")
    tally = Tally()
    database.begin()
    try:
        documents = check_documents(database, Path(folder), tally)
        check_identities(database, Path(folder), documents, tally)
    finally:
        database.rollback()
    return tally.report()


class Tally:
    def __init__(self) -> None:
        self.counts: Counter = Counter()
        self.causes: Counter = Counter()

    def passed(self) -> None:
        self.counts["passed"] += 1

    def failed(self, what: str) -> None:
        self.counts["failed"] += 1
        print(f"FAILED {what}")

    def report(self) -> int:
        for cause, count in self.causes.most_common():
            print(f"  {count:5} flags accounted for: {cause}")
        counts = self.counts
        print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
        return 1 if counts["failed"] or not counts["passed"] else 0


def value_of(answer: Answer) -> str:
    if answer.state is not None:
        raise Failed(f"{answer.state} {answer.message}")
    if answer.value is None:
        raise Failed("NULL")
    return answer.value


# --- documents


def check_documents(database: Database, folder: Path, tally: Tally) -> Dict[str, Any]:
    """Imports all documents; returns them with a server key each, by file name.

    Exports are compared when all are in, since environments of a project share
    definitions and a later import must not change what an earlier one said.
    """
    documents = {}
    for path in sorted((folder / "environment-documents").glob("*.json")):
        text = path.read_text(encoding="utf-8")
        document = json.loads(text)
        try:
            key = value_of(database.call_one(IMPORT, text))
            if key != document["api_key"]:
                raise Failed(f"the import returned the key {key}")
            server_key = value_of(database.call_one(CREATE_KEY, key))
        except Failed as error:
            tally.failed(f"{path.name}, import: {error}")
            continue
        documents[path.stem] = {**document, "server_key": server_key}
    for name, document in documents.items():
        check_document(database, name, document, tally)
    return documents


def check_document(database: Database, name: str, document: Dict[str, Any], tally: Tally) -> None:
    """One test for the export, one for the export after the export was imported."""
    original = {member: value for member, value in document.items() if member != "server_key"}
    for stage in ("export", "export after importing the export"):
        try:
            text = value_of(database.call_one(EXPORT, document["server_key"]))
            exported = json.loads(text)
            if not same(original, exported):
                raise Failed(f"\n{diff(sort(original), sort(exported), 'document', 'export')}")
            tally.passed()
            value_of(database.call_one(IMPORT, text))
        except Failed as error:
            tally.failed(f"{name}.json, {stage}: {error}")


def sort(tree: Any) -> Any:
    """Members in order of their names, so that a diff shows only what differs."""
    if isinstance(tree, dict):
        return {name: sort(tree[name]) for name in sorted(tree)}
    return [sort(item) for item in tree] if isinstance(tree, list) else tree


# --- identities


def check_identities(
    database: Database, folder: Path, documents: Dict[str, Any], tally: Tally
) -> None:
    """Asks for the flags of each recorded identity, in the recorded order.

    Traits that were not transient are stored after each request, as the server
    did, so that later requests of the same identity build on them.
    """
    skipped: Counter = Counter()
    with gzip.open(folder / "identities-golden.jsonl.gz", "rt", encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            document = documents.get(DOCUMENTS.get(record["environment"], ""))
            if document is None or record["status"] != 200:
                skipped[record["environment"]] += 1
                continue
            try:
                check_identity(database, document, record, tally)
                tally.passed()
            except Failed as error:
                tally.failed(f"identity record {record['seq']}: {error}")
    for environment, count in skipped.items():
        print(f"SKIPPED {count} identities of {environment}: no document holds what they were answered by")
        tally.counts["skipped"] += count


def check_identity(
    database: Database, document: Dict[str, Any], record: Dict[str, Any], tally: Tally
) -> None:
    key = document["api_key"] if record["key_kind"] == "client" else document["server_key"]
    request = {trait["trait_key"]: trait["trait_value"] for trait in record["traits"]}
    arguments = (key, record["identifier"], traits_text(request))
    answered = json.loads(value_of(database.call_one(GET_FLAGS, *arguments)))
    ours = {flag["feature"]: [flag["enabled"], flag["value"], flag["variant"]] for flag in answered}
    theirs = {name: flag[:3] for name, flag in record["flags"].items()}
    if ours.keys() != theirs.keys():
        raise Failed(f"features differ: {sorted(ours.keys() ^ theirs.keys())}")
    segments: Optional[List[int]] = None
    wrong = []
    for name in theirs:
        if same(ours[name], theirs[name]):
            continue
        if segments is None:
            segments = json.loads(value_of(database.call_one(GET_SEGMENTS, *arguments)))
        cause = account(document, record["identifier"], segments, name, ours[name], theirs[name])
        if cause is None:
            wrong.append(f"{name}: recorded {theirs[name]}, here {ours[name]}")
        else:
            tally.causes[cause] += 1
    store(database, key, record)
    if wrong:
        raise Failed("\n    ".join(["", *wrong]))


def store(database: Database, key: str, record: Dict[str, Any]) -> None:
    kept = {
        trait["trait_key"]: trait["trait_value"]
        for trait in record["traits"]
        if not trait.get("transient") and not record["transient"]
    }
    if kept:
        value_of(database.call_one(SET_TRAITS, key, record["identifier"], traits_text(kept)))


def traits_text(traits: Dict[str, Any]) -> str:
    """JSON in which floats have a point and no exponent, which is what jsonb keeps apart from ints."""
    members = []
    for name, value in traits.items():
        text = format(Decimal(repr(value)), "f") if isinstance(value, float) else json.dumps(value)
        if isinstance(value, float) and "." not in text:
            text += ".0"
        members.append(f"{json.dumps(name)}: {text}")
    return "{" + ", ".join(members) + "}"


# --- what a document does not hold


def account(
    document: Dict[str, Any], identifier: str, segments: List[int], feature: str, ours: Any, theirs: Any
) -> Optional[str]:
    """The cause by which the two answers must differ in just this way, or None."""
    identity_key = f"{document['api_key']}_{identifier}"
    candidates = (
        override_of_identity(document, identifier, feature)
        or strongest(document, segments, feature)
        or [state for state in document["feature_states"] if state["feature"]["name"] == feature]
    )
    engine = candidates[0]
    server = max(candidates, key=lambda state: state["django_id"])
    if not same(ours, serve(engine, identity_key, "engine")):
        return None
    if not same(theirs, serve(server, identity_key, "server")):
        return None
    return TIE if engine is not server else CONTROL


def override_of_identity(document: Dict[str, Any], identifier: str, feature: str) -> List[Dict[str, Any]]:
    return [
        state
        for identity in document["identity_overrides"]
        if identity["identifier"] == identifier
        for state in identity["identity_features"]
        if state["feature"]["name"] == feature
    ]


def strongest(document: Dict[str, Any], segments: List[int], feature: str) -> List[Dict[str, Any]]:
    """The overrides of the matched segments that share the lowest priority, in document order."""
    states = [
        state
        for segment in document["project"]["segments"]
        if segment["id"] in segments
        for state in segment["feature_states"]
        if state["feature"]["name"] == feature
    ]
    lowest = min((state["feature_segment"]["priority"] for state in states), default=None)
    return [state for state in states if state["feature_segment"]["priority"] == lowest]


def serve(state: Dict[str, Any], identity_key: str, by: str) -> List[Any]:
    """[enabled, value, variant] of a feature state for an identity, as engine or server give it."""
    variants = state["multivariate_feature_state_values"]
    nothing_hit = "control" if variants or by == "server" and is_multivariate(state) else None
    point = percentage(str(state["django_id"]), identity_key)
    start = 0.0
    for variant in sorted(variants, key=lambda v: v["id"]):
        limit = start + variant["percentage_allocation"]
        if start <= point < limit:
            option = variant["multivariate_feature_option"]
            return [state["enabled"], option["value"], option["key"]]
        start = limit
    return [state["enabled"], state["feature_state_value"], nothing_hit]


def is_multivariate(state: Dict[str, Any]) -> bool:
    return state["feature"]["type"] == "MULTIVARIATE"


def percentage(*ids: str) -> float:
    """Flagsmith's bucket of some ids, in [0, 100)."""
    repeated = ids
    while True:
        digest = hashlib.md5(",".join(repeated).encode()).hexdigest()
        value = (int(digest, 16) % 9999) / 9998 * 100
        if value != 100:
            return value
        repeated += ids


if __name__ == "__main__":
    sys.exit(main())
