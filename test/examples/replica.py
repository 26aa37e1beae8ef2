#!/usr/bin/env python3
"""Asks an API instance that reads from a replica and writes to the primary.

usage: replica.py streams URL FOLDER | reads URL | without URL

streams: the replica is there, with its sockets in FOLDER; reads: the primary has been stopped;
without: it is back, and the replica has been stopped.
"""

import json
import os
import sys
from typing import Tuple

from client import SERVER_KEY, Answer, Request, ask, check, check_error, database, psql, until

IDENTITY = Request("GET", "/api/v1/identities/?identifier=far-away")
TOGGLE = "UPDATE flagsmith.feature_state SET enabled = NOT enabled WHERE id = (SELECT min(id) FROM flagsmith.feature_state);"


def post(plan: str) -> Request:
    return Request("POST", "/api/v1/identities/", body={"identifier": "far-away", "traits": [{"trait_key": "plan", "trait_value": plan}]})


def on_replica(folder: str, sql: str) -> str:
    here = os.environ["PGHOST"]
    os.environ["PGHOST"] = folder
    try:
        return psql(sql)
    finally:
        os.environ["PGHOST"] = here


def plan_of(answer: Answer) -> str:
    traits = json.loads(answer.body).get("traits", []) if answer.status == 200 else []
    return next((trait["trait_value"] for trait in traits if trait["trait_key"] == "plan"), "")


def current(url: str, request: Request) -> Tuple[bool, Answer]:
    wanted, got = database(request), ask(url, request)
    return (wanted.status, wanted.body) == (got.status, got.body), got


def streams(url: str, folder: str) -> None:
    check("it answers", *until(lambda: (ask(url, IDENTITY).status == 200, ""), 10))
    check("the standby streams", psql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1")
    check("from its slot", psql("SELECT active FROM pg_replication_slots") == "t")
    check("and is one", on_replica(folder, "SELECT pg_is_in_recovery()") == "t")
    for request in (IDENTITY, Request("GET", "/api/v1/environment-document/", SERVER_KEY), IDENTITY._replace(key="no-such-key")):
        check(f"GET {request.target} as from the primary", *current(url, request))
    check("a POST writes to the primary", plan_of(ask(url, post("pro"))) == "pro" and plan_of(database(IDENTITY)) == "pro")
    check("and GETs see it soon", *until(lambda: (plan_of(answer := ask(url, IDENTITY)) == "pro", answer), 3))
    check_reads_there(url, folder)


def check_reads_there(url: str, folder: str) -> None:
    """While replay is paused, the replica's answers, and so the instance's, are old."""
    on_replica(folder, "SELECT pg_wal_replay_pause()")
    before = ask(url, Request("GET", "/api/v1/flags/"))
    psql(TOGGLE)
    check("POSTs go on while the replica is behind", plan_of(ask(url, post("free"))) == "free")
    check("GETs are the replica's", plan_of(ask(url, IDENTITY)) == "pro" and ask(url, Request("GET", "/api/v1/flags/")).body == before.body)
    on_replica(folder, "SELECT pg_wal_replay_resume()")
    check("until it has caught up", *until(lambda: (plan_of(answer := ask(url, IDENTITY)) == "free", answer), 3))
    check("with flags as well", *until(lambda: current(url, Request("GET", "/api/v1/flags/")), 3))


def reads(url: str) -> None:
    for _ in range(3):
        check("without the primary GETs go on", plan_of(answer := ask(url, IDENTITY)) == "free", answer)
    check_error("and POSTs are a 503", ask(url, post("none")), 503)


def without(url: str) -> None:
    check("the primary is back", *until(lambda: ((seen := ask(url, post("free"))).status == 200, seen), 5))
    for _ in range(3):
        check("without the replica the primary answers", *current(url, IDENTITY))
    check("and takes POSTs", plan_of(ask(url, post("business"))) == "business")


if __name__ == "__main__":
    {"streams": streams, "reads": reads, "without": without}[sys.argv[1]](*sys.argv[2:])
