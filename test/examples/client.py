"""What the tests of the examples share: a client, what the database answers, and checks."""

import http.client
import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple
from urllib.parse import urlsplit

CLIENT_KEY, SERVER_KEY = os.environ["CLIENT_KEY"], os.environ["SERVER_KEY"]
SQL = {
    "GET": "SELECT row_to_json(a) FROM flagsmith.http_get(:'target', :'headers') a;",
    "POST": "SELECT row_to_json(a) FROM flagsmith.http_post(:'target', :'headers', :'body') a;",
}


class Request(NamedTuple):
    method: str
    target: str
    key: Optional[str] = CLIENT_KEY
    body: Any = None  # JSON, or bytes as they are
    headers: Dict[str, str] = {}

    def fields(self) -> Dict[str, str]:
        fields = dict(self.headers)
        if self.key is not None:
            fields["X-Environment-Key"] = self.key
        if self.body is not None:
            fields["Content-Type"] = "application/json"
        return fields

    def sent(self) -> Optional[bytes]:
        return self.body if self.body is None or isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Answer(NamedTuple):
    status: int
    headers: Dict[str, str]  # names in lower case
    body: str
    seconds: float = 0


def ask(url: str, request: Request) -> Answer:
    start = time.monotonic()
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request(request.method, request.target, request.sent(), request.fields())
        response = connection.getresponse()
        body = response.read().decode()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, body, time.monotonic() - start)
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, {}, type(error).__name__, time.monotonic() - start)
    finally:
        connection.close()


def psql(sql: str, **variables: str) -> str:
    arguments = [f"--set={name}={value}" for name, value in variables.items()]
    done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *arguments], input=sql, text=True, check=True, stdout=subprocess.PIPE)
    return done.stdout.strip()


def database(request: Request) -> Answer:
    """What the function in the database answers."""
    kind = "GET" if request.method in ("GET", "HEAD") else "POST"
    headers = json.dumps({name.lower(): value for name, value in request.fields().items()})
    answer = json.loads(psql(SQL[kind], target=request.target, headers=headers, body=(request.sent() or b"").decode()))
    return Answer(answer["status"], {k.lower(): v for k, v in answer["headers"].items()}, answer["body"] or "")


def together(url: str, requests: List[Request], threads: int = 16) -> List[Answer]:
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda request: ask(url, request), requests))


def check(name: str, condition: bool, detail: Any = "") -> None:
    print(f"ok: {name}" if condition else f"not ok: {name} {detail}", flush=True)


def check_error(name: str, answer: Answer, *statuses: int) -> None:
    """An error as clients expect it: JSON, and soon."""
    try:
        told = isinstance(json.loads(answer.body)["detail"], str)
    except (ValueError, KeyError, TypeError):
        told = False
    right = answer.status in statuses and told and answer.headers.get("content-type") == "application/json" and answer.seconds < 5
    check(name, right, answer)


def until(condition: Callable[[], Tuple[bool, Any]], seconds: float) -> Tuple[bool, Any]:
    """Asks again until it holds; whether it did, and what was seen last."""
    end = time.monotonic() + seconds
    while True:
        held, seen = condition()
        if held or time.monotonic() > end:
            return held, seen
        time.sleep(0.1)
