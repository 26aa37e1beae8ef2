"""What serves and asks over HTTP: API instances, nginx, wrk, and the cores that each may use."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import subprocess
import time

KEY = "bench"
HOST = pathlib.Path(os.environ.get("PGHOST", "."))
FOLDER = HOST.parent  # of the cluster: its data, pgbouncer's files
EVERY = set(range(os.cpu_count() or 1))
UNPRIVILEGED = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


def stop(process):
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def pin(pid, cores):
    """Threads and children that come later inherit it."""
    with contextlib.suppress(ProcessLookupError):
        os.sched_setaffinity(pid, cores)


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def pin_database(cores):
    """PostgreSQL with all its backends, and pgbouncer."""
    postmaster = int((FOLDER / "data/postmaster.pid").read_text().split()[0])
    for pid in [postmaster, *children(postmaster), int((FOLDER / "pgbouncer/pgbouncer.pid").read_text())]:
        pin(pid, cores)


def get(port, target, method="GET", body=None):
    """Status, headers and body of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, target, body, {"X-Environment-Key": KEY, "Content-Type": "application/json"})
    answer = connection.getresponse()
    result = answer.status, answer.getheaders(), answer.read()
    connection.close()
    return result


class Instance:
    """An API instance, behind pgbouncer unless port says otherwise; of reads + writes connections."""

    def __init__(self, name, database="flagsmith", replica=None, port=6432, reads=None, writes=None):
        self.log = FOLDER / f"api.{name}.log"
        server = f"host={HOST} port={port} user=postgres dbname="
        command = [os.environ["BENCH_API"], "--port", "0", "--database", server + database]
        command += ["--replica", server + replica] if replica else []
        command += ["--read-connections", str(reads)] if reads else []
        command += ["--write-connections", str(writes)] if writes else []
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log, **UNPRIVILEGED)

    def wait(self):
        """Until it answers from the database."""
        for _ in range(600):
            found = re.search(r'"event":"listening","port":(\d+)', self.log.read_text())
            if found:
                self.port = int(found[1])
                if get(self.port, "/health/readiness")[0] == 200:
                    return self
            time.sleep(0.05)
        raise RuntimeError(f"an API instance is not ready:\n{self.log.read_text()[-2000:]}")

    def memory(self):
        """Megabytes of its own, and its share of what it shares."""
        rollup = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Pss: +(\d+)", rollup, re.M)[1]) / 1024

    def stop(self):
        stop(self.process)


@contextlib.contextmanager
def instances(count, name, cores=None, **settings):
    """So many of them, all ready."""
    started = []
    try:
        for n in range(count):
            started.append(Instance(f"{name}{n}", **settings))
            if cores:
                pin(started[-1].process.pid, cores)
        yield [instance.wait() for instance in started]
    finally:
        for instance in started:
            instance.process.terminate()
        for instance in started:
            instance.stop()


NGINX = """daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    sendfile on; tcp_nopush on;
    open_file_cache max=16; open_file_cache_valid 1h;
    keepalive_requests 1000000000; keepalive_timeout 75;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location / {{ try_files /answer =404; root {folder}; types {{ }} default_type application/json; {headers} }}
    }}
}}
"""


@contextlib.contextmanager
def nginx(headers, body, cores):
    """One worker that answers everything with the same bytes, headers included."""
    folder = FOLDER / "nginx"
    folder.mkdir(exist_ok=True)
    port = free_port()
    own = {"connection", "content-length", "content-type", "date", "server", "keep-alive"}
    lines = " ".join(f'add_header {name} "{value}";' for name, value in headers if name.lower() not in own)
    (folder / "answer").write_bytes(body)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, headers=lines))
    if UNPRIVILEGED:
        subprocess.run(["chown", "-R", "nobody:", folder], check=True)
    command = ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command, **UNPRIVILEGED, preexec_fn=lambda: os.sched_setaffinity(0, cores))
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                if get(port, "/")[2] == body:
                    break
            time.sleep(0.05)
        else:
            raise RuntimeError(f"nginx does not answer the same: {(folder / 'error.log').read_text()[-2000:]}")
        yield port
    finally:
        stop(process)


def free_port():
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wrk(ports, requests, connections, seconds, cores=EVERY):
    """Requests a second, milliseconds within which 99 of 100 are answered, bytes an answer."""
    threads = len(ports)
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    command += ["-s", str(pathlib.Path(__file__).with_name("wrk.lua")), f"http://127.0.0.1:{ports[0]}/"]
    command += ["--", str(requests), str(threads), KEY]
    environment = {**os.environ, "PORTS": " ".join(map(str, ports))}
    run = subprocess.run(
        command, capture_output=True, text=True, env=environment, preexec_fn=lambda: os.sched_setaffinity(0, cores)
    )
    if run.returncode or "{" not in run.stdout:
        raise RuntimeError(f"{' '.join(command)}\n{run.stdout[-1000:]}{run.stderr[-1000:]}")
    answer = json.loads(run.stdout[run.stdout.rindex("{") :])
    if answer["failed"]:
        raise RuntimeError(f"{answer['failed']} of {answer['requests']} requests failed")
    return {
        "rate": answer["requests"] / answer["seconds"],
        "p99": answer["p99"],
        "bytes": answer["bytes"] / max(answer["requests"], 1),
    }
