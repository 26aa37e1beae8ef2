---------------------------------------------------------------------------------------
-- Identities
---------------------------------------------------------------------------------------

CREATE FUNCTION set_traits(environment_key text, identifier text, traits jsonb)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'flagsmith_set_traits'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION set_traits(text, text, jsonb) IS
'Merges traits into the stored ones, where null removes; creates the identity if need be; returns all its traits';

CREATE FUNCTION delete_identity(environment_key text, identifier text)
RETURNS boolean
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	WITH environment AS (
		SELECT flagsmith.environment_id(environment_key) AS id
	), deleted_override AS (
		DELETE FROM flagsmith.identity_override o USING environment e
		WHERE o.environment_id = e.id AND o.identifier = $2
		RETURNING 1
	), deleted_identity AS (
		DELETE FROM flagsmith.identity i USING environment e
		WHERE i.environment_id = e.id AND i.identifier = $2
		RETURNING 1
	)
	SELECT EXISTS (SELECT FROM deleted_identity UNION ALL SELECT FROM deleted_override)
	FROM environment
$$;

COMMENT ON FUNCTION delete_identity(text, text) IS
'Deletes an identity, its traits and its overrides; false if there was none';
