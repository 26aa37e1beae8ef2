"""A database to ask, through one psql process that is kept open.

psql brings its own libpq, knows the usual PG* environment and needs no driver
to be installed. Calls travel in batches: one statement carries many rows of
arguments and each row is tried in a subtransaction of its own, so that an
error in one is an answer and not the end of the others. What takes the whole
statement down (a timeout, a lost backend) is searched for by halving the
batch, so that the answer lands on the row that is to blame.
"""

import json
import os
import subprocess
import tempfile
import time
import uuid
from base64 import b64decode
from typing import Any, List, NamedTuple, Optional, Sequence

ARGUMENTS = 4
BATCH_ROWS = 200
BATCH_BYTES = 4_000_000
TIMEOUT_SECONDS = int(os.environ.get("CONFORMANCE_TIMEOUT", "20"))
RECOVERY_SECONDS = 60

# States that are no SQLSTATE of the server.
LOST = "lost"
TIMED_OUT = "57014"

SETUP = f"""
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET statement_timeout = '{TIMEOUT_SECONDS}s';
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.attempt(statement text, a1 text, a2 text, a3 text, a4 text,
    OUT answer text, OUT state text, OUT message text)
LANGUAGE plpgsql AS $attempt$
BEGIN
    EXECUTE statement INTO answer USING a1, a2, a3, a4;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
END
$attempt$;
"""


class Answer(NamedTuple):
    """What one call gave: a value, or the state and message of its error."""

    value: Optional[str]
    state: Optional[str] = None
    message: Optional[str] = None

    def parsed(self) -> Any:
        """The value as JSON; where it is none, a text that says so and equals no result."""
        if self.value is None:
            return None
        try:
            return json.loads(self.value)
        except ValueError as error:
            return f"{error}, in\n{self.value}"


class Unavailable(Exception):
    """No database, or not one with the extension."""


class StatementFailed(Exception):
    def __init__(self, state: str, message: str):
        super().__init__(f"{state}: {message}")
        self.state = state
        self.message = message


class ConnectionLost(Exception):
    pass


class Database:
    """Calls SQL functions; `call` and `evaluate` are all that a test needs."""

    def __init__(self) -> None:
        self._in_transaction = False
        self._connect()
        if self.call_one("SELECT to_regproc('flagsmith.evaluate')::text").value is None:
            raise Unavailable("no flagsmith.evaluate here: CREATE EXTENSION flagsmith; first")

    def evaluate(self, contexts: Sequence[str]) -> List[Answer]:
        return self.call("SELECT flagsmith.evaluate($1::json)::text", [(c,) for c in contexts])

    def call(self, statement: str, rows: Sequence[Sequence[Optional[str]]]) -> List[Answer]:
        """Runs a statement with $1 to $4 as text once a row; one answer a row, in order."""
        answers: List[Answer] = []
        for batch in _batches(rows):
            answers += self._attempt(statement, batch)
        return answers

    def call_one(self, statement: str, *arguments: Optional[str]) -> Answer:
        return self.call(statement, [arguments])[0]

    def begin(self) -> None:
        self._ask("BEGIN;")
        self._in_transaction = True

    def rollback(self) -> None:
        self._in_transaction = False
        self._ask("ROLLBACK;")

    def close(self) -> None:
        self._psql.stdin.close()
        self._psql.wait()

    def _attempt(self, statement: str, rows: Sequence) -> List[Answer]:
        try:
            return self._answers(statement, rows)
        except StatementFailed as error:
            failure = Answer(None, error.state, error.message)
        except ConnectionLost as error:
            if self._in_transaction:
                raise
            failure = Answer(None, LOST, str(error))
            self._reconnect()
        if len(rows) == 1:
            return [failure]
        middle = len(rows) // 2
        return self._attempt(statement, rows[:middle]) + self._attempt(statement, rows[middle:])

    def _answers(self, statement: str, rows: Sequence) -> List[Answer]:
        lines = self._ask(
            # As base64 a row is one line, whatever is in it; psql drops noncharacters such as
            # U+FFFF from what it prints, and does not see the errors of a COPY to its output.
            "SELECT translate(encode(convert_to(json_build_array(t.answer, t.state, t.message)::text,"
            " 'UTF8'), 'base64'), E'\\n', '') FROM (VALUES "
            + ",\n".join(_values(number, row) for number, row in enumerate(rows))
            + ") AS c(number, a1, a2, a3, a4),"
            f" LATERAL pg_temp.attempt({_quote(statement)}, a1, a2, a3, a4) AS t"
            " ORDER BY number;"
        )
        return [Answer(*json.loads(b64decode(line))) for line in lines]

    def _ask(self, sql: str) -> List[str]:
        """Sends SQL and returns the lines of its output, up to a mark that psql echoes."""
        mark = f"end-{uuid.uuid4()}"
        echo = f"\n\\echo {mark} :ERROR :SQLSTATE\n\\echo :LAST_ERROR_MESSAGE\n\\echo {mark}\n"
        try:
            self._psql.stdin.write((sql + echo).encode("utf-8"))
            self._psql.stdin.flush()
        except OSError:
            raise ConnectionLost(self._complaint())
        output = self._read_until(mark)
        failed, state = output.pop().split(" ")[1:]
        message = self._read_until(mark)[:-1]
        if failed == "true":
            raise StatementFailed(state, "\n".join(message))
        return output

    def _read_until(self, mark: str) -> List[str]:
        lines: List[str] = []
        for raw in self._psql.stdout:
            lines.append(raw.decode("utf-8").rstrip("\n"))
            if lines[-1].startswith(mark):
                return lines
        raise ConnectionLost(self._complaint())

    def _connect(self) -> None:
        self._errors = tempfile.TemporaryFile()
        self._psql = subprocess.Popen(
            [os.environ.get("PSQL", "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PGCLIENTENCODING": "UTF8"},
        )
        try:
            self._ask(SETUP)
        except ConnectionLost as error:
            raise Unavailable(f"no connection to PostgreSQL: {error}")

    def _reconnect(self) -> None:
        """Waits until a server that went down has recovered."""
        deadline = time.monotonic() + RECOVERY_SECONDS
        while True:
            try:
                return self._connect()
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def _complaint(self) -> str:
        self._psql.wait()
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace").strip()[-2000:] or "psql ended"


def _batches(rows: Sequence) -> List[Sequence]:
    batches: List[List] = []
    size = 0
    for row in rows:
        length = sum(len(a) for a in row if a is not None)
        if not batches or len(batches[-1]) >= BATCH_ROWS or size + length > BATCH_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(row)
        size += length
    return batches


def _values(number: int, row: Sequence[Optional[str]]) -> str:
    padded = list(row) + [None] * (ARGUMENTS - len(row))
    return f"({number}, {', '.join('NULL::text' if a is None else _quote(a) for a in padded)})"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
