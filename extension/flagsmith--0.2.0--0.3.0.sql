/* flagsmith 0.2.0 to 0.3.0: HTTP in SQL, versions of environments */

-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION flagsmith UPDATE TO '0.3.0'" to load this file. \quit

---------------------------------------------------------------------------------------
-- Versions
--
-- When an environment's document last changed, whoever changed it and by which way. What
-- pg_dump's scripts restore, with check_function_bodies off, is no change. No foreign key:
-- it would keep a subscriber, who has this table for itself, from replaying TRUNCATE.
---------------------------------------------------------------------------------------

CREATE TABLE environment_change (
	environment_id bigint PRIMARY KEY,
	changed_at timestamptz NOT NULL,
	shares_second boolean NOT NULL DEFAULT false
);

COMMENT ON TABLE environment_change IS 'When environments last changed, if later than their updated_at says';
COMMENT ON COLUMN environment_change.changed_at IS 'When the last change was made';
COMMENT ON COLUMN environment_change.shares_second IS 'Whether the change before was made in the same second: then whole seconds do not tell the two apart';

REVOKE ALL ON environment_change FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('flagsmith.environment_change', '');

CREATE FUNCTION environment_version(environment_id bigint, OUT updated_at timestamptz, OUT shares_second boolean)
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT greatest(e.updated_at, c.changed_at, s.live_from),
		(c.shares_second AND c.changed_at >= greatest(e.updated_at, s.live_from))
		OR date_trunc('second', c.changed_at) = date_trunc('second', greatest(e.updated_at, s.live_from))
	FROM flagsmith.environment e
	LEFT JOIN flagsmith.environment_change c ON c.environment_id = e.id
	LEFT JOIN LATERAL (
		SELECT max(live_from) AS live_from FROM flagsmith.feature_state
		WHERE environment_id = e.id AND published AND live_from <= now()
	) s ON true
	WHERE e.id = $1
$$;

COMMENT ON FUNCTION environment_version(bigint) IS
'When the document of an environment last changed, scheduled changes that have come included, and whether it did so twice in that second';

CREATE FUNCTION record_change()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	of_id bigint := (to_jsonb(coalesce(NEW, OLD)) ->> TG_ARGV[1])::bigint;
	environments bigint[];
BEGIN
	IF TG_OP IN ('DELETE', 'TRUNCATE') AND TG_TABLE_NAME = 'environment' THEN
		DELETE FROM flagsmith.environment_change c
		WHERE NOT EXISTS (SELECT FROM flagsmith.environment e WHERE e.id = c.environment_id);
		DELETE FROM flagsmith.feature_evaluation c
		WHERE NOT EXISTS (SELECT FROM flagsmith.environment e WHERE e.id = c.environment_id);
		RETURN NULL;
	END IF;
	environments := CASE TG_ARGV[0]
		WHEN 'environment' THEN ARRAY[of_id]
		WHEN 'project' THEN ARRAY(SELECT e.id FROM flagsmith.environment e WHERE e.project_id = of_id)
		WHEN 'feature' THEN ARRAY(SELECT e.id FROM flagsmith.environment e
			JOIN flagsmith.feature f ON f.project_id = e.project_id WHERE f.id = of_id)
		WHEN 'feature_state' THEN ARRAY(SELECT s.environment_id FROM flagsmith.feature_state s WHERE s.id = of_id)
		ELSE ARRAY(SELECT e.id FROM flagsmith.environment e)
	END;
	-- once a transaction: others see all its changes at once
	INSERT INTO flagsmith.environment_change AS c (environment_id, changed_at)
	SELECT e.id, clock_timestamp() FROM flagsmith.environment e WHERE e.id = ANY (environments)
	ON CONFLICT (environment_id) DO UPDATE SET
		changed_at = excluded.changed_at,
		shares_second = date_trunc('second', c.changed_at) = date_trunc('second', excluded.changed_at)
	WHERE c.xmin <> pg_current_xact_id()::xid;
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION record_change() IS
'Notes that environments have changed: those that the row belongs to, by what the arguments say (environment, project, feature or feature_state, and the column of its id), or all';

DO $$
DECLARE
	-- table, whose change it is, the column of its id; definitions count when they are used
	kind text[];
	definitions constant text[] := '{project,feature,segment,multivariate_option}';
	not_restoring constant text := $condition$ pg_catalog.current_setting('check_function_bodies') OPERATOR(pg_catalog.=) 'on' $condition$;
BEGIN
	FOREACH kind SLICE 1 IN ARRAY ARRAY[
		['environment', 'environment', 'id'],
		['project', 'project', 'id'],
		['feature', 'project', 'project_id'],
		['segment', 'project', 'project_id'],
		['multivariate_option', 'feature', 'feature_id'],
		['environment_segment', 'environment', 'environment_id'],
		['feature_state', 'environment', 'environment_id'],
		['multivariate_feature_state_value', 'feature_state', 'feature_state_id'],
		['identity_override', 'environment', 'environment_id']]
	LOOP
		EXECUTE pg_catalog.format('CREATE TRIGGER record_change AFTER UPDATE ON flagsmith.%I FOR EACH ROW'
			' WHEN (OLD.* IS DISTINCT FROM NEW.* AND %s) EXECUTE FUNCTION flagsmith.record_change(%L, %L)',
			kind[1], not_restoring, kind[2], kind[3]);
		EXECUTE pg_catalog.format('CREATE TRIGGER record_truncate AFTER TRUNCATE ON flagsmith.%I FOR EACH STATEMENT'
			' WHEN (%s) EXECUTE FUNCTION flagsmith.record_change(%L)', kind[1], not_restoring, 'all');
		EXECUTE pg_catalog.format('ALTER TABLE flagsmith.%I ENABLE ALWAYS TRIGGER record_change', kind[1]);
		EXECUTE pg_catalog.format('ALTER TABLE flagsmith.%I ENABLE ALWAYS TRIGGER record_truncate', kind[1]);
		CONTINUE WHEN kind[1] = ANY (definitions);
		EXECUTE pg_catalog.format('CREATE TRIGGER record_rows AFTER %s ON flagsmith.%I FOR EACH ROW'
			' WHEN (%s) EXECUTE FUNCTION flagsmith.record_change(%L, %L)',
			CASE kind[1] WHEN 'environment' THEN 'DELETE' ELSE 'INSERT OR DELETE' END, kind[1], not_restoring, kind[2], kind[3]);
		EXECUTE pg_catalog.format('ALTER TABLE flagsmith.%I ENABLE ALWAYS TRIGGER record_rows', kind[1]);
	END LOOP;
END
$$;

CREATE FUNCTION environments_updated_at(environment_keys text[])
RETURNS TABLE (environment_key text, updated_at double precision)
LANGUAGE sql STABLE STRICT PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT e.api_key, extract(epoch FROM v.updated_at)::double precision
	FROM flagsmith.environment e, flagsmith.environment_version(e.id) v
	WHERE e.api_key = ANY (environment_keys)
$$;

COMMENT ON FUNCTION environments_updated_at(text[]) IS
'When the environments of client-side keys last changed, in seconds since 1970; keys that open none are left out';

CREATE OR REPLACE FUNCTION import_environment(document jsonb, project text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_column
DECLARE
	new_project_id bigint;
	old_project_id bigint;
	old_name text;
	environment bigint;
	updated timestamptz;
	old_document json;
	old_change flagsmith.environment_change;
BEGIN
	PERFORM flagsmith.check_environment_document(document);
	BEGIN
		updated := document ->> 'updated_at';
	EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format
		OR invalid_time_zone_displacement_value OR invalid_parameter_value THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'invalid environment document: expected a date and time as ISO 8601 has it',
			DETAIL = 'At $.updated_at.';
	END;
	-- one import at a time, so that two of one environment succeed in some order
	PERFORM pg_advisory_xact_lock(hashtextextended('flagsmith.import_environment', 0));

	IF EXISTS (SELECT FROM flagsmith.environment e WHERE e.api_key = document ->> 'api_key') THEN
		old_document := flagsmith.environment_document(document ->> 'api_key');
		SELECT c.* INTO old_change
		FROM flagsmith.environment_change c JOIN flagsmith.environment e ON e.id = c.environment_id
		WHERE e.api_key = document ->> 'api_key';
	END IF;

	-- an environment that was imported under a project's name stays there
	SELECT e.project_id, CASE WHEN p.document_id IS NULL THEN p.name END INTO old_project_id, old_name
	FROM flagsmith.environment e JOIN flagsmith.project p ON p.id = e.project_id
	WHERE e.api_key = document ->> 'api_key';
	new_project_id := flagsmith.import_project(document, coalesce($2, old_name));

	INSERT INTO flagsmith.environment AS e (project_id, api_key, name, document_id, updated_at,
		hide_disabled_flags, hide_sensitive_data, allow_client_traits,
		use_identity_composite_key_for_hashing, use_identity_overrides_in_local_eval, extra)
	VALUES (new_project_id, document ->> 'api_key', document ->> 'name', (document ->> 'id')::bigint,
		coalesce(updated, now()),
		(document ->> 'hide_disabled_flags')::boolean,
		(document ->> 'hide_sensitive_data')::boolean,
		(document ->> 'allow_client_traits')::boolean,
		(document ->> 'use_identity_composite_key_for_hashing')::boolean,
		(document ->> 'use_identity_overrides_in_local_eval')::boolean,
		flagsmith.document_rest(document - '{project,feature_states,identity_overrides}'::text[],
			'{id,api_key,name,updated_at,hide_disabled_flags,hide_sensitive_data,allow_client_traits,'
			'use_identity_composite_key_for_hashing,use_identity_overrides_in_local_eval}'))
	ON CONFLICT (api_key) DO UPDATE SET
		project_id = excluded.project_id,
		name = excluded.name,
		document_id = excluded.document_id,
		updated_at = excluded.updated_at,
		hide_disabled_flags = excluded.hide_disabled_flags,
		hide_sensitive_data = excluded.hide_sensitive_data,
		allow_client_traits = excluded.allow_client_traits,
		use_identity_composite_key_for_hashing = excluded.use_identity_composite_key_for_hashing,
		use_identity_overrides_in_local_eval = excluded.use_identity_overrides_in_local_eval,
		extra = excluded.extra
	RETURNING e.id INTO environment;

	PERFORM flagsmith.import_features(document, new_project_id);

	DELETE FROM flagsmith.environment_segment WHERE environment_id = environment;
	INSERT INTO flagsmith.environment_segment (environment_id, segment_id, position)
	SELECT environment, g.id, given.ordinality
	FROM jsonb_array_elements(document #> '{project,segments}') WITH ORDINALITY given
	JOIN flagsmith.segment g ON g.project_id = new_project_id AND g.document_id = (given.value ->> 'id')::bigint;

	-- a document knows nothing of scheduled changes and drafts: they stay
	DELETE FROM flagsmith.feature_state
	WHERE environment_id = environment AND published AND live_from <= now();
	PERFORM flagsmith.import_feature_state(value, environment, new_project_id, NULL, ordinality)
	FROM jsonb_array_elements(document -> 'feature_states') WITH ORDINALITY;
	PERFORM flagsmith.import_feature_state(s.value, environment, new_project_id, g.id, s.ordinality)
	FROM jsonb_array_elements(document #> '{project,segments}') WITH ORDINALITY given
	JOIN flagsmith.segment g ON g.project_id = new_project_id AND g.document_id = (given.value ->> 'id')::bigint,
		jsonb_array_elements(nullif(given.value -> 'feature_states', 'null')) WITH ORDINALITY s;

	PERFORM flagsmith.import_identity_overrides(document, environment, new_project_id);
	PERFORM flagsmith.remove_unused(new_project_id);
	IF old_project_id <> new_project_id THEN
		PERFORM flagsmith.remove_unused(old_project_id);
	END IF;

	-- the document's own time holds, unless clients know a later one of another content
	IF old_document IS NULL OR updated > (old_document ->> 'updated_at')::timestamptz THEN
		DELETE FROM flagsmith.environment_change WHERE environment_id = environment;
	ELSIF old_document::jsonb - 'updated_at' = flagsmith.environment_document(document ->> 'api_key')::jsonb - 'updated_at' THEN
		DELETE FROM flagsmith.environment_change WHERE environment_id = environment;
		INSERT INTO flagsmith.environment_change SELECT old_change.* WHERE old_change.environment_id IS NOT NULL;
	END IF;
	RETURN document ->> 'api_key';
END
$$;


CREATE OR REPLACE FUNCTION environment_document(environment_key text)
RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT (flagsmith.document_object(e.extra, jsonb_build_object(
			'id', e.document_id, 'api_key', e.api_key, 'name', e.name,
			'updated_at', flagsmith.document_time((flagsmith.environment_version(e.id)).updated_at),
			'hide_disabled_flags', e.hide_disabled_flags,
			'hide_sensitive_data', e.hide_sensitive_data,
			'allow_client_traits', e.allow_client_traits,
			'use_identity_composite_key_for_hashing', e.use_identity_composite_key_for_hashing,
			'use_identity_overrides_in_local_eval', e.use_identity_overrides_in_local_eval))
		|| jsonb_build_object(
			'project', jsonb_build_object('id', coalesce(p.document_id, p.id), 'name', p.name)
				|| flagsmith.document_object(p.extra, jsonb_build_object(
					'hide_disabled_flags', p.hide_disabled_flags, 'organisation', p.organisation))
				|| jsonb_build_object(
					'segments', coalesce((
						SELECT jsonb_agg(flagsmith.document_object(g.extra, jsonb_build_object(
								'id', coalesce(g.document_id, g.id), 'name', g.name, 'rules', g.rules,
								'feature_states', flagsmith.document_feature_states(e.id, g.id)))
							ORDER BY eg.position, g.id)
						FROM flagsmith.environment_segment eg JOIN flagsmith.segment g ON g.id = eg.segment_id
						WHERE eg.environment_id = e.id), '[]'),
					'server_key_only_feature_ids', coalesce((
						SELECT jsonb_agg(coalesce(f.document_id, f.id) ORDER BY coalesce(f.document_id, f.id))
						FROM flagsmith.feature f
						WHERE f.project_id = p.id AND f.is_server_key_only AND (
							EXISTS (SELECT FROM flagsmith.feature_state s
								WHERE s.environment_id = e.id AND s.feature_id = f.id)
							OR EXISTS (SELECT FROM flagsmith.identity_override o
								WHERE o.environment_id = e.id AND o.feature_id = f.id))), '[]')),
			'feature_states', flagsmith.document_feature_states(e.id, NULL),
			'identity_overrides', flagsmith.document_identity_overrides(e.id)))::json
	FROM flagsmith.environment e JOIN flagsmith.project p ON p.id = e.project_id
	WHERE e.id = flagsmith.environment_id(environment_key)
$$;


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

CREATE OR REPLACE FUNCTION api_functions()
RETURNS SETOF regprocedure
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT p.oid FROM pg_proc p
	WHERE p.pronamespace = 'flagsmith'::regnamespace AND p.proname = ANY (
		'{evaluate,get_environment_flags,get_identity_flags,is_feature_enabled,get_feature_value,get_identity_segments,'
		'is_in_segment,identity_document,environment_document,set_traits,delete_identity,cache_stats,'
		'http_get,http_post,environments_updated_at}')
$$;

COMMENT ON FUNCTION api_functions() IS 'What an API tier calls';

COMMENT ON FUNCTION grant_api(name) IS 'Lets a role evaluate, set traits and answer HTTP requests, by functions alone: it can read no table';

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA flagsmith FROM PUBLIC;
