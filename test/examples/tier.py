#!/usr/bin/env python3
"""Holds a tier against the functions in the database that it is a pipe to.

usage: tier.py answers|silent|away|back URL

answers: the database is there; silent: pgbouncer accepts and says nothing; away: the database
is stopped behind pgbouncer; back: one of these is over.
"""

import sys

from client import SERVER_KEY, Answer, Request, ask, check, check_error, database, psql, together, until

FLAGS = Request("GET", "/api/v1/flags/")
IDENTITY = {"identifier": "zoë-日本", "traits": [{"trait_key": "plan", "trait_value": "pro"}, {"trait_key": "größe", "trait_value": "\"'\\%s $1"}]}
POST = Request("POST", "/api/v1/identities/", body=IDENTITY)
DOCUMENT = Request("GET", "/api/v1/environment-document/", SERVER_KEY)
CONTEXT = {"context": {"targetingKey": "ofrep", "plan": "pro"}}

REQUESTS = [
    FLAGS,
    FLAGS._replace(headers={"If-None-Match": "\"other\""}),
    Request("GET", "/api/v1/flags/?feature=welcome_banner"),
    Request("GET", "//api/v1/flags/?feature=no%20such"),
    FLAGS._replace(key="no-such-key"),
    FLAGS._replace(key=None),
    FLAGS._replace(key="schl\u00fcssel"),
    Request("GET", "/api/v1/no-such-path/?x=%00&y=%ff"),
    Request("GET", "/api/v1/identities/?identifier=zo%C3%AB%26x%3D1&feature=checkout_button"),
    Request("GET", "/api/v1/identities/"),
    POST,
    POST._replace(key="no-such-key"),
    POST._replace(body={"identifier": "some", "traits": 1}),
    POST._replace(body=b"{"),
    Request("PUT", "/api/v1/traits/bulk/", SERVER_KEY, [{"identity": {"identifier": "bulk"}, "trait_key": "a", "trait_value": 1.5}]),
    Request("POST", "/api/v1/flags/", body={}),
    DOCUMENT,
    DOCUMENT._replace(key="leaf-and-kettle"),
    Request("POST", "/ofrep/v1/evaluate/flags", body=CONTEXT),
    Request("POST", "/ofrep/v1/evaluate/flags/welcome_banner", body=CONTEXT),
    Request("POST", "/ofrep/v1/evaluate/flags/no-such-flag", body=CONTEXT),
]


def same(name: str, wanted: Answer, got: Answer) -> None:
    """Status, body, and each header that the function gives; the server may add others, and of a 304
    leave out what is about the body that it lacks."""
    names = [name for name in wanted.headers if wanted.status != 304 or name != "content-type"]
    a, b = ((answer.status, answer.body, [answer.headers.get(name) for name in names]) for answer in (wanted, got))
    check(name, a == b, f"\n  {wanted}\n  {got}")


def answers(url: str) -> None:
    check("it starts", *until(lambda: ((seen := ask(url, FLAGS)).status == 200, seen), 10))
    for request in REQUESTS:
        got, wanted = ask(url, request), database(request)
        same(f"{request.method} {request.target}: {wanted.status} as in the database", wanted, got)
    check("a POST was stored", psql("SELECT traits->>'größe' FROM flagsmith.identity WHERE identifier = 'zoë-日本'") == IDENTITY["traits"][1]["trait_value"])
    check_unchanged(url)
    check_refused(url)
    check_many(url)


def check_unchanged(url: str) -> None:
    whole = ask(url, DOCUMENT)
    request = DOCUMENT._replace(headers={"If-None-Match": whole.headers.get("etag", "")})
    same("the document with its ETag: 304", database(request), ask(url, request))
    check("which has no body", (ask(url, request).status, ask(url, request).body) == (304, ""))
    head = ask(url, DOCUMENT._replace(method="HEAD"))
    check("HEAD is a GET without its body", (head.status, head.body, head.headers.get("etag")) == (200, "", whole.headers.get("etag")), head)


def check_refused(url: str) -> None:
    """What does not come as far as the function."""
    check_error("DELETE is refused", ask(url, FLAGS._replace(method="DELETE")), 405)
    check_error("a NUL in a body is refused", ask(url, POST._replace(body=b'{"identifier": "a\0"}')), 400)
    check_error("a body that is no UTF-8 is refused", ask(url, POST._replace(body=b'{"identifier": "a\xff"}')), 400)
    check_error("a body above the limit is refused", ask(url, POST._replace(body=b" " * (1 << 20) + b"{}")), 413)


def check_many(url: str) -> None:
    """More clients than connections, reading and writing in turns."""
    posts = [POST._replace(body={**IDENTITY, "identifier": f"many-{n}"}) for n in range(10)]
    wanted = [database(request) for request in [FLAGS, *posts]]
    got = together(url, [FLAGS, *posts] * 20, 32)
    wrong = [b for a, b in zip(wanted * 20, got) if (a.status, a.body) != (b.status, b.body)]
    check(f"{len(got)} requests of 32 clients are answered alike", not wrong, wrong[:3])


def silent(url: str) -> None:
    answers = together(url, [FLAGS, POST] * 8, 16)
    check_error("a database that says nothing: 503, not later than after 5 s", max(answers, key=lambda a: a.seconds), 503)
    check("to all who wait", {answer.status for answer in answers} == {503}, [answer.status for answer in answers])


def away(url: str) -> None:
    for request in (FLAGS, POST, DOCUMENT, FLAGS):
        check_error(f"{request.method} {request.target} without a database: 503", ask(url, request), 503)


def back(url: str) -> None:
    check("it is back", *until(lambda: ((seen := ask(url, FLAGS)).status == 200, seen), 5))
    for request in (FLAGS, POST):
        same(f"and answers {request.method} {request.target} as before", database(request), ask(url, request))


if __name__ == "__main__":
    {"answers": answers, "silent": silent, "away": away, "back": back}[sys.argv[1]](sys.argv[2])
