#!/usr/bin/env python3
"""Holds environments that were imported from documents against what the real Flagsmith has answered.

usage: imported.py [FOLDER]

Imports all environment documents of a recording into the extension's own tables, and the
server-side keys, which documents do not hold. Then it sends what Flagsmith was sent: every
request of a whole session, which began without traits; and, with the traits that Flagsmith had
stored in the end, every request that was recorded in that very state.

Each single difference of an answer has to fit a rule of imported_differences.py; those of
differences.py count for statuses, errors and whole bodies. FLAGSMITH_RECORDED names the folder.
"""

import json
import sys
from pathlib import Path
from typing import Any, Dict, List, Set

import psycopg

from attached import is_replayed, recorded_answer, restore
from differences import RULES as ANSWER_RULES, explain
from imported_differences import RULES, Difference, Recorded, differences
from recording import Answer, Tally, ask, find_folder, read

DATABASE = "flagsmith_imported"

KEYS = """INSERT INTO flagsmith.environment_key (environment_id, key, name, active, expires_at)
    SELECT e.id, k.key, k.name, k.active, k.expires_at
    FROM public.environments_environmentapikey k JOIN public.environments_environment r ON r.id = k.environment_id
        JOIN flagsmith.environment e ON e.api_key = r.api_key"""
# A float keeps its point: it is another value than the integer to conditions on strings.
TRAITS = """SELECT flagsmith.set_traits(r.api_key, i.identifier, jsonb_object_agg(t.trait_key, CASE t.value_type
        WHEN 'bool' THEN to_jsonb(t.boolean_value)
        WHEN 'int' THEN to_jsonb(t.integer_value)
        WHEN 'float' THEN to_jsonb(CASE WHEN trunc(t.float_value) = t.float_value THEN round(t.float_value::text::numeric, 1)
            ELSE t.float_value::text::numeric END)
        ELSE to_jsonb(t.string_value) END))
    FROM public.environments_identity i JOIN public.environments_trait t ON t.identity_id = i.id
        JOIN public.environments_environment r ON r.id = i.environment_id
        JOIN flagsmith.environment e ON e.api_key = r.api_key
    GROUP BY r.api_key, i.identifier"""


class Report(Tally):
    def __init__(self, recorded: Recorded) -> None:
        super().__init__()
        self.recorded = recorded

    def compare(self, name: str, record: Dict[str, Any], wanted: Answer, got: Answer) -> None:
        """One test an answer: its status, or else each of its differences, has to have a reason."""
        reasons: Set[str] = set()
        unexplained: List[Any] = []
        for difference in differences(wanted, got):
            reason = self.reason(record, wanted, got, difference)
            if reason:
                reasons.add(reason)
            else:
                unexplained.append(difference)
        self.explained.update(reasons)
        self.require(name, not unexplained, unexplained)

    def reason(self, record: Dict[str, Any], wanted: Answer, got: Answer, d: Difference) -> str:
        if d.part not in ("flag", "trait", "order"):
            reason = explain(record, wanted, got, [(d.part, d.wanted, d.got)])
            if reason:
                return reason
        document = self.recorded.document(record)
        return next((rule.reason for rule in RULES if document and rule.fits(self.recorded, record, document, d)), "")


def main() -> int:
    folder = find_folder(__doc__.splitlines()[0])
    if folder is None:
        return 0
    restore(folder, DATABASE)
    with psycopg.connect(dbname=DATABASE, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION flagsmith")
        report = Report(Recorded(connection, import_all(connection, folder)))
        replay_session(report, connection, folder)
        connection.execute("UPDATE flagsmith.identity SET traits = DEFAULT")
        connection.execute(TRAITS)
        report.recorded.in_session = False
        replay_state(report, connection, folder)
    return report.end((*RULES, *ANSWER_RULES), "answers differ")


def import_all(connection, folder: Path) -> Dict[str, Any]:
    documents = {}
    for path in sorted((folder / "environment-documents").glob("*.json")):
        text = path.read_text(encoding="utf-8")
        (key,) = connection.execute("SELECT flagsmith.import_environment(%s)", (text,)).fetchone()
        documents[key] = json.loads(text)
    connection.execute(KEYS)
    return documents


def replay_session(report: Report, connection, folder: Path) -> None:
    """Requests that store traits; what administrators change meanwhile is not replayed."""
    for record in read(folder, "sdk-api"):
        if not is_replayed(record) or record["scenario"] in ("live-change", "key-lifecycle", "race"):
            continue
        got, wanted = ask(connection, record["request"]), recorded_answer(record["response"])
        report.recorded.contest(record["request"], wanted, got)
        report.compare(f"session {record['seq']}: {record['name']}", record, wanted, got)


def replay_state(report: Report, connection, folder: Path) -> None:
    """Requests that were answered in the state of the documents, and write nothing."""
    for record in read(folder, "final-state"):
        if not is_replayed(record):
            continue
        with connection.transaction(force_rollback=True):
            got = ask(connection, record["request"])
        wanted = recorded_answer(record["response"])
        report.compare(f"final-state {record['seq']}: {record['name']}", record, wanted, got)


if __name__ == "__main__":
    sys.exit(main())
