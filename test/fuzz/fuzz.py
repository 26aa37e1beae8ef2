#!/usr/bin/env python3
"""Fuzzes an API instance, built with sanitizers, with the real pgbouncer and database behind it.

Some threads send requests and what random changes make of them: pipelined, in pieces, with
early ends.  Others send nothing but valid ones, pipelined, and hold each answer against its
request: another's answer, one in the wrong order, none, or a late one is a failure.  Meanwhile
connections to the database are ended, pgbouncer is paused, and the instance is ended and
started again, now and then with requests under way.  A report of a sanitizer is its end with
a status, and so a failure.

    fuzz.py --program build/flagsmith-api-asan --database DSN --admin DSN --console DSN

--seconds, --seed: how long, and what to begin with; the same seed sends the same bytes.
The last line is "N passed, N failed": answers held against their requests, and failures.
"""

import argparse
import random as random_module
import socket
import subprocess
import sys
import threading
import time

import requests
from instance import Instance

FUZZERS = 3
CHECKERS = 2
HELD = 20
ANSWER_SECONDS = 5
ENVIRONMENT = """SELECT flagsmith.import_environment('{"api_key": "fuzz-key", "name": "env",
    "project": {"id": 1, "name": "p", "segments": []}, "feature_states":
    [{"feature": {"id": 1, "name": "banner"}, "enabled": true, "django_id": 1},
     {"feature": {"id": 2, "name": "text"}, "enabled": true, "feature_state_value": "%s", "django_id": 2}]}')
    WHERE NOT EXISTS (SELECT FROM flagsmith.environment WHERE api_key = 'fuzz-key')""" % ("v" * 3000)
DISTURBANCES = [
    ("console", "PAUSE"),
    ("console", "RECONNECT"),
    ("console", "KILL flagsmith"),
    ("admin", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'flagsmith-api'"),
]


class Failure(Exception):
    """What should not have been answered so."""


class Tally:
    """What all threads count together."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = {"sent": 0, "checked": 0, "told": 0}
        self.failures = []

    def add(self, name, number=1):
        with self.lock:
            self.counts[name] += number

    def fail(self, text):
        with self.lock:
            self.failures.append(text)
        print("FAILED:", text, flush=True)


def psql(dsn, sql):
    subprocess.run(["psql", "-XAtq", "-d", dsn, "-c", sql], check=False, capture_output=True, timeout=60)


def fuzz(instance, random, tally):
    """One connection: bytes in pieces, then perhaps some of the answer."""
    data, count = requests.sequence(random)
    tally.add("sent", count)
    with socket.create_connection(instance.address, timeout=ANSWER_SECONDS) as client:
        while data:
            size = random.choice([len(data), random.randint(1, len(data))])
            client.sendall(data[:size])
            data = data[size:]
            if random.random() < 0.1:
                time.sleep(random.random() / 100)
            if random.random() < 0.05:
                return
        client.settimeout(random.choice([0.001, 0.02, 0.1]))
        if random.random() < 0.3:
            client.shutdown(socket.SHUT_WR)
        while client.recv(random.choice([100, 65536])):
            pass


def read_answer(stream):
    """Status and body of the next answer; None if the connection has ended before it."""
    line = stream.readline()
    if not line:
        return None
    if not line.startswith(b"HTTP/1.1 "):
        raise Failure("no answer: %r" % line[:80])
    length = 0
    while (header := stream.readline()) not in (b"\r\n", b""):
        if header.lower().startswith(b"content-length:"):
            length = int(header.split(b":")[1])
    body = stream.read(length)
    if len(body) < length:
        return None
    return int(line[9:12]), body


def question(random):
    """A valid request, and what its answer holds."""
    name = b"u%d" % random.randrange(10**9)
    if random.random() < 0.5:
        body = b'{"identifier":"%s","traits":[{"trait_key":"k","trait_value":"%s"}]}' % (name, name)
        head = b"POST /api/v1/identities/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        head += b"Content-Length: %d\r\n" % len(body)
        return head + b"X-Environment-Key: fuzz-key\r\n\r\n" + body, b'"%s"' % name
    head = b"OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n" if random.random() < 0.2 else b""
    if head:
        return head, b""
    return b"GET /%s HTTP/1.1\r\nHost: x\r\nX-Environment-Key: fuzz-key\r\n\r\n" % name, b"Not found"


def check(instance, random, tally):
    """Valid requests on one connection: each gets its own answer, in time and in order."""
    questions = [question(random) for _ in range(random.choice([1, 3, 10, 40]))]
    tally.add("sent", len(questions))
    with socket.create_connection(instance.address, timeout=ANSWER_SECONDS) as client:
        client.sendall(b"".join(data for data, _ in questions))
        stream = client.makefile("rb")
        for _, wanted in questions:
            try:
                answer = read_answer(stream)
            except TimeoutError:
                raise Failure("no answer within %d s" % ANSWER_SECONDS) from None
            if answer is None:
                if instance.is_ending:
                    return
                raise Failure("the connection ended before an answer")
            if answer[0] in (500, 503) and answer[1].startswith(b'{"detail":'):
                tally.add("told")
            elif answer[0] in (200, 204, 404) and wanted in answer[1]:
                tally.add("checked")
            else:
                raise Failure("another's answer: %d %r, not %r" % (answer[0], answer[1][:200], wanted))


def work(what, instance, seed, tally, end):
    """A thread: the same again until time is up."""
    random = random_module.Random(seed)
    while time.monotonic() < end and not instance.is_broken:
        if instance.is_quiet:
            time.sleep(0.01)
            continue
        try:
            what(instance, random, tally)
        except Failure as failure:
            tally.fail(str(failure))
        except OSError:
            if not instance.is_ending:
                time.sleep(0.001)


def hold(instance):
    """A request that is not sent again when its connection to the database is lost."""
    body = b'{"identifier":"held","trait_key":"n","increment_by":1}'
    client = socket.create_connection(instance.address, timeout=ANSWER_SECONDS)
    client.sendall(b"POST /api/v1/traits/increment-value/ HTTP/1.1\r\nHost: x\r\nX-Environment-Key: fuzz-key\r\n"
                   b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return client


def restart(instance, options, at_once, tally):
    """Ends the instance and starts it; at once: with requests under way, which wait for a pause."""
    held = []
    if at_once:
        instance.is_quiet = True
        time.sleep(0.3)
        psql(options.console, "PAUSE")
        held = [hold(instance) for _ in range(HELD)]
        time.sleep(0.2)
    error = instance.restart(at_once)
    instance.is_quiet = False
    for client in held:
        client.close()
    psql(options.console, "RESUME")
    if error:
        tally.fail(error)


def disturb(instance, options, random, end, tally):
    """What goes wrong behind and around the instance."""
    while time.monotonic() < end and not instance.is_broken:
        time.sleep(random.uniform(0.2, 2))
        if random.random() < 0.15:
            restart(instance, options, random.random() < 0.5, tally)
        else:
            where, sql = random.choice(DISTURBANCES)
            psql(getattr(options, where), sql)
            if where == "console":
                time.sleep(random.random() / 2)
                psql(options.console, "RESUME" if sql == "PAUSE" else "RESUME flagsmith")


def main():
    parser = argparse.ArgumentParser()
    for name in ("program", "database", "admin", "console"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tally = Tally()
    psql(options.admin, ENVIRONMENT)
    instance = Instance(options.program, options.database)
    end = time.monotonic() + options.seconds
    kinds = [fuzz] * FUZZERS + [check] * CHECKERS
    threads = [
        threading.Thread(target=work, args=(kind, instance, options.seed * 1000 + number, tally, end))
        for number, kind in enumerate(kinds)
    ]
    for thread in threads:
        thread.start()
    disturb(instance, options, random_module.Random(options.seed), end, tally)
    for thread in threads:
        thread.join()
    psql(options.console, "RESUME")
    error = instance.stop()
    if error:
        tally.fail(error)
    if tally.counts["checked"] == 0:
        tally.fail("nothing was answered rightly")
    print("seed %d: %s requests sent, %s answers right, %s errors told, %d restarts" % (
        options.seed, *(tally.counts[name] for name in ("sent", "checked", "told")), instance.restarts))
    print("%d passed, %d failed" % (tally.counts["checked"], len(tally.failures)))
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
