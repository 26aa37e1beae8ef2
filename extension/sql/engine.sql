/* flagsmith: feature flags, segments and identities, evaluated inside PostgreSQL */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION flagsmith" to load this file. \quit

COMMENT ON SCHEMA flagsmith IS 'Feature flags, segments and identities, evaluated next to the data';

---------------------------------------------------------------------------------------
-- The engine
---------------------------------------------------------------------------------------

CREATE FUNCTION evaluate(context json)
RETURNS json
AS 'MODULE_PATHNAME', 'flagsmith_evaluate'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION evaluate(json) IS
'Flagsmith''s engine: takes an evaluation context, returns the evaluation result (flags, segments)';

CREATE FUNCTION check_rules(rules jsonb)
RETURNS boolean
AS 'MODULE_PATHNAME', 'flagsmith_check_rules'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION check_rules(jsonb) IS
'True if these are rules that a segment can have, else an error that names the path to the fault';

CREATE FUNCTION check_shares(shares jsonb)
RETURNS boolean
AS 'MODULE_PATHNAME', 'flagsmith_check_shares'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION check_shares(jsonb) IS
'True if these are shares of variants as documents have them, else an error that names the path to the fault';
