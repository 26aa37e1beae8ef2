"""The SDK API as an ASGI application: DATABASE_URL=... uvicorn --app-dir docs/examples tier:app"""

import asyncio, json, logging, os

from psycopg import DataError, Error
from psycopg_pool import AsyncConnectionPool

GET = "SELECT * FROM flagsmith.http_get(%(target)s, %(headers)s)"
POST = "SELECT * FROM flagsmith.http_post(%(target)s, %(headers)s, %(body)s)"
QUERIES = {"GET": GET, "HEAD": GET, "POST": POST, "PUT": POST}
BODY_LIMIT = 1 << 20
# No prepared statements: the next transaction may run on another of pgbouncer's connections.
pool = AsyncConnectionPool(os.environ["DATABASE_URL"], min_size=0, max_size=8, timeout=1, reconnect_timeout=1,
                           open=False, kwargs={"autocommit": True, "prepare_threshold": None})


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        for phase, action in (("startup", pool.open), ("shutdown", pool.close)):
            await receive()
            await action()
            await send({"type": f"lifespan.{phase}.complete"})
        return
    status, headers, body = await answer(scope, receive)
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": (body or "").encode()})


async def answer(scope, receive):
    query, body, more = QUERIES.get(scope["method"]), b"", True
    if not query:
        return error(405, "This method is not allowed.")
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
        if len(body) > BODY_LIMIT:
            return error(413, "The body is too large.")
    target = scope["raw_path"] + b"?" + scope["query_string"]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    try:
        arguments = {"target": target.decode("latin-1"), "headers": json.dumps(headers), "body": body.decode()}
        # Shielded: a query that is cancelled waits for the server, which may be what hangs.
        return await asyncio.wait_for(asyncio.shield(ask(query, arguments)), 4)
    except (UnicodeDecodeError, DataError):
        return error(400, "The request is no text.")
    except (Error, asyncio.TimeoutError) as failure:
        logging.error("database: %s", getattr(failure, "sqlstate", None) or type(failure).__name__)
        return error(503, "The database is away.")


async def ask(query, arguments):
    async with pool.connection() as connection:
        return await (await connection.execute(query, arguments)).fetchone()


def error(status, detail):
    return status, {"Content-Type": "application/json", "Cache-Control": "no-store"}, json.dumps({"detail": detail})
