"""What the drivers in Python share: an API instance that can go away and come back, and the database asked with psql."""

import json
import os
import re
import signal
import subprocess
import threading
import time

CLIENT_KEY, SERVER_KEY = os.environ["CLIENT_KEY"], os.environ["SERVER_KEY"]
TRAITS = {"plan": "pro", "orders": 73, "rating": 4.5, "newsletter": True}


class Instance:
    """An API instance of this driver's own, which can go away and come back at the same port."""

    def __init__(self) -> None:
        self.port = "0"
        self.process = None

    def start(self) -> None:
        """Starts it unless it is there."""
        if self.process is not None:
            return
        self.process = subprocess.Popen(
            [os.environ["API_PROGRAM"], "--port", self.port, "--database", os.environ["API_DATABASE"]],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for line in self.process.stderr:
            found = re.search(r'"event":"listening","port":(\d+)', line)
            if found:
                self.port = found[1]
                break
        threading.Thread(target=self.process.stderr.read, daemon=True).start()  # or its log fills the pipe
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
            self.process = None


def sql(query: str) -> str:
    return subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", query], check=True, capture_output=True, text=True).stdout.strip()


def stored(identifier: str) -> dict:
    return json.loads(sql(f"SELECT coalesce((SELECT traits FROM flagsmith.identity WHERE identifier = '{identifier}'), 'null')"))


def identities() -> str:
    return sql("SELECT count(*) FROM flagsmith.identity")


def counted() -> int:
    return int(sql("SELECT coalesce(sum(count), 0) FROM flagsmith.feature_evaluation e JOIN flagsmith.feature f ON f.id = e.feature_id WHERE name = 'photo_search'"))


def await_counts(before: int) -> None:
    """Waits for seven more counts than before, and that there are no more."""
    deadline = time.monotonic() + 25
    while counted() < before + 7 and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(1)
    assert counted() == before + 7, counted() - before
