"""What is measured over HTTP: API instances, pgbouncer, PostgreSQL, and wrk as their clients."""

import os
import random
import socket
import statistics
import time

import stack
from harness import FAST, SECONDS, Session, absolute, figure, take_turns
from measures import COUNT, environment_id

# All that serves is on the first core, wrk on the second; without a second they share.
SERVING, ASKING = {0}, {1 % (os.cpu_count() or 1)}
REQUESTS = min(COUNT, 20_000)
CONNECTIONS = (64, 256)
READS, WRITES, CLIENTS = 9, 1, 10  # of each of many instances: ten connections, ten clients
MANY = 10 if FAST else 70
GROWTH = (1, 5, 10) if FAST else (1, 5, 20, 100, 200)
FLAGSMITH = 37.0  # requests a second of Flagsmith's own API with its PostgreSQL, two cores, its best GET
SHIPPED = {"database": "flagsmith", "replica": "flagsmith_read"}

GETS = """SELECT format(E'GET\\t/api/v1/identities/?identifier=%s\\t', identifier)"""
POSTS = """SELECT format(E'POST\\t/api/v1/identities/\\t%s', json_build_object('identifier', identifier, 'traits',
    (SELECT json_agg(json_build_object('trait_key', key, 'trait_value', value)) FROM jsonb_each(traits))))"""


def write_requests(folder, name, select):
    """A file of random identities' requests."""
    file = folder / f"{name}.requests"
    numbers = random.Random(1).sample(range(1, COUNT + 1), REQUESTS)
    with Session() as session:
        lines = session.query(
            f"{select} FROM flagsmith.identity WHERE environment_id = {environment_id('bench')}"
            f" AND identifier = ANY ('{{{','.join(map(str, numbers))}}}') ORDER BY md5(identifier)"
        )
    file.write_text("\n".join(lines) + "\n")
    return file


def of(runs, what):
    return [run[what] for run in runs]


def typical(port):
    """Headers and body of an answer of middle length."""
    answers = [stack.get(port, f"/api/v1/identities/?identifier={n}") for n in range(1, 102)]
    if any(status != 200 for status, _, _ in answers):
        raise RuntimeError("an identity is not answered")
    return sorted(answers, key=lambda answer: len(answer[2]))[50][1:]


def http(folder):
    """GET of an identity from one instance, through the shipped pgbouncer: against nginx with the
    same bytes on the same core, and on all cores."""
    gets = write_requests(folder, "get", GETS)
    stack.pin_database(SERVING)
    try:
        with stack.instances(1, "one", SERVING, **SHIPPED) as (one,):
            with stack.nginx(*typical(one.port), SERVING) as static:
                turns = {
                    (name, n): lambda port=port, n=n: stack.wrk([port], gets, n, SECONDS, ASKING)
                    for n in CONNECTIONS
                    for name, port in (("api", one.port), ("nginx", static))
                }
                runs = take_turns(turns)
    finally:
        stack.pin_database(stack.EVERY)
    with stack.instances(1, "one", **SHIPPED) as (one,):
        whole = take_turns({"api": lambda: stack.wrk([one.port], gets, CONNECTIONS[0], SECONDS)})["api"]
    lines = []
    for n in CONNECTIONS:
        title, api, static = f"GET identities, {n} connections, one core", runs["api", n], runs["nginx", n]
        line = figure(title, "requests/s", of(api, "rate"), of(static, "rate"), "nginx, the same bytes", 0.15, 0.3)
        lines.append(line | {"p99": of(api, "p99"), "bytes": [api[0]["bytes"], static[0]["bytes"]]})
    title = f"GET identities, {CONNECTIONS[0]} connections, all cores"
    base = [FLAGSMITH] * len(whole), "Flagsmith's API, another day and machine"
    return [*lines, figure(title, "requests/s", of(whole, "rate"), *base, 300)]


def updates():
    """How often rows of identities were written, as far as PostgreSQL has been told."""
    time.sleep(1.5)  # backends report once a second
    with Session() as session:
        return session.value(
            "SELECT n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_all_tables WHERE relid = 'flagsmith.identity'::regclass"
        )


def post(folder):
    """POST of the six traits that an identity has already."""
    files = {"GET": write_requests(folder, "get", GETS), "POST": write_requests(folder, "post", POSTS)}
    stack.pin_database(SERVING)
    try:
        with stack.instances(1, "one", SERVING, **SHIPPED) as (one,):
            before = updates()
            turns = {
                name: lambda file=file: stack.wrk([one.port], file, CONNECTIONS[0], SECONDS, ASKING)
                for name, file in files.items()
            }
            runs = take_turns(turns)
            if updates() != before:
                raise RuntimeError("traits that are unchanged were written")
    finally:
        stack.pin_database(stack.EVERY)
    base = of(runs["GET"], "rate"), "GET"
    return [figure("POST identities, unchanged, one core", "requests/s", of(runs["POST"], "rate"), *base, 0.7)]


def pooled_and_direct(folder, count, rounds, seconds):
    """Runs of so many instances before pgbouncer, and of as many with connections of their own, in
    turns; while one is asked the other is idle."""
    gets = write_requests(folder, "get", GETS)
    each = {"reads": READS, "writes": WRITES}
    with stack.instances(count, "pooled", port=6432, **each) as pooled:
        with stack.instances(count, "direct", port=5432, **each) as direct:
            turns = {
                name: lambda ports=[one.port for one in ones]: stack.wrk(ports, gets, count * CLIENTS, seconds)
                for name, ones in (("pooled", pooled), ("direct", direct))
            }
            return take_turns(turns, rounds)


def instances(folder):
    """Many instances before pgbouncer against as many with connections of their own; and the curve
    of it, from one instance to hundreds."""
    runs = {MANY: pooled_and_direct(folder, MANY, rounds=3 if FAST else 5, seconds=SECONDS)}
    for count in GROWTH:
        runs.setdefault(count, pooled_and_direct(folder, count, rounds=1 if FAST else 2, seconds=min(SECONDS, 3)))
    pooled, direct = runs[MANY]["pooled"], runs[MANY]["direct"]
    title, base = f"{MANY} instances, pgbouncer on 8", f"{MANY} with {READS + WRITES} direct connections each"
    lines = [
        figure(f"{title}: throughput", "requests/s", of(pooled, "rate"), of(direct, "rate"), base, 1.5),
        figure(f"{title}: p99", "ms", of(pooled, "p99"), of(direct, "p99"), base, 0.5, at_most=True),
    ]
    curves = {
        f"{what}, {name}": [[n, statistics.median(of(runs[n][side], what))] for n in sorted(runs)]
        for what in ("rate", "p99")
        for side, name in (("pooled", "through pgbouncer"), ("direct", "without"))
    }
    return lines, curves


def memory(folder):
    """Of an instance that has answered and rests."""
    sizes = []
    for _ in range(3):
        with stack.instances(1, "idle", **SHIPPED) as (one,):
            stack.get(one.port, "/api/v1/identities/?identifier=1")
            time.sleep(1)
            sizes.append(one.memory())
    return [absolute("memory of an idle instance", "MB", sizes, 10)]


def read_event(stream):
    """The data of the next event; comments are passed over."""
    while True:
        line = stream.readline()
        if not line:
            raise RuntimeError("the stream has ended")
        if line.startswith(b"data:"):
            return line


def sse(folder):
    """From the commit of a flag's change until a listener has the event, at any time of the second
    in which the instance asks."""
    waits = []
    change = (
        "UPDATE flagsmith.feature_state s SET enabled = NOT s.enabled FROM flagsmith.feature f WHERE f.id = s.feature_id"
        f" AND f.name = 'feature_20' AND s.environment_id = {environment_id('bench')} AND s.segment_id IS NULL"
    )
    with stack.instances(1, "events", **SHIPPED) as (one,), Session() as session:
        with socket.create_connection(("127.0.0.1", one.port), timeout=10) as client:
            client.sendall(f"GET /sse/environments/{stack.KEY}/stream HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
            stream = client.makefile("rb")
            greeting = read_event(stream)
            for turn in range(5 if FAST else 20):
                time.sleep(1 + turn * 0.37 % 1)
                session.query(change)
                start = time.monotonic()
                event = read_event(stream)
                waits.append(time.monotonic() - start)
                if event == greeting:
                    raise RuntimeError("an event says what the last one said")
                greeting = event
    return [absolute("a flag's change reaches an SSE listener", "s", waits, 2)]
