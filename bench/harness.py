"""How things are measured: sessions of psql, runs of pgbench, and taking turns."""

import os
import re
import statistics
import subprocess

FAST = bool(os.environ.get("FAST"))
ROUNDS = int(os.environ.get("ROUNDS", 3 if FAST else 7))
SECONDS = int(os.environ.get("SECONDS_EACH", 1 if FAST else 8))
DATABASE = "flagsmith"
MARK = "end-of-answer"


class Session:
    """One backend: a psql that is told statements and times each of them itself."""

    def __init__(self, *settings):
        command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", DATABASE]
        self.psql = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.milliseconds = 0.0
        self.query(r"\timing on")
        for setting in settings:
            self.query(f"SET {setting}")

    def query(self, sql):
        """The answer as lines; raises with psql's message if the statement fails."""
        end = "" if sql.startswith("\\") else ";"
        self.psql.stdin.write(f"{sql}{end}\n\\echo {MARK}\n")
        self.psql.stdin.flush()
        lines = []
        for line in self.psql.stdout:
            line = line.rstrip("\n")
            if line == MARK:
                return lines
            timing = re.fullmatch(r"Time: ([0-9.]+) ms.*", line)
            if timing:
                self.milliseconds = float(timing[1])
            else:
                lines.append(line)
        raise RuntimeError(f"{sql[:200]}\n" + "\n".join(lines))

    def value(self, sql):
        return self.query(sql)[0]

    def time(self, sql):
        """Milliseconds of one statement, from sending it to its whole answer."""
        self.query(sql)
        return self.milliseconds

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()
        self.psql.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


class Engine:
    """A program that evaluates all identities each time it is told to, and says how long it took."""

    def __init__(self, *command, **environment):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
        )
        answer = self.process.stdout.readline().split()
        if answer[:1] != ["ready"]:
            raise RuntimeError(f"{command[0]} did not start")
        self.checksum = " ".join(answer[1:])

    def seconds(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def pgbench_command(script, clients, protocol, variables, extra):
    command = ["pgbench", "-n", "-M", protocol, "-c", str(clients), "-j", str(min(clients, 2)), "-f", script]
    for name, value in variables.items():
        command += ["-D", f"{name}={value}"]
    return [*command, *extra, DATABASE]


def transactions(output):
    """Transactions a second of pgbench's answer, without the time that connecting took."""
    failed = re.search(r"number of failed transactions: (\d+)", output)
    tps = re.search(r"tps = ([0-9.]+)", output)
    if tps is None or (failed and failed[1] != "0"):
        raise RuntimeError(output)
    return float(tps[1])


def pgbench(script, clients=4, protocol="prepared", port=None, seconds=SECONDS, warm=0, extra=(), **variables):
    """Transactions a second; of a run of warm + seconds, only the last seconds count."""
    command = pgbench_command(script, clients, protocol, variables, ["-T", str(warm + seconds), *extra])
    if warm:
        command[1:1] = ["-P", "1"]
    if port:
        command[1:1] = ["-p", str(port)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{run.stderr[-2000:]}")
    total = transactions(run.stdout)
    if not warm:
        return total
    each = [float(tps) for tps in re.findall(r"^progress: [0-9.]+ s, ([0-9.]+) tps", run.stderr, re.M)]
    return statistics.median(each[warm:]) if each[warm:] else total


def take_turns(things, rounds=ROUNDS):
    """Calls each of the named functions once a round, A B C A B C ...; the first round only
    warms up.  Returns what they measured, round by round, by name."""
    measured = {name: [] for name in things}
    for turn in range(rounds + 1):
        for name, measure in things.items():
            figure = measure()
            if turn:
                measured[name].append(figure)
    return measured


def figure(name, unit, measured, baseline, baseline_name, reach=None, aim=None, at_most=False, speed=False):
    """One line of the table: the ratio of two medians, and the widest ratios within a round.

    at_most: less is better.  speed: of times, how many times as fast: baseline / measured."""
    a, b = statistics.median(measured), statistics.median(baseline)
    pairs = list(zip(baseline, measured)) if speed else list(zip(measured, baseline))
    ratio = b / a if speed else a / b
    rounds = [x / y for x, y in pairs]
    met = None if reach is None else (ratio <= reach if at_most else ratio >= reach)
    return {
        "name": name, "unit": unit, "measured": a, "baseline": b, "baseline_name": baseline_name,
        "ratio": ratio, "lowest": min(rounds), "highest": max(rounds), "reach": reach, "aim": aim,
        "at_most": at_most, "met": met, "rounds": {"measured": measured, "baseline": baseline},
    }  # fmt: skip


def skipped(name, why):
    print(f"SKIPPED: {name}: {why}", flush=True)
    return {"name": name, "skipped": why}


def absolute(name, unit, measured, limit):
    """One line of the table that is compared with nothing: all of what was measured is below a limit."""
    return {
        "name": name, "unit": unit, "measured": statistics.median(measured), "baseline": None, "baseline_name": "",
        "ratio": None, "lowest": min(measured), "highest": max(measured), "reach": None, "aim": None,
        "at_most": True, "limit": limit, "met": max(measured) < limit, "rounds": {"measured": measured},
    }  # fmt: skip
