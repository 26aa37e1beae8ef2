#!/usr/bin/env python3
"""Load on an attached Flagsmith from both sides at once.

usage: load.py [SECONDS]

Some sessions post identities to flagsmith.http_post; as many send the statements that
Flagsmith sends for such posts, to the same identities, several rows at a time and in an
order of their own. One changes a flag as Flagsmith does and reads it by another session
as soon as the change is committed. At the end every value that was acknowledged last is
stored, none of the reads was stale, and PostgreSQL has seen no deadlock.

Needs a database (PGDATABASE and so on) as attached.py leaves it.
"""

import json
import random
import sys
import threading
import time
from typing import Dict, List, Tuple

import psycopg

IDENTITIES = 8
WRITERS = 4
KEYS = 4

ENVIRONMENT = """
    SELECT e.id, e.api_key, s.id, f.name FROM environments_environment e
    JOIN features_featurestate s ON s.environment_id = e.id AND s.identity_id IS NULL
        AND s.feature_segment_id IS NULL AND s.deleted_at IS NULL AND s.version IS NOT NULL
    JOIN features_feature f ON f.id = s.feature_id AND f.type = 'STANDARD' AND NOT f.is_server_key_only
    JOIN features_featurestatevalue v ON v.feature_state_id = s.id
    WHERE e.name = 'Production' AND e.deleted_at IS NULL AND NOT e.use_v2_feature_versioning
    ORDER BY s.id LIMIT 1"""
POST = "SELECT status, body FROM flagsmith.http_post('/api/v1/identities/', %s, %s)"
FLAG = "SELECT body FROM flagsmith.http_get('/api/v1/flags/?feature=' || %s, %s)"


class Load:
    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self.acknowledged: Dict[Tuple[str, str], int] = {}
        self.errors: List[str] = []
        self.counts = {"posts": 0, "statements": 0, "changes": 0, "stale": 0}
        with psycopg.connect(autocommit=True) as connection:
            self.environment, self.key, self.state, self.feature = connection.execute(ENVIRONMENT).fetchone()
            self.deadlocks = self.count_deadlocks(connection)
        self.headers = json.dumps({"x-environment-key": self.key, "content-type": "application/json"})

    def count_deadlocks(self, connection: psycopg.Connection) -> int:
        return connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()[0]

    def run(self) -> int:
        work = [self.post] * WRITERS + [self.write_as_flagsmith] * WRITERS + [self.change_flag]
        threads = [threading.Thread(target=self.guard, args=(f, n)) for n, f in enumerate(work)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.report()

    def guard(self, work, number: int) -> None:
        try:
            with psycopg.connect(autocommit=True) as connection:
                while time.monotonic() < self.end:
                    work(connection, random.Random(f"{number} {time.monotonic_ns()}"), number)
        except Exception as error:  # whatever it is, the load has failed
            self.errors.append(f"{work.__name__}: {error}")

    def post(self, connection, rng: random.Random, number: int) -> None:
        """An SDK's post: some traits of this writer's, and one that all write."""
        identifier = f"load-{rng.randrange(IDENTITIES)}"
        values = {f"w{number}-{k}": rng.randrange(10**9) for k in rng.sample(range(KEYS), 3)}
        traits = [{"trait_key": k, "trait_value": v} for k, v in values.items()]
        traits.append({"trait_key": f"shared-{rng.randrange(KEYS)}", "trait_value": rng.choice([1, "x", None, 2.5])})
        rng.shuffle(traits)
        status, body = connection.execute(POST, (self.headers, json.dumps({"identifier": identifier, "traits": traits}))).fetchone()
        if status != 200:
            raise AssertionError(f"status {status}: {body}")
        answered = {t["trait_key"]: t["trait_value"] for t in json.loads(body)["traits"]}
        for key, value in values.items():
            if answered.get(key) != value:
                raise AssertionError(f"{key} was answered wrongly")
            self.acknowledged[identifier, key] = value
        self.counts["posts"] += 1

    def write_as_flagsmith(self, connection, rng: random.Random, number: int) -> None:
        """Flagsmith's statements for a post: identity, then DELETE, UPDATE, INSERT of many rows."""
        identifier = f"load-{rng.randrange(IDENTITIES)}"
        connection.execute(
            "INSERT INTO environments_identity (identifier, created_date, environment_id, system_traits)"
            " VALUES (%s, now(), %s, '{}') ON CONFLICT DO NOTHING", (identifier, self.environment))
        identity, stored = connection.execute(
            "SELECT i.id, (SELECT jsonb_object_agg(trait_key, t.id) FROM environments_trait t WHERE identity_id = i.id)"
            " FROM environments_identity i WHERE environment_id = %s AND identifier = %s", (self.environment, identifier)).fetchone()
        values = {f"f{number}-{k}": rng.randrange(10**9) for k in rng.sample(range(KEYS), 3)}
        shared = f"shared-{rng.randrange(KEYS)}"
        if rng.random() < 0.3:
            connection.execute("DELETE FROM environments_trait WHERE identity_id = %s AND trait_key IN (%s, %s)",
                               (identity, shared, f"shared-{rng.randrange(KEYS)}"))
        old = {k: stored[k] for k in [*values, shared] if k in (stored or {})}
        if old:
            items = list(old.items())
            rng.shuffle(items)
            cases = " ".join(f"WHEN id = {row} THEN {values.get(key, 0)}" for key, row in items)
            connection.execute(f"UPDATE environments_trait SET value_type = 'int', integer_value = (CASE {cases} ELSE NULL END)::integer"
                               f" WHERE id IN ({', '.join(str(row) for _, row in items)})")
        new = [k for k in [*values, shared] if k not in old]
        rng.shuffle(new)
        if new:
            connection.execute(
                "INSERT INTO environments_trait (identity_id, trait_key, value_type, integer_value, created_date)"
                " SELECT %s, k, 'int', v, now() FROM unnest(%s::text[], %s::int[]) x (k, v) ON CONFLICT DO NOTHING",
                (identity, new, [values.get(k, 0) for k in new]))
        for key, value in values.items():
            self.acknowledged[identifier, key] = value
        self.counts["statements"] += 1

    def change_flag(self, connection, rng: random.Random, number: int) -> None:
        """A value that is committed is what the next statement of any other session reads."""
        value = f"v{self.counts['changes']}"
        connection.execute("UPDATE features_featurestatevalue SET type = 'unicode', string_value = %s WHERE feature_state_id = %s", (value, self.state))
        with psycopg.connect(autocommit=True) as fresh:
            for reader in (connection, fresh):
                body = reader.execute(FLAG, (self.feature, self.headers)).fetchone()[0]
                self.counts["stale"] += json.loads(body)["feature_state_value"] != value
        self.counts["changes"] += 1
        time.sleep(0.02)

    def report(self) -> int:
        with psycopg.connect(autocommit=True) as connection:
            rows = connection.execute(
                "SELECT i.identifier, t.trait_key, t.integer_value FROM environments_identity i"
                " JOIN environments_trait t ON t.identity_id = i.id WHERE i.environment_id = %s", (self.environment,)).fetchall()
            time.sleep(1)  # statistics come a moment later
            deadlocks = self.count_deadlocks(connection) - self.deadlocks
        stored = {(identifier, key): value for identifier, key, value in rows}
        lost = [k for k, v in self.acknowledged.items() if stored.get(k) != v]
        print(", ".join(f"{n} {name}" for name, n in self.counts.items()) + f", {len(lost)} lost, {deadlocks} deadlocks")
        for problem in self.errors[:10] + [f"lost: {k}" for k in lost[:10]]:
            print(f"  {problem}")
        failed = bool(self.errors or lost or deadlocks or self.counts["stale"] or not self.counts["changes"] or not self.acknowledged)
        print(f"{int(not failed)} passed, {int(failed)} failed, 0 skipped")
        return int(failed)


def main() -> int:
    try:
        psycopg.connect().close()
    except psycopg.OperationalError:
        print("SKIPPED: there is no attached database: attached.py makes one of a recording")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    return Load(float(sys.argv[1]) if len(sys.argv) > 1 else 10).run()


if __name__ == "__main__":
    sys.exit(main())
