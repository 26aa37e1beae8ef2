// The SDK API in Node: DATABASE_URL=... PORT=8000 node docs/examples/tier.mjs
import { createServer } from "node:http";
import pg from "pg";

const GET = "SELECT * FROM flagsmith.http_get($1, $2)";
const POST = "SELECT * FROM flagsmith.http_post($1, $2, $3)";
const BODY_LIMIT = 1 << 20;
// Queries without a name: the next transaction may run on another of pgbouncer's connections.
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 8, connectionTimeoutMillis: 1000, query_timeout: 3000 });
pool.on("error", () => {}); // an idle connection was lost; the pool has dropped it

async function answer(request) {
  const reads = ["GET", "HEAD"].includes(request.method);
  if (!reads && !["POST", "PUT"].includes(request.method)) return error(405, "This method is not allowed.");
  let size = 0;
  const chunks = [];
  for await (const chunk of request) if ((size += chunk.length) <= BODY_LIMIT) chunks.push(chunk);
  if (size > BODY_LIMIT) return error(413, "The body is too large.");
  const values = [request.url, JSON.stringify(request.headers)];
  try {
    if (!reads) values.push(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks)));
    return (await pool.query(reads ? GET : POST, values)).rows[0];
  } catch (failure) {
    if (failure instanceof TypeError || failure.code?.startsWith("22")) return error(400, "The request is no text.");
    console.error("database:", failure.code ?? failure.name);
    return error(503, "The database is away.");
  }
}

function error(status, detail) {
  return { status, headers: { "Content-Type": "application/json", "Cache-Control": "no-store" }, body: JSON.stringify({ detail }) };
}

createServer((request, response) => {
  answer(request)
    .then(({ status, headers, body }) => response.writeHead(status, headers).end(body))
    .catch(() => response.destroy()); // the client has gone
}).listen(process.env.PORT ?? 8000, "127.0.0.1");
