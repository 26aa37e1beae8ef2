---------------------------------------------------------------------------------------
-- From the tables to evaluation contexts
---------------------------------------------------------------------------------------

CREATE FUNCTION environment_id(environment_key text)
RETURNS bigint
AS 'MODULE_PATHNAME', 'flagsmith_environment_id'
LANGUAGE C STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION environment_id(text) IS
'The id of the environment whose client-side or server-side key this is; an error if there is none';

CREATE FUNCTION environment_context(environment_key text)
RETURNS json
AS 'MODULE_PATHNAME', 'flagsmith_environment_context'
LANGUAGE C STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION environment_context(text) IS
'The evaluation context of an environment, as evaluate() takes it, without an identity';

CREATE FUNCTION identity_override_contexts(environment_id bigint, identifier text)
RETURNS json
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_agg(json_build_object(
		'key', coalesce(o.document_id::text, o.uuid, o.id::text),
		'name', f.name,
		'enabled', o.enabled,
		'value', o.value,
		'variants', (
			SELECT json_agg(json_build_object(
				'key', v.value #> '{multivariate_feature_option,key}',
				'value', v.value #> '{multivariate_feature_option,value}',
				'weight', v.value -> 'percentage_allocation',
				'priority', v.place))
			FROM (
				SELECT v.value, row_number() OVER (ORDER BY
					CASE jsonb_typeof(v.value -> 'id') WHEN 'number' THEN (v.value ->> 'id')::numeric END,
					lower(v.value ->> 'mv_fs_value_uuid') COLLATE "C", v.ordinality) AS place
				FROM jsonb_array_elements(o.multivariate_feature_state_values) WITH ORDINALITY v
			) v),
		'metadata', json_build_object('id', coalesce(f.document_id, f.id)),
		'attributes', json_build_object(
			'id', coalesce(o.document_id, o.id),
			'feature_id', coalesce(f.document_id, f.id),
			'feature_type', f.type,
			'is_server_key_only', f.is_server_key_only)) ORDER BY o.position, o.id)
	FROM flagsmith.identity_override o
	JOIN flagsmith.feature f ON f.id = o.feature_id
	WHERE o.environment_id = $1 AND o.identifier = $2
$$;

COMMENT ON FUNCTION identity_override_contexts(bigint, text) IS
'The overrides of one identity as feature contexts, or NULL if it has none';
