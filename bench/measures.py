"""What is measured: each function returns lines of the table, and maybe points of a plot."""

import json
import os
import pathlib
import shutil
import statistics
import subprocess

from generate import generate
from harness import FAST, SECONDS, Engine, Session, figure, pgbench, skipped, take_turns

HERE = pathlib.Path(__file__).parent
COUNT = int(os.environ.get("SCALE", 20_000 if FAST else 1_000_000))
SERIAL = "max_parallel_workers_per_gather = 0"
GROWTH_FEATURES = (50, 100, 200, 500)
GROWTH_SEGMENTS = (20, 50, 100, 200)
GROWTH_CALLS = 2_000 if FAST else 20_000
DIRECT, POOLED, WIDE = 8, 120 if FAST else 900, 60 if FAST else 450


def script(name):
    return str(HERE / "sql" / f"{name}.sql")


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def import_environment(session, **sizes):
    session.query(f"SELECT flagsmith.import_environment({quoted(generate(**sizes))}::jsonb, {quoted(sizes['key'])})")


def environment_id(key):
    with Session() as session:
        return session.value(f"SELECT id FROM flagsmith.environment WHERE api_key = {quoted(key)}")


def add_identities(session, key, count):
    session.query(f"\\set key {key}")
    session.query(f"\\set count {count}")
    session.query(f"\\i {script('identities')}")


def load():
    """All environments and identities, in memory before anything is measured."""
    with Session() as session:
        import_environment(session, key="bench")
        add_identities(session, "bench", COUNT)
        import_environment(session, key="big", features=1000, segments=500, overridden=500, overrides=2000)
        for n in GROWTH_FEATURES:
            import_environment(session, key=f"features{n}", features=n)
            add_identities(session, f"features{n}", GROWTH_CALLS)
        for n in GROWTH_SEGMENTS:
            import_environment(session, key=f"segments{n}", segments=n)
            add_identities(session, f"segments{n}", GROWTH_CALLS)
        session.query("CREATE EXTENSION pg_prewarm")
        session.query("VACUUM (ANALYZE, FREEZE)")
        session.query("SELECT pg_prewarm('flagsmith.identity'), pg_prewarm('flagsmith.identity_pkey')")
        session.query("CHECKPOINT")


def read_path():
    """Calls of the API against reading the identity's row, which any of them has to do."""
    variables = {"key": "bench", "environment": environment_id("bench"), "count": COUNT}
    scripts = ("traits", "document", "flags", "flag")
    runs = take_turns({name: lambda name=name: pgbench(script(name), **variables) for name in scripts})
    base = runs["traits"], "SELECT traits of the same row"
    return [
        figure("identity_document", "tx/s", runs["document"], *base, reach=0.75, aim=0.9),
        figure("get_identity_flags", "tx/s", runs["flags"], *base, reach=0.5),
        figure("is_feature_enabled", "tx/s", runs["flag"], *base, reach=0.85),
    ]


def attached():
    """The same from a Flagsmith's tables, against the primary-key read of the same identity's row."""
    count = min(COUNT, 100_000)
    with Session() as session:
        session.query(f"\\set count {count}")
        session.query(f"\\i {script('attached')}")
    names = ("row", "document", "flags", "flag")
    runs = take_turns({name: lambda name=name: pgbench(script(f"attached_{name}"), count=count) for name in names})
    with Session() as session:
        session.query("SELECT flagsmith.detach()")
    base = runs["row"], "the identity's row by its primary key"
    return [
        figure("attached: identity_document", "tx/s", runs["document"], *base, reach=0.5),
        figure("attached: get_identity_flags", "tx/s", runs["flags"], *base),
        figure("attached: is_feature_enabled", "tx/s", runs["flag"], *base),
    ]


def export(session, folder, count):
    """The document and the identities as files, for engines outside of the database."""
    environment, identities = folder / "environment.json", folder / "identities.jsonl"
    environment.write_text(session.value("SELECT flagsmith.environment_document('bench')"))
    lines = session.query(
        "SELECT json_build_object('identifier', identifier, 'traits', traits) FROM flagsmith.identity"
        f" WHERE environment_id = {environment_id('bench')} AND identifier::int <= {count} ORDER BY identifier::int"
    )
    identities.write_text("\n".join(lines) + "\n")
    return str(environment), str(identities)


def checksum(session):
    """Of the first 1000 identities' flags: how many are enabled, and how long all values are."""
    return session.value(
        "SELECT sum(enabled::int) || ' ' || coalesce(sum(length(value #>> '{}')), 0)"
        f" FROM generate_series(1, {min(COUNT, 1000)}) i, flagsmith.get_identity_flags('bench', i::text)"
    )


def start_engines(files):
    """The engines there are, by name, and why the others are missing."""
    commands = {
        "Node, flagsmith-nodejs 8.1.2": (os.environ.get("BENCH_NODE"), ["node", str(HERE / "node/evaluate.mjs")]),
        "Rust, flagsmith-flag-engine 0.7.0": (os.environ.get("BENCH_RUST"), [os.environ.get("BENCH_RUST", "")]),
    }
    engines, missing = {}, {}
    for name, (place, command) in commands.items():
        if place and (name[0] == "R" or shutil.which("node")):
            engines[name] = Engine(*command, *files, MODULES=place)
        else:
            missing[name] = "its tools are missing (see above)"
    return engines, missing


def engines(folder):
    """Many identities in one statement against Flagsmith's engines in memory, which have all
    traits parsed before the clock starts and write no JSON."""
    count = min(COUNT, 5_000 if FAST else 100_000)
    reaches = {"N": (30, 50), "R": (3, 5)}
    title = f"identity_document, {count} in a statement"
    with Session(SERIAL) as session:
        started, missing = start_engines(export(session, folder, count))
        for name, engine in started.items():
            if engine.checksum != checksum(session):
                    raise RuntimeError(f"{name} has other flags: {engine.checksum}, we {checksum(session)}")
        statement = f"SELECT count(flagsmith.identity_document('bench', i::text)) FROM generate_series(1, {count}) i"
        turns = {"sql": lambda: count / session.time(statement) * 1000}
        turns |= {name: lambda engine=engine: count / engine.seconds() for name, engine in started.items()}
        runs = take_turns(turns) if started else {}
        for engine in started.values():
            engine.close()
    lines = []
    for name in ("Node, flagsmith-nodejs 8.1.2", "Rust, flagsmith-flag-engine 0.7.0"):
        if name in missing:
            lines.append(skipped(f"{title} against {name}", missing[name]))
        else:
            reach, aim = reaches[name[0]]
            lines.append(figure(title, "evaluations/s", runs["sql"], runs[name], name, reach=reach, aim=aim))
    return lines


def plan_shape(session, sql):
    """The names of a plan's nodes, from the top."""
    (plan,) = json.loads("\n".join(session.query(f"EXPLAIN (FORMAT JSON) {sql}")))
    names, node = [], plan["Plan"]
    while node:
        names.append(node["Node Type"])
        node = node.get("Plans", [None])[0]
    return names


def scan():
    """One segment over all rows against its three conditions, written by hand."""
    where = f"SELECT count(*) FROM flagsmith.identity WHERE environment_id = {environment_id('bench')} AND "
    segment = where + "flagsmith.is_in_segment('bench', 'segment_0', identifier, traits)"
    by_hand = where + (
        "traits->>'plan' = 'pro' AND (traits->>'age')::int > 30 AND traits->>'country' IN ('DK', 'FI', 'NO', 'SE')"
    )
    with Session(SERIAL) as session:
        shapes = plan_shape(session, segment), plan_shape(session, by_hand)
        counts = session.value(segment), session.value(by_hand)
        if shapes[0] != shapes[1] or counts[0] != counts[1]:
            raise RuntimeError(f"not the same: plans {shapes}, rows {counts}")
        runs = take_turns({"segment": lambda: session.time(segment), "by hand": lambda: session.time(by_hand)})
    base = runs["by hand"], "the same on jsonb, by hand"
    line = figure(f"is_in_segment over {COUNT} rows", "ms", runs["segment"], *base, 1.0, 2.0, speed=True)
    return [line | {"plan": shapes[0], "rows": int(counts[0])}]


BIG_ROWS = """SELECT sum(length(version.row)) FROM (
    SELECT s::text FROM flagsmith.feature_state s WHERE s.environment_id = {id}
    UNION ALL SELECT f::text FROM flagsmith.feature f
        WHERE f.id IN (SELECT s.feature_id FROM flagsmith.feature_state s WHERE s.environment_id = {id})
    UNION ALL SELECT g::text FROM flagsmith.segment g
        JOIN flagsmith.environment_segment e ON e.segment_id = g.id WHERE e.environment_id = {id}
) version (row)"""


def first_call():
    """New backends: one builds the big environment, the next reads the same rows as text."""
    identifier, held = environment_id("big"), []

    def build():
        with Session() as session:
            session.query("SELECT flagsmith.identity_document('big', '1')")
            builds, milliseconds, size = session.value(
                "SELECT builds, build_time, bytes FROM flagsmith.cache_stats()"
            ).split("|")
            if builds != "1":
                raise RuntimeError(f"{builds} builds by the first call")
            held.append(int(size))
            return float(milliseconds)

    def read():
        with Session() as session:
            return session.time(BIG_ROWS.format(id=identifier))

    runs = take_turns({"build": build, "read": read})
    with Session() as session:
        document = int(session.value("SELECT length(flagsmith.environment_document('big')::text)"))
    title, sizes = "first call, 1000 features", [document] * len(held)
    build_line = figure(f"{title}: build", "ms", runs["build"], runs["read"], "reading its rows as text")
    held_line = figure(f"{title}: held", "bytes", held, sizes, "its document as text")
    build_line |= {"limit": 20, "met": build_line["measured"] < 20}
    held_line |= {"limit": 3_000_000, "met": held_line["measured"] < 3_000_000}
    return [build_line, held_line]


def changes():
    """The load while another session changes a flag ten times a second."""
    variables = {"key": "bench", "environment": environment_id("bench"), "count": COUNT}
    load_seconds = max(SECONDS, 2)
    done = []

    def quiet():
        return pgbench(script("document"), seconds=load_seconds, **variables)

    def changing():
        command = ["pgbench", "-n", "-c", "1", "-R", "10", "-T", str(load_seconds + 1), "-f", script("change")]
        command += ["-D", f"environment={variables['environment']}", "flagsmith"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as changer:
            throughput = quiet()
            output = changer.communicate()[0]
        if changer.returncode:
            raise RuntimeError(output)
        done.append(float(output.split("tps = ")[1].split()[0]))
        return throughput

    runs = take_turns({"quiet": quiet, "changing": changing})
    if statistics.median(done) < 7:
        raise RuntimeError(f"not ten changes a second, but {done}")
    line = figure("identity_document, 10 changes a second", "tx/s", runs["changing"], runs["quiet"], "without changes", 0.9)
    return [line | {"changes_per_second": statistics.median(done)}]


def connections():
    """Many clients on few connections; pgbench's extended protocol, which every pgbouncer
    passes on in transaction mode.  The first seconds, in which backends build, do not count."""
    variables = {"key": "bench", "count": COUNT, "protocol": "extended", "warm": 0 if FAST else 3}
    document = script("document")
    runs = take_turns(
        {
            "pooled": lambda: pgbench(document, POOLED, port=6432, **variables),
            "direct": lambda: pgbench(document, DIRECT, **variables),
            "wide": lambda: pgbench(document, WIDE, **variables),
        }
    )
    with Session() as session:  # pgbouncer keeps its connections; the direct ones are gone
        kept = session.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench'")
    if kept != str(DIRECT):
        raise RuntimeError(f"pgbouncer had {kept} connections, not {DIRECT}")
    title = f"pgbouncer, {POOLED} clients on {DIRECT}"
    return [
        figure(title, "tx/s", runs["pooled"], runs["direct"], f"{DIRECT} direct clients", 0.8),
        figure(title, "tx/s", runs["pooled"], runs["wide"], f"{WIDE} direct clients", 1.5),
    ]


def growth():
    """Microseconds a call as the environment grows, in one statement, in one backend."""
    calls = {"all": "identity_document({key}, i::text)", "one": "is_feature_enabled({key}, 'feature_1', i::text)"}
    keys = [f"features{n}" for n in GROWTH_FEATURES] + [f"segments{n}" for n in GROWTH_SEGMENTS]
    with Session(SERIAL) as session:

        def call(key, what):
            function = calls[what].format(key=quoted(key))
            statement = f"SELECT count(flagsmith.{function}) FROM generate_series(1, {GROWTH_CALLS}) i"
            return session.time(statement) * 1000 / GROWTH_CALLS

        turns = {(key, what): lambda key=key, what=what: call(key, what) for what in calls for key in keys}
        runs = take_turns(turns)
    lines, points = [], {}
    for what, title in (("all", "identity_document"), ("one", "is_feature_enabled")):
        for things, sizes in (("features", GROWTH_FEATURES), ("segments", GROWTH_SEGMENTS)):
            small, large = runs[f"{things}{sizes[0]}", what], runs[f"{things}{sizes[-1]}", what]
            limit = sizes[-1] / sizes[0] if what == "all" else 1.25
            name = f"{title}, {sizes[-1]} {things}"
            lines.append(figure(name, "us", large, small, f"{sizes[0]} {things}", limit, at_most=True))
            points[f"{title} by {things}"] = [[n, statistics.median(runs[f"{things}{n}", what])] for n in sizes]
    return lines, points
