---------------------------------------------------------------------------------------
-- Flags
---------------------------------------------------------------------------------------

CREATE TYPE flag AS (
	feature text,
	enabled boolean,
	value jsonb,
	variant text,
	reason text,
	feature_id bigint
);

COMMENT ON TYPE flag IS 'A flag as it was evaluated';

CREATE FUNCTION get_environment_flags(environment_key text)
RETURNS SETOF flag
AS 'MODULE_PATHNAME', 'flagsmith_get_environment_flags'
LANGUAGE C STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION get_environment_flags(text) IS
'The flags of an environment as they are by default, without any identity';

CREATE FUNCTION get_identity_flags(environment_key text, identifier text, traits jsonb DEFAULT NULL)
RETURNS SETOF flag
AS 'MODULE_PATHNAME', 'flagsmith_get_identity_flags'
LANGUAGE C STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION get_identity_flags(text, text, jsonb) IS
'The flags of an identity; the given traits overlay the stored ones for this call';

CREATE FUNCTION is_feature_enabled(environment_key text, feature text, identifier text DEFAULT NULL, traits jsonb DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME', 'flagsmith_is_feature_enabled'
LANGUAGE C STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION is_feature_enabled(text, text, text, jsonb) IS
'Whether a flag is enabled, by default or for an identity';

CREATE FUNCTION get_feature_value(environment_key text, feature text, identifier text DEFAULT NULL, traits jsonb DEFAULT NULL)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'flagsmith_get_feature_value'
LANGUAGE C STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION get_feature_value(text, text, text, jsonb) IS
'The value of a flag, by default or for an identity';

CREATE FUNCTION identity_document(environment_key text, identifier text, traits jsonb DEFAULT NULL)
RETURNS json
AS 'MODULE_PATHNAME', 'flagsmith_identity_document'
LANGUAGE C STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION identity_document(text, text, jsonb) IS
'An identity with its traits and flags, as Flagsmith''s API answers: {"identifier", "traits", "flags"}';

CREATE FUNCTION get_identity_segments(environment_key text, identifier text, traits jsonb DEFAULT NULL,
	OUT id bigint, OUT name text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'flagsmith_get_identity_segments'
LANGUAGE C STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION get_identity_segments(text, text, jsonb) IS
'The segments that an identity is in';

CREATE FUNCTION is_in_segment(environment_key text, segment text, identifier text, traits jsonb)
RETURNS boolean
AS 'MODULE_PATHNAME', 'flagsmith_is_in_segment'
LANGUAGE C STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION is_in_segment(text, text, text, jsonb) IS
'Whether an identity with just these traits is in a segment; reads no stored identity';
