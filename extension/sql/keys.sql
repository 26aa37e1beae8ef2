---------------------------------------------------------------------------------------
-- Keys
---------------------------------------------------------------------------------------

CREATE FUNCTION random_server_key()
RETURNS text
AS 'MODULE_PATHNAME', 'flagsmith_random_server_key'
LANGUAGE C VOLATILE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION random_server_key() IS 'A new server-side key, from a cryptographic source';

CREATE FUNCTION create_server_key(environment_key text, name text DEFAULT 'server', expires_at timestamptz DEFAULT NULL)
RETURNS text
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO flagsmith.environment_key (environment_id, key, name, expires_at)
	VALUES (flagsmith.environment_id($1), flagsmith.random_server_key(), coalesce($2, 'server'), $3)
	RETURNING key
$$;

COMMENT ON FUNCTION create_server_key(text, text, timestamptz) IS
'Makes a server-side key for an environment and returns it';

CREATE FUNCTION revoke_server_key(server_key text)
RETURNS boolean
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	WITH revoked AS (
		UPDATE flagsmith.environment_key SET active = false
		WHERE key = $1 AND active
		RETURNING 1
	)
	SELECT EXISTS (SELECT FROM revoked)
$$;

COMMENT ON FUNCTION revoke_server_key(text) IS
'Makes a server-side key invalid; false if it was none, or no longer';
