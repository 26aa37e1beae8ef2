#!/usr/bin/env python3
"""Holds an attached Flagsmith against what the real one has answered.

usage: attached.py [FOLDER]

Restores the recorded database beside the one it is connected to, attaches it, and sends
what Flagsmith was sent: every request that was recorded in that very state; every request
of a whole session, whose later ones left that state; the identities; and after each of the
changes that an administrator made, replayed statement by statement, all requests again.
Between any two of these statements every environment must have an answer.

Answers must be equal, status, body and version; the rules of differences.py say where
they are not meant to be. FLAGSMITH_RECORDED names the folder of the recording.
"""

import base64
import datetime
import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Optional

import psycopg

from differences import RULES, explain
from recording import Answer, Differences, Tally, ask, diff, find_folder, headers_of, parse, read

DATABASE = "flagsmith_attached"
UPDATED_AT = "x-flagsmith-document-updated-at"
# Dates of the recording, in statements and in answers.
LITERAL = re.compile(r"'(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00)'::timestamptz")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
FOREVER = 2090
# The numbers of what is counted, as Flagsmith has them.
RESOURCES = {"flags": 1, "identities": 2, "traits": 3, "environment-document": 4}
# What was changed after the identities were recorded, before the dump.
CHANGED = ("Staging", "live_chat")


class Report(Tally):
    def check(self, name: str, record: Dict[str, Any], wanted: Answer, got: Answer, differences: Differences) -> None:
        reason = explain(record, wanted, got, differences) if differences and "request" in record else ""
        if differences and not reason:
            self.failed += 1
            print(f"not ok: {name}")
            for path, a, b in differences[:5]:
                print(f"    {path}: expected {str(a)[:120]}, got {str(b)[:120]}")
            return
        self.passed += 1
        if reason:
            self.explained[reason] += 1


def main() -> int:
    folder = find_folder(__doc__.splitlines()[0])
    if folder is None:
        return 0
    report = Report()
    restore(folder)
    with psycopg.connect(dbname=DATABASE, autocommit=True) as connection:
        schema = dump_schema()
        connection.execute("CREATE EXTENSION flagsmith")
        connection.execute("SELECT flagsmith.attach()")
        replay_state(report, connection, folder)
        replay_identities(report, connection, folder)
        replay_usage(report, connection, folder)
        replay_session(report, connection, folder)
        connection.execute("DROP EXTENSION flagsmith")
        report.require("DROP EXTENSION leaves the schema as it was", dump_schema() == schema)
    restore(folder)
    with psycopg.connect(dbname=DATABASE, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION flagsmith")
        connection.execute("SELECT flagsmith.attach()")
        Changes(report, connection).replay(folder)
    return report.end(RULES, "answers differ on purpose")


def restore(folder: Path, database: str = DATABASE) -> None:
    for command in (["dropdb", "--if-exists", database], ["createdb", database],
                    ["pg_restore", "--no-owner", "-d", database, str(folder / "flagsmith.dump")]):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def dump_schema() -> str:
    dump = subprocess.run(["pg_dump", "--schema-only", "--schema=public", DATABASE], check=True, capture_output=True, text=True)
    return "\n".join(line for line in dump.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def compare(wanted: Answer, got: Answer) -> Differences:
    if wanted.status != got.status:
        return [("status", wanted.status, got.status)]
    return diff(parse(wanted.body), parse(got.body))


def recorded_answer(response: Dict[str, Any]) -> Answer:
    return Answer(response["status"], headers_of(response), response.get("body") or "")


def is_replayed(record: Dict[str, Any]) -> bool:
    """Whether SQL answers it: other methods, and bodies that are no text, are the API instance's."""
    request = record.get("request", {})
    return request.get("method") in ("GET", "POST", "PUT") and is_text(request.get("body_base64"))


def is_text(encoded: Optional[str]) -> bool:
    try:
        return not encoded or bool(base64.b64decode(encoded).decode("utf-8"))
    except UnicodeDecodeError:
        return False


def replay_state(report: Report, connection, folder: Path) -> None:
    """Requests that were answered in the state of the dump, and write nothing."""
    for record in read(folder, "final-state"):
        if not is_replayed(record):
            continue
        with connection.transaction(force_rollback=True):
            got = ask(connection, record["request"])
        wanted = recorded_answer(record["response"])
        differences = compare(wanted, got)
        if not differences and wanted.status == 200:
            differences = diff(wanted.headers.get(UPDATED_AT), got.headers.get(UPDATED_AT), UPDATED_AT)
        report.check(f"final-state {record['seq']}: {record['name']}", record, wanted, got, differences)


def replay_identities(report: Report, connection, folder: Path) -> None:
    """Flags, values, variants and whose they are, of identities with the traits that they were given."""
    keys = {}
    for record in read(folder, "final-state"):
        if record.get("key_kind") in ("client", "server"):
            keys.setdefault((record["environment"], record["key_kind"]), headers_of(record["request"])["x-environment-key"])
    records = list(read(folder, "identities-golden"))
    posts = Counter((r["environment"], r["identifier"]) for r in records)
    for record in records:
        if posts[record["environment"], record["identifier"]] > 1:
            continue  # what is stored now is of the last post
        key = keys.get((record["environment"], record.get("key_kind", "client"))) or keys[record["environment"], "server"]
        traits = record["traits"]
        if isinstance(traits, dict):
            traits = [{"trait_key": k, "trait_value": v} for k, v in traits.items()]
        body = json.dumps({"identifier": record["identifier"], "traits": traits, "transient": record["transient"]})
        with connection.transaction(force_rollback=True):
            got = ask(connection, {"method": "POST", "path": "/api/v1/identities/", "headers": {
                "x-environment-key": key, "content-type": "application/json"}, "body": body})
        flags = {f["feature"]["name"]: [f["enabled"], f["feature_state_value"], f["variant"], f["feature_segment"], f["identity"]]
                 for f in parse(got.body).get("flags", [])}
        wanted = record["flags"]
        if record["environment"] == CHANGED[0]:
            wanted[CHANGED[1]] = flags[CHANGED[1]]
        report.check(f"identity {record['identifier']} of {record['environment']}", record, Answer(200, {}, ""), got, diff(wanted, flags))


def replay_usage(report: Report, connection, folder: Path) -> None:
    """What requests count as, recorded for all at once: by the numbers that Flagsmith gives resources, added up
    as it does to make its charts."""
    items, wanted = [], Counter()
    for record in read(folder, "final-state"):
        request = record["request"]
        headers = {**headers_of(request), "flagsmith-sdk-user-agent": "flagsmith-python-sdk/6.3.0"}
        with connection.transaction(force_rollback=True):
            items.append({"resource": ask(connection, request).headers["x-flagsmith-resource"], "host": "api.example", "count": 2, "headers": headers})
        wanted[record["environment"].removeprefix("edge:"), RESOURCES[request["path"].split("/")[3].split("?")[0]]] += 2
    connection.execute("TRUNCATE app_analytics_apiusageraw")
    total = connection.execute("SELECT flagsmith.record_api_usage(%s)", (json.dumps(items),)).fetchone()[0]
    report.require("all requests are recorded", total == sum(wanted.values()), [f"{total} of {sum(wanted.values())}"])
    rows = connection.execute(
        "SELECT CASE e.name WHEN 'main' THEN p.name ELSE e.name END, u.resource, sum(u.count)"
        " FROM app_analytics_apiusageraw u JOIN environments_environment e ON e.id = u.environment_id"
        " JOIN projects_project p ON p.id = e.project_id"
        " WHERE u.created_at > now() - interval '1 hour' AND u.created_at <= now() AND u.host = 'api.example'"
        " AND u.labels = '{\"user_agent\": \"flagsmith-python-sdk/6.3.0\"}' GROUP BY 1, 2").fetchall()
    got = {(name, resource): int(count) for name, resource, count in rows}
    report.require("and found by environment and resource", got == wanted, [set(got.items()) ^ set(wanted.items())])


def replay_session(report: Report, connection, folder: Path) -> None:
    """A whole session in order. The dump was taken after it: what it left differs from what it began with,
    so of data only the form is compared, and all of errors."""
    for record in read(folder, "sdk-api"):
        if not is_replayed(record) or record["scenario"] in ("live-change", "key-lifecycle", "race"):
            continue
        got, wanted = ask(connection, record["request"]), recorded_answer(record["response"])
        differences = compare(wanted, got)
        if wanted.status == got.status == 200 and same_form(parse(wanted.body), parse(got.body)):
            differences = []
        report.check(f"session {record['seq']}: {record['name']}", record, wanted, got, differences)


def same_form(wanted: Any, got: Any) -> bool:
    """Whether both have the same members, at any depth; lists may be of any length, but of one form."""
    if isinstance(wanted, dict):
        return isinstance(got, dict) and wanted.keys() == got.keys() and all(same_form(wanted[k], got[k]) for k in wanted)
    if isinstance(wanted, list):
        return isinstance(got, list) and (not wanted or not got or all(same_form(wanted[0], item) for item in got))
    return not isinstance(got, (dict, list))


class Changes:
    """Replays the statements of an administrator's changes. Flagsmith's clock has gone on since: from the
    first scheduled change on, all of its dates are moved by as much as brings that into the future again."""

    def __init__(self, report: Report, connection) -> None:
        self.report, self.connection = report, connection
        self.start: Optional[datetime.datetime] = None
        self.shift = datetime.timedelta(0)
        self.reads = 0

    def replay(self, folder: Path) -> None:
        with psycopg.connect(dbname=DATABASE, autocommit=True) as reader:
            for record in read(folder, "changes"):
                self.await_time(record)
                for item in record["sql"]:
                    self.execute(item)
                    self.read_all(reader, record)
                for answer in record["answers"]:
                    self.check(reader, record, answer)
        self.report.require("reads between statements", self.reads > 10000, [self.reads])
        print(f"{self.reads} reads between statements were answered")

    def await_time(self, record: Dict[str, Any]) -> None:
        wall = {k: datetime.datetime.fromisoformat(v) for k, v in record["wall"].items() if v}
        now = datetime.datetime.now(datetime.timezone.utc)
        if self.start is None and record.get("live_from"):
            self.start = wall["sent"]
            self.shift = datetime.timedelta(seconds=int((now - self.start).total_seconds()))
        if self.start is not None:
            moment = wall["sent" if record["admin_request"] is None else "answered"] + self.shift
            time.sleep(max(0, (moment - now).total_seconds()))

    def moved(self, date: datetime.datetime) -> bool:
        return self.start is not None and date >= self.start and date.year < FOREVER

    def execute(self, item: Dict[str, Any]) -> None:
        def move(match) -> str:
            date = datetime.datetime.fromisoformat(match[1])
            return f"'{(date + self.shift).isoformat()}'::timestamptz" if self.moved(date) else match[0]

        try:
            self.connection.execute(LITERAL.sub(move, item["statement"]))
        except psycopg.Error as error:
            if not item.get("error"):
                self.report.require(f"statement: {error}", False)

    def read_all(self, reader, record: Dict[str, Any]) -> None:
        keys = reader.execute("SELECT api_key FROM environments_environment WHERE deleted_at IS NULL AND project_id = 3").fetchall()
        for (key,) in keys:
            for path in ("/api/v1/flags/", "/api/v1/identities/?identifier=override-plain"):
                got = ask(reader, {"method": "GET", "path": path, "headers": {"x-environment-key": key}})
                self.reads += 1
                if got.status not in (200, 403):
                    self.report.require(f"a read while {record['operation']}", False, [f"{got.status} {got.body}"])

    def move_back(self, text: str) -> str:
        def move(match) -> str:
            date = datetime.datetime.fromisoformat(match[0].replace("Z", "+00:00"))
            if not self.moved(date - self.shift):
                return match[0]
            date -= self.shift
            return date.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if match[0].endswith("Z") else date.isoformat()

        return DATE.sub(move, text) if self.start else text

    def check(self, reader, record: Dict[str, Any], answer: Dict[str, Any]) -> None:
        got, wanted = ask(reader, answer["request"]), recorded_answer(answer["response"])
        got = got._replace(body=self.move_back(got.body))
        differences = compare(wanted, got)
        if not differences and UPDATED_AT in wanted.headers:
            version = float(got.headers[UPDATED_AT])
            if self.start and version >= (self.start + self.shift).timestamp():
                version -= self.shift.total_seconds()
            if abs(version - float(wanted.headers[UPDATED_AT])) > 2e-6:
                differences = [(UPDATED_AT, wanted.headers[UPDATED_AT], version)]
        if record["kind"] == "server key change":
            answer = {**answer, "key_kind": "inactive"}
        self.report.check(f"change {record['n']} ({record['operation']}): {answer['name']}", answer, wanted, got, differences)


if __name__ == "__main__":
    sys.exit(main())
