---------------------------------------------------------------------------------------
-- Documents
---------------------------------------------------------------------------------------

CREATE FUNCTION check_environment_document(document jsonb)
RETURNS void
AS 'MODULE_PATHNAME', 'flagsmith_check_environment_document'
LANGUAGE C IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION check_environment_document(jsonb) IS
'Raises an error that names the path to whatever makes this no environment document';

CREATE FUNCTION document_rest(object jsonb, columns text[])
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(jsonb_object_agg(key, value), '{}')
	FROM jsonb_each(object)
	WHERE key <> ALL (columns) OR value = 'null'
$$;

COMMENT ON FUNCTION document_rest(jsonb, text[]) IS
'What of a document''s object goes to "extra": members without a column, and explicit nulls';

CREATE FUNCTION document_object(extra jsonb, columns jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT extra || coalesce((SELECT jsonb_object_agg(key, value) FROM jsonb_each(columns) WHERE value <> 'null'), '{}')
$$;

COMMENT ON FUNCTION document_object(jsonb, jsonb) IS
'The inverse: "extra" with the columns that are not NULL';

CREATE FUNCTION document_time(moment timestamptz)
RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
		|| CASE WHEN extract(microseconds FROM moment AT TIME ZONE 'UTC')::bigint % 1000000 = 0 THEN ''
			ELSE to_char(moment AT TIME ZONE 'UTC', '.US') END
		|| '+00:00'
$$;

COMMENT ON FUNCTION document_time(timestamptz) IS 'A point in time as documents write it';

CREATE FUNCTION import_project(document jsonb, project text)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	given jsonb := document -> 'project';
	found_id bigint;
BEGIN
	INSERT INTO flagsmith.project AS p (name, document_id, hide_disabled_flags, organisation, extra)
	VALUES (
		coalesce($2, given ->> 'name'),
		CASE WHEN $2 IS NULL THEN (given ->> 'id')::bigint END,
		(given ->> 'hide_disabled_flags')::boolean,
		nullif(given -> 'organisation', 'null'),
		flagsmith.document_rest(given - '{segments,server_key_only_feature_ids}'::text[],
			CASE WHEN $2 IS NULL THEN '{id,name,hide_disabled_flags,organisation}'
				ELSE '{hide_disabled_flags,organisation}' END::text[]))
	ON CONFLICT (name, document_id) DO UPDATE SET
		hide_disabled_flags = excluded.hide_disabled_flags,
		organisation = excluded.organisation,
		extra = excluded.extra
	RETURNING p.id INTO found_id;
	RETURN found_id;
END
$$;

COMMENT ON FUNCTION import_project(jsonb, text) IS 'The project part of import_environment';

CREATE FUNCTION import_features(document jsonb, project_id bigint)
RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
	-- of a feature that is said several times, the first counts
	WITH state AS (
		SELECT value, 1 AS part, ordinality AS place
		FROM jsonb_array_elements(document -> 'feature_states') WITH ORDINALITY
		UNION ALL
		SELECT s.value, 2, g.ordinality
		FROM jsonb_array_elements(document #> '{project,segments}') WITH ORDINALITY g,
			jsonb_array_elements(nullif(g.value -> 'feature_states', 'null')) s
		UNION ALL
		SELECT s.value, 3, i.ordinality
		FROM jsonb_array_elements(nullif(document -> 'identity_overrides', 'null')) WITH ORDINALITY i,
			jsonb_array_elements(nullif(i.value -> 'identity_features', 'null')) s
	), feature AS (
		SELECT DISTINCT ON (value #>> '{feature,name}') value -> 'feature' AS given
		FROM state
		ORDER BY value #>> '{feature,name}', part, place
	)
	INSERT INTO flagsmith.feature AS f (project_id, name, document_id, type, is_server_key_only, extra)
	SELECT $2, given ->> 'name', (given ->> 'id')::bigint, given ->> 'type',
		coalesce(nullif(document #> '{project,server_key_only_feature_ids}', 'null') @> (given -> 'id'), false),
		flagsmith.document_rest(given, '{id,name,type}')
	FROM feature
	ON CONFLICT (project_id, name) DO UPDATE SET
		document_id = excluded.document_id,
		type = excluded.type,
		-- the document lists ids: it says nothing of a feature without one
		is_server_key_only = CASE WHEN excluded.document_id IS NULL THEN f.is_server_key_only
			ELSE excluded.is_server_key_only END,
		extra = excluded.extra;

	INSERT INTO flagsmith.segment (project_id, name, rules, document_id, extra)
	SELECT $2, value ->> 'name', value -> 'rules', (value ->> 'id')::bigint,
		flagsmith.document_rest(value - 'feature_states', '{id,name,rules}')
	FROM jsonb_array_elements(document #> '{project,segments}')
	ON CONFLICT (project_id, document_id) DO UPDATE SET
		name = excluded.name,
		rules = excluded.rules,
		extra = excluded.extra;
$$;

COMMENT ON FUNCTION import_features(jsonb, bigint) IS
'The part of import_environment that environments of one project share: features and segments';

CREATE FUNCTION import_feature_state(given jsonb, environment_id bigint, project_id bigint, segment_id bigint, place bigint)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	feature bigint;
	state bigint;
	option bigint;
	share record;
BEGIN
	SELECT id INTO STRICT feature FROM flagsmith.feature f
	WHERE f.project_id = $3 AND f.name = given #>> '{feature,name}';

	INSERT INTO flagsmith.feature_state AS s (environment_id, feature_id, segment_id, enabled, value,
		priority, live_from, document_id, uuid, position, extra)
	VALUES ($2, feature, $4, (given ->> 'enabled')::boolean, coalesce(given -> 'feature_state_value', 'null'),
		(given #>> '{feature_segment,priority}')::integer,
		-- not now(): transactions that began before this one would see no state at all
		'-infinity', (given ->> 'django_id')::bigint,
		given ->> 'featurestate_uuid', $5,
		flagsmith.document_rest(given - '{feature,multivariate_feature_state_values,feature_state_value}'::text[],
			'{enabled,django_id,featurestate_uuid}'))
	RETURNING s.id INTO state;

	FOR share IN
		SELECT value, value -> 'multivariate_feature_option' AS option, ordinality
		FROM jsonb_array_elements(nullif(given -> 'multivariate_feature_state_values', 'null')) WITH ORDINALITY
	LOOP
		INSERT INTO flagsmith.multivariate_option AS o (feature_id, key, value, document_id, extra)
		VALUES (feature, share.option ->> 'key', share.option -> 'value', (share.option ->> 'id')::bigint,
			flagsmith.document_rest(share.option - 'value', '{id,key}'))
		ON CONFLICT (feature_id, document_id) DO UPDATE SET
			key = excluded.key, value = excluded.value, extra = excluded.extra
		RETURNING o.id INTO option;

		INSERT INTO flagsmith.multivariate_feature_state_value (feature_state_id, option_id,
			percentage_allocation, document_id, uuid, position, extra)
		VALUES (state, option, (share.value ->> 'percentage_allocation')::numeric,
			(share.value ->> 'id')::bigint, share.value ->> 'mv_fs_value_uuid', share.ordinality,
			flagsmith.document_rest(share.value - 'multivariate_feature_option',
				'{percentage_allocation,id,mv_fs_value_uuid}'));
	END LOOP;
END
$$;

COMMENT ON FUNCTION import_feature_state(jsonb, bigint, bigint, bigint, bigint) IS
'The part of import_environment that stores one feature state with the shares of its variants';

CREATE FUNCTION import_identity_overrides(document jsonb, environment_id bigint, project_id bigint)
RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM flagsmith.identity_override WHERE environment_id = $2;
	UPDATE flagsmith.identity SET document = NULL WHERE environment_id = $2 AND document IS NOT NULL;

	-- in two statements, which every kind of table knows
	INSERT INTO flagsmith.identity (environment_id, identifier)
	SELECT $2, value ->> 'identifier'
	FROM jsonb_array_elements(nullif($1 -> 'identity_overrides', 'null'))
	ON CONFLICT DO NOTHING;
	UPDATE flagsmith.identity i
	SET document = given.value - '{identifier,identity_features}'::text[]
	FROM jsonb_array_elements(nullif($1 -> 'identity_overrides', 'null')) given
	WHERE i.environment_id = $2 AND i.identifier = given.value ->> 'identifier';

	INSERT INTO flagsmith.identity_override (environment_id, identifier, feature_id, enabled, value,
		multivariate_feature_state_values, document_id, uuid, position, extra)
	SELECT $2, given.value ->> 'identifier', f.id, (state.value ->> 'enabled')::boolean,
		coalesce(state.value -> 'feature_state_value', 'null'),
		coalesce(nullif(state.value -> 'multivariate_feature_state_values', 'null'), '[]'),
		(state.value ->> 'django_id')::bigint, state.value ->> 'featurestate_uuid',
		row_number() OVER (ORDER BY given.ordinality, state.ordinality),
		flagsmith.document_rest(state.value - '{feature,multivariate_feature_state_values,feature_state_value}'::text[],
			'{enabled,django_id,featurestate_uuid}')
	FROM jsonb_array_elements(nullif($1 -> 'identity_overrides', 'null')) WITH ORDINALITY given,
		jsonb_array_elements(nullif(given.value -> 'identity_features', 'null')) WITH ORDINALITY state,
		flagsmith.feature f
	WHERE f.project_id = $3 AND f.name = state.value #>> '{feature,name}';
$$;

COMMENT ON FUNCTION import_identity_overrides(jsonb, bigint, bigint) IS
'The part of import_environment that stores identities'' overrides; traits stay as they are';

CREATE FUNCTION remove_unused(project_id bigint)
RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM flagsmith.segment g WHERE g.project_id = $1
		AND NOT EXISTS (SELECT FROM flagsmith.environment_segment e WHERE e.segment_id = g.id)
		AND NOT EXISTS (SELECT FROM flagsmith.feature_state s WHERE s.segment_id = g.id);
	DELETE FROM flagsmith.multivariate_option o USING flagsmith.feature f
	WHERE f.project_id = $1 AND o.feature_id = f.id
		AND NOT EXISTS (SELECT FROM flagsmith.multivariate_feature_state_value v WHERE v.option_id = o.id);
	DELETE FROM flagsmith.feature f WHERE f.project_id = $1
		AND NOT EXISTS (SELECT FROM flagsmith.feature_state s WHERE s.feature_id = f.id)
		AND NOT EXISTS (SELECT FROM flagsmith.identity_override o WHERE o.feature_id = f.id);
	DELETE FROM flagsmith.project p WHERE p.id = $1
		AND NOT EXISTS (SELECT FROM flagsmith.environment e WHERE e.project_id = p.id);
$$;

COMMENT ON FUNCTION remove_unused(bigint) IS
'Deletes what no environment of a project uses any more: segments, options, features, the project itself';

CREATE FUNCTION import_environment(document jsonb, project text DEFAULT NULL)
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

	SELECT flagsmith.stored_document(e.id) INTO old_document
	FROM flagsmith.environment e WHERE e.api_key = document ->> 'api_key';
	IF FOUND THEN
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
	ELSIF old_document::jsonb - 'updated_at' = flagsmith.stored_document(environment)::jsonb - 'updated_at' THEN
		DELETE FROM flagsmith.environment_change WHERE environment_id = environment;
		INSERT INTO flagsmith.environment_change SELECT old_change.* WHERE old_change.environment_id IS NOT NULL;
	END IF;
	RETURN document ->> 'api_key';
END
$$;

COMMENT ON FUNCTION import_environment(jsonb, text) IS
'Creates or replaces an environment from a Flagsmith environment document, all or nothing; returns its client-side key';

CREATE FUNCTION document_feature(f feature)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT flagsmith.document_object(f.extra,
		jsonb_build_object('id', f.document_id, 'name', f.name, 'type', f.type))
$$;

COMMENT ON FUNCTION document_feature(feature) IS 'A feature as documents have it';

CREATE FUNCTION document_feature_states(environment_id bigint, segment_id bigint)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(jsonb_agg(
		flagsmith.document_object(
			s.extra || CASE WHEN s.priority IS NULL THEN '{}' ELSE jsonb_build_object('feature_segment',
				coalesce(nullif(s.extra -> 'feature_segment', 'null'), '{}') || jsonb_build_object('priority', s.priority)) END,
			jsonb_build_object('enabled', s.enabled, 'django_id', s.document_id, 'featurestate_uuid', s.uuid))
		|| jsonb_build_object(
			'feature', flagsmith.document_feature(f),
			'feature_state_value', s.value,
			'multivariate_feature_state_values', coalesce((
				SELECT jsonb_agg(flagsmith.document_object(v.extra, jsonb_build_object(
						'percentage_allocation', v.percentage_allocation,
						'id', v.document_id, 'mv_fs_value_uuid', v.uuid))
					|| jsonb_build_object('multivariate_feature_option',
						flagsmith.document_object(o.extra, jsonb_build_object('id', o.document_id, 'key', o.key))
						|| jsonb_build_object('value', o.value)) ORDER BY v.position, v.id)
				FROM flagsmith.multivariate_feature_state_value v
				JOIN flagsmith.multivariate_option o ON o.id = v.option_id
				WHERE v.feature_state_id = s.id), '[]'))
		ORDER BY s.position, s.id), '[]')
	FROM flagsmith.live_feature_state s
	JOIN flagsmith.feature f ON f.id = s.feature_id
	WHERE s.environment_id = $1 AND s.segment_id IS NOT DISTINCT FROM $2
$$;

COMMENT ON FUNCTION document_feature_states(bigint, bigint) IS
'The live states of an environment as documents have them: the defaults, or the overrides of one segment';

CREATE FUNCTION document_identity_overrides(environment_id bigint)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(jsonb_agg(
		coalesce(i.document, '{}') || jsonb_build_object(
			'identifier', coalesce(i.identifier, o.identifier),
			'identity_features', coalesce(o.features, '[]'))
		ORDER BY o.position, i.identifier), '[]')
	FROM (SELECT * FROM flagsmith.identity WHERE environment_id = $1 AND document IS NOT NULL) i
	FULL JOIN (
		SELECT o.identifier, min(o.position) AS position, jsonb_agg(
			flagsmith.document_object(o.extra,
				jsonb_build_object('enabled', o.enabled, 'django_id', o.document_id, 'featurestate_uuid', o.uuid))
			|| jsonb_build_object(
				'feature', flagsmith.document_feature(f),
				'feature_state_value', o.value,
				'multivariate_feature_state_values', o.multivariate_feature_state_values)
			ORDER BY o.position, o.id) AS features
		FROM flagsmith.identity_override o
		JOIN flagsmith.feature f ON f.id = o.feature_id
		WHERE o.environment_id = $1
		GROUP BY o.identifier
	) o ON o.identifier = i.identifier
$$;

COMMENT ON FUNCTION document_identity_overrides(bigint) IS 'The identities'' overrides of an environment as documents have them';

CREATE FUNCTION stored_document(environment_id bigint)
RETURNS json
LANGUAGE sql STABLE STRICT PARALLEL SAFE
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
	WHERE e.id = $1
$$;

COMMENT ON FUNCTION stored_document(bigint) IS 'The document of an environment of these tables';

CREATE FUNCTION environment_document(environment_key text)
RETURNS json
AS 'MODULE_PATHNAME', 'flagsmith_environment_document'
LANGUAGE C STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION environment_document(text) IS
'The environment document, on which SDKs evaluate locally; importing it changes nothing';
