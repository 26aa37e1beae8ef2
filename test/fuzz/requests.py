"""Requests for the fuzzer: valid ones, and what random changes make of them."""

KEY = b"fuzz-key"

JSON = [
    b'{"identifier":"ann","traits":[{"trait_key":"plan","trait_value":"pro"},{"trait_key":"n","trait_value":1.5}]}',
    b'{"identifier":"\\u00e9\\ud83d\\ude00","transient":true,"traits":[{"trait_key":"a","trait_value":null}]}',
    b'{"identifier":"","traits":[]}',
    b'{"banner":3,"text":1}',
    b'{"evaluations":[{"feature_name":"banner","identity_identifier":"ann","count":2,"enabled_when_evaluated":true}]}',
    b'[{"identity":{"identifier":"ann"},"trait_key":"x","trait_value":true}]',
    b'{"identity":{"identifier":"ann"},"trait_key":"x","trait_value":"y"}',
    b'{"identifier":"ann","trait_key":"visits","increment_by":2}',
    b'{"context":{"targetingKey":"ann","plan":"pro"}}',
    b"[" * 3000,
    b'{"a":' * 500 + b"1" + b"}" * 500,
    b'{"identifier":"' + b"x" * 5000 + b'"}',
]

POSTS = [
    b"/api/v1/identities/",
    b"/api/v1/traits/",
    b"/api/v1/traits/bulk/",
    b"/api/v1/traits/increment-value/",
    b"/api/v1/analytics/flags/",
    b"/api/v2/analytics/flags/",
    b"/ofrep/v1/evaluate/flags",
    b"/ofrep/v1/evaluate/flags/banner",
]

GETS = [
    b"/api/v1/flags/",
    b"/api/v1/flags/?feature=banner",
    b"/api/v1/identities/?identifier=ann",
    b"/api/v1/identities/?identifier=%F0%9F%98%80%00%ff&transient=true",
    b"/api/v1/environment-document/",
    b"//api/v1/flags",
    b"http://host/api/v1/flags/?a=b&&=",
    b"/health",
    b"/metrics",
    b"/proxy/health/liveness",
    b"/sse/environments/fuzz-key/stream",
    b"/sse/environments//stream",
    b"*",
    b"/" + b"x" * 3000,
]

HEADERS = [
    b"Accept-Encoding: gzip;q=0.5, *;q=0",
    b"Accept-Encoding: gzip",
    b"Access-Control-Request-Headers: x-a, x-b",
    b"Authorization: Bearer fuzz-key",
    b"Connection: close",
    b"Connection: Upgrade, HTTP2-Settings",
    b"Content-Type: application/json",
    b"Content-Type: text/plain",
    b"Expect: 100-continue",
    b"If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT",
    b'If-None-Match: "x", W/"y"',
    b"Upgrade: h2c",
    b"User-Agent: \xff\xfe",
    b"X-API-Key: fuzz-key",
    b"X: " + b"y" * 9000,
]


def chunked(random, body):
    """The body in chunks, sometimes with an extension and a trailer."""
    parts = []
    while body:
        size = random.randint(1, max(1, len(body)))
        extension = random.choice([b"", b";a=b"])
        parts.append(b"%x%s\r\n%s\r\n" % (size, extension, body[:size]))
        body = body[size:]
    return b"".join(parts) + b"0\r\n" + random.choice([b"", b"X-Environment-Key: t\r\n"]) + b"\r\n"


def valid(random):
    """A request that a client could send."""
    is_post = random.random() < 0.5
    if is_post:
        method = random.choice([b"POST", b"POST", b"POST", b"PUT"])
        target = random.choice(POSTS)
    else:
        method = random.choice([b"GET", b"GET", b"GET", b"HEAD", b"OPTIONS", b"DELETE", b"CONNECT"])
        target = random.choice(GETS)
    version = random.choice([b"1.1", b"1.1", b"1.1", b"1.0"])
    lines = [b"%s %s HTTP/%s" % (method, target, version), b"Host: x"]
    if random.random() < 0.8:
        lines.append(b"X-Environment-Key: " + KEY)
    lines += random.sample(HEADERS, random.choice([0, 0, 1, 2, 4]))
    if not is_post:
        return b"\r\n".join(lines) + b"\r\n\r\n"
    body = random.choice(JSON)
    if random.random() < 0.3:
        body = mutated(random, body)
    if random.random() < 0.3:
        return b"\r\n".join(lines + [b"Transfer-Encoding: chunked"]) + b"\r\n\r\n" + chunked(random, body)
    return b"\r\n".join(lines + [b"Content-Length: %d" % len(body)]) + b"\r\n\r\n" + body


def mutated(random, data):
    """The same bytes with some of them changed, lost, added or repeated."""
    data = bytearray(data)
    for _ in range(random.choice([1, 1, 2, 5, 20])):
        at = random.randrange(len(data) + 1)
        kind = random.random()
        if kind < 0.4 and at < len(data):
            data[at] = random.choice([random.randrange(256), *b'\r\n :"\\{}[],\0'])
        elif kind < 0.6:
            del data[at : at + random.randint(1, 30)]
        elif kind < 0.8:
            data[at:at] = random.randbytes(random.randint(1, 40))
        else:
            data[at:at] = data[: random.randrange(min(len(data), 400) + 1)]
    return bytes(data)


def sequence(random):
    """Some requests in one go, valid ones or not; and how many there were."""
    count = random.choice([1, 1, 2, 4, 16])
    data = b"".join(valid(random) for _ in range(count))
    return (mutated(random, data) if random.random() < 0.6 else data), count
