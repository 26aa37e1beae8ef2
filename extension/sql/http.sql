---------------------------------------------------------------------------------------
-- HTTP
--
-- The Flagsmith SDK API and OFREP: an API tier in any language is a pipe to two functions.
---------------------------------------------------------------------------------------

CREATE FUNCTION http_get(target text, headers jsonb, OUT status integer, OUT headers jsonb, OUT body text)
RETURNS record
AS 'MODULE_PATHNAME', 'flagsmith_http_get'
LANGUAGE C STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION http_get(text, jsonb) IS
'Answers a GET of the Flagsmith SDK API: takes the path with its query and the headers by their names in lower case; writes nothing';

CREATE FUNCTION http_post(target text, headers jsonb, body text, OUT status integer, OUT headers jsonb, OUT body text)
RETURNS record
AS 'MODULE_PATHNAME', 'flagsmith_http_post'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION http_post(text, jsonb, text) IS
'Answers a POST of the Flagsmith SDK API (and the PUT of traits/bulk/) or OFREP, likewise; stores what it asks to store';

CREATE TABLE feature_evaluation (
	environment_id bigint NOT NULL,
	feature_id bigint NOT NULL,
	hour timestamptz NOT NULL,
	labels jsonb NOT NULL DEFAULT '{}',
	writer integer NOT NULL,
	count bigint NOT NULL,
	PRIMARY KEY (environment_id, feature_id, hour, labels, writer)
);

COMMENT ON TABLE feature_evaluation IS
'How often SDKs say that they have evaluated features. Each session that writes at the same time has rows of its own, so that none waits for another: sum them up';
COMMENT ON COLUMN feature_evaluation.hour IS 'The hour in which they said so';
COMMENT ON COLUMN feature_evaluation.labels IS 'What application and SDK say of themselves';
COMMENT ON COLUMN feature_evaluation.writer IS 'The slot of the session that has counted';

REVOKE ALL ON feature_evaluation FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('flagsmith.feature_evaluation', '');

CREATE FUNCTION feature_evaluations(environment_key text, unit text DEFAULT 'day',
	OUT feature text, OUT start timestamptz, OUT count bigint)
RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
	SELECT f.name, date_trunc($2, c.hour), sum(c.count)::bigint
	FROM flagsmith.feature_evaluation c JOIN flagsmith.feature f ON f.id = c.feature_id
	WHERE c.environment_id = flagsmith.environment_id($1)
	GROUP BY 1, 2
	ORDER BY 2, 1
$$;

COMMENT ON FUNCTION feature_evaluations(text, text) IS
'How often features of an environment were evaluated, added up by hour, day, week, ... in UTC';

CREATE TABLE api_usage (
	environment_id bigint NOT NULL,
	resource text NOT NULL,
	hour timestamptz NOT NULL,
	labels jsonb NOT NULL DEFAULT '{}',
	writer integer NOT NULL,
	count bigint NOT NULL,
	PRIMARY KEY (environment_id, resource, hour, labels, writer)
);

COMMENT ON TABLE api_usage IS
'How many requests API tiers say that they have answered. Each session that writes at the same time has rows of its own, so that none waits for another: sum them up';
COMMENT ON COLUMN api_usage.resource IS 'What was asked for: flags, identities, traits or environment-document';
COMMENT ON COLUMN api_usage.hour IS 'The hour in which they said so';
COMMENT ON COLUMN api_usage.labels IS 'What application and SDK say of themselves';
COMMENT ON COLUMN api_usage.writer IS 'The slot of the session that has counted';

REVOKE ALL ON api_usage FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('flagsmith.api_usage', '');

CREATE FUNCTION record_api_usage(usage jsonb)
RETURNS bigint
AS 'MODULE_PATHNAME', 'flagsmith_record_api_usage'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION record_api_usage(jsonb) IS
'Adds requests that an API tier has answered to the statistics: [{"resource": as X-Flagsmith-Resource of the answers said, "headers": as http_get had them, "host": which was asked, "count": how many}, ...]; returns how many were of known environments';

CREATE FUNCTION api_usage(environment_key text, unit text DEFAULT 'day',
	OUT resource text, OUT start timestamptz, OUT count bigint)
RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
	SELECT c.resource, date_trunc($2, c.hour), sum(c.count)::bigint
	FROM flagsmith.api_usage c
	WHERE c.environment_id = flagsmith.environment_id($1)
	GROUP BY 1, 2
	ORDER BY 2, 1
$$;

COMMENT ON FUNCTION api_usage(text, text) IS
'How many requests for an environment API tiers have answered, added up by hour, day, week, ... in UTC';
