#!/usr/bin/env python3
"""Asks two API instances through nginx.

usage: nginx.py balances|loses|away|alone URL [PORT PORT | PID]

balances: both are there, at these ports; loses: the first, of this pid, is killed while clients
ask; away: the database is stopped; alone: no instance is left.
"""

import http.client
import json
import os
import re
import signal
import sys
import threading
import time
from urllib.parse import urlsplit

from client import CLIENT_KEY, Request, ask, check, check_error, database, psql, together

FLAGS = Request("GET", "/api/v1/flags/")
POST = Request("POST", "/api/v1/identities/", body={"identifier": "through-nginx", "traits": [{"trait_key": "plan", "trait_value": "pro"}]})
ORIGIN = {"Origin": "https://shop.example"}


def balances(url: str, *ports: str) -> None:
    answers = together(url, [FLAGS] * 60, 4)
    check("60 GETs are answered", {answer.status for answer in answers} == {200})
    shares = [served(port) for port in ports]
    check("each instance has answered some 30 of them", min(shares) >= 20, shares)
    for request in (FLAGS, POST, FLAGS._replace(key="no-such-key"), POST._replace(body=b"{"), Request("GET", "//api/v1/identities/?identifier=a%26b%2Fc")):
        wanted, got = database(request), ask(url, request)
        check(f"{request.method} {request.target}: {wanted.status} passes unchanged", (wanted.status, wanted.body) == (got.status, got.body), got)
    preflight = ask(url, Request("OPTIONS", "/api/v1/flags/", None, headers={**ORIGIN, "Access-Control-Request-Headers": "x-environment-key"}))
    check("so does a preflight", preflight.headers.get("access-control-allow-headers") == "x-environment-key", preflight)
    check_error("/metrics is not for everybody", ask(url, Request("GET", "/metrics")), 404)
    too_large = ask(url, POST._replace(body=b" " * (1 << 20) + b"{}", headers=ORIGIN))
    check_error("a body above the limit is refused in JSON", too_large, 400, 413)
    check("which a browser may read", too_large.headers.get("access-control-allow-origin") == "*", too_large)
    check_stream(url)


def served(port: str) -> int:
    """The GETs that an instance has answered."""
    metrics = ask(f"http://127.0.0.1:{port}", Request("GET", "/metrics")).body
    return sum(int(n) for n in re.findall(r'^flagsmith_api_requests_total\{method="GET",status="200"\} (\d+)', metrics, re.M))


def check_stream(url: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    start = time.monotonic()
    connection.request("GET", f"/sse/environments/{CLIENT_KEY}/stream")
    events = connection.getresponse()
    check("a stream says at once when the environment last changed", next_event(events) > 0 and time.monotonic() - start < 1)
    changed = psql("UPDATE flagsmith.feature_state SET enabled = NOT enabled WHERE id = (SELECT min(id) FROM flagsmith.feature_state); SELECT extract(epoch FROM now());")
    check("and a change within 3 s", next_event(events) >= float(changed) - 1 and time.monotonic() - start < 4)
    connection.close()


def next_event(events) -> float:
    """The time in the next event; 0 if there is none for as long as the connection waits."""
    try:
        while line := events.readline():
            if line.startswith(b"data:"):
                return float(json.loads(line[5:])["updated_at"])
    except OSError:
        pass
    return 0


def loses(url: str, pid: str) -> None:
    end, statuses = time.monotonic() + 3, []

    def go_on() -> None:
        while time.monotonic() < end:
            statuses.append(ask(url, FLAGS).status)

    threads = [threading.Thread(target=go_on) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    os.kill(int(pid), signal.SIGKILL)
    for thread in threads:
        thread.join()
    check(f"{len(statuses)} GETs while an instance is killed, none fails", len(statuses) > 100 and set(statuses) == {200}, set(statuses))
    check("a POST goes to the other one", ask(url, POST).status == 200)


def away(url: str) -> None:
    for request in (FLAGS, POST):
        answer = ask(url, request)
        check_error(f"{request.method} without a database: the instance's 503", answer, 503)
        check("with its words", json.loads(answer.body or "{}").get("detail") == "The database is away.", answer)


def alone(url: str) -> None:
    for request in (FLAGS, POST):
        answer = ask(url, request)
        check_error(f"{request.method} without an instance: a JSON error of nginx", answer, 503)
        check("which a browser may read", answer.headers.get("access-control-allow-origin") == "*", answer)


if __name__ == "__main__":
    {"balances": balances, "loses": loses, "away": away, "alone": alone}[sys.argv[1]](*sys.argv[2:])
