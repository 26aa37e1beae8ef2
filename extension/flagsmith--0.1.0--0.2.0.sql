/* flagsmith 0.1.0 to 0.2.0: caches that follow changes, roles */

-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION flagsmith UPDATE TO '0.2.0'" to load this file. \quit

CREATE TABLE cache_sentinel ();

COMMENT ON TABLE cache_sentinel IS 'Empty: its invalidation messages tell all sessions of changes';

REVOKE ALL ON cache_sentinel FROM PUBLIC;

CREATE FUNCTION invalidate()
RETURNS trigger
AS 'MODULE_PATHNAME', 'flagsmith_invalidate'
LANGUAGE C
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION invalidate() IS 'Tells all sessions, at the end of the transaction, that configuration has changed';

DO $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY '{project,environment,environment_key,feature,multivariate_option,segment,'
		'environment_segment,feature_state,multivariate_feature_state_value,identity_override}'::text[]
	LOOP
		EXECUTE pg_catalog.format('CREATE TRIGGER invalidate AFTER INSERT OR UPDATE OR DELETE'
			' ON flagsmith.%I FOR EACH ROW EXECUTE FUNCTION flagsmith.invalidate()', name);
		EXECUTE pg_catalog.format('CREATE TRIGGER invalidate_all AFTER TRUNCATE'
			' ON flagsmith.%I FOR EACH STATEMENT EXECUTE FUNCTION flagsmith.invalidate()', name);
		EXECUTE pg_catalog.format('ALTER TABLE flagsmith.%I ENABLE ALWAYS TRIGGER invalidate', name);
		EXECUTE pg_catalog.format('ALTER TABLE flagsmith.%I ENABLE ALWAYS TRIGGER invalidate_all', name);
	END LOOP;
END
$$;

CREATE FUNCTION cache_stats(OUT environments bigint, OUT bytes bigint, OUT hits bigint, OUT misses bigint,
	OUT builds bigint, OUT invalidations bigint, OUT build_time double precision)
RETURNS record
AS 'MODULE_PATHNAME', 'flagsmith_cache_stats'
LANGUAGE C VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION cache_stats() IS
'What the cache of this backend holds and has done; build_time in milliseconds';

CREATE FUNCTION environment_stamp(environment_id bigint)
RETURNS bigint
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- Of all row versions that the environment is made of. The seed tells tables apart, and by
	-- cmin the rows of tables that one transaction rewrites twice: same place, same xmin.
	SELECT bit_xor(hashtidextended(version.id, version.xid # (version.cid << 32) # (version.tab::bigint << 59)))
		# EXISTS (SELECT FROM flagsmith.identity_override o WHERE o.environment_id = $1)::int
	FROM (
		SELECT e.ctid, e.xmin::text::bigint, e.cmin::text::bigint, 1 FROM flagsmith.environment e WHERE e.id = $1
		UNION ALL
		SELECT p.ctid, p.xmin::text::bigint, p.cmin::text::bigint, 2
		FROM flagsmith.project p JOIN flagsmith.environment e ON e.project_id = p.id
		WHERE e.id = $1
		UNION ALL
		SELECT es.ctid, es.xmin::text::bigint, es.cmin::text::bigint, 3 FROM flagsmith.environment_segment es WHERE es.environment_id = $1
		UNION ALL
		SELECT g.ctid, g.xmin::text::bigint, g.cmin::text::bigint, 4
		FROM flagsmith.segment g JOIN flagsmith.environment_segment es ON es.segment_id = g.id
		WHERE es.environment_id = $1
		UNION ALL
		SELECT s.ctid, s.xmin::text::bigint, s.cmin::text::bigint, 5 FROM flagsmith.feature_state s WHERE s.environment_id = $1
		UNION ALL
		SELECT f.ctid, f.xmin::text::bigint, f.cmin::text::bigint, 6
		FROM flagsmith.feature f
		WHERE f.id IN (SELECT s.feature_id FROM flagsmith.feature_state s WHERE s.environment_id = $1)
		UNION ALL
		SELECT v.ctid, v.xmin::text::bigint, v.cmin::text::bigint, 7
		FROM flagsmith.multivariate_feature_state_value v
		JOIN flagsmith.feature_state s ON s.id = v.feature_state_id
		WHERE s.environment_id = $1
		UNION ALL
		SELECT o.ctid, o.xmin::text::bigint, o.cmin::text::bigint, 8
		FROM flagsmith.multivariate_option o
		WHERE o.id IN (
			SELECT v.option_id
			FROM flagsmith.multivariate_feature_state_value v
			JOIN flagsmith.feature_state s ON s.id = v.feature_state_id
			WHERE s.environment_id = $1)
	) version (id, xid, cid, tab)
$$;

COMMENT ON FUNCTION environment_stamp(bigint) IS
'A number that changes with every change of what an environment is made of';

DROP FUNCTION environment_context(bigint);

CREATE FUNCTION environment_context(environment_key text)
RETURNS json
AS 'MODULE_PATHNAME', 'flagsmith_environment_context'
LANGUAGE C STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION environment_context(text) IS
'The evaluation context of an environment, as evaluate() takes it, without an identity';

CREATE FUNCTION api_functions()
RETURNS SETOF regprocedure
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT p.oid FROM pg_proc p
	WHERE p.pronamespace = 'flagsmith'::regnamespace AND p.proname = ANY (
		'{evaluate,get_environment_flags,get_identity_flags,is_feature_enabled,get_feature_value,get_identity_segments,'
		'is_in_segment,identity_document,environment_document,set_traits,delete_identity,cache_stats}')
$$;

COMMENT ON FUNCTION api_functions() IS 'What an API tier calls';

CREATE FUNCTION grant_api(role name)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	function regprocedure;
BEGIN
	EXECUTE format('GRANT USAGE ON SCHEMA flagsmith TO %I', role);
	FOR function IN SELECT flagsmith.api_functions() LOOP
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', function, role);
	END LOOP;
END
$$;

COMMENT ON FUNCTION grant_api(name) IS 'Lets a role evaluate and set traits, by functions alone: it can read no table';

CREATE FUNCTION revoke_api(role name)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	function regprocedure;
BEGIN
	FOR function IN SELECT flagsmith.api_functions() LOOP
		EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM %I', function, role);
	END LOOP;
	EXECUTE format('REVOKE USAGE ON SCHEMA flagsmith FROM %I', role);
END
$$;

COMMENT ON FUNCTION revoke_api(name) IS 'Takes back what grant_api gave';

CREATE FUNCTION grant_admin(role name)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('GRANT USAGE ON SCHEMA flagsmith TO %I', role);
	EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA flagsmith TO %I', role);
	EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA flagsmith TO %I', role);
END
$$;

COMMENT ON FUNCTION grant_admin(name) IS 'Lets a role call all functions and change all tables, by import or by SQL';

CREATE FUNCTION revoke_admin(role name)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA flagsmith FROM %I', role);
	EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA flagsmith FROM %I', role);
	EXECUTE format('REVOKE USAGE ON SCHEMA flagsmith FROM %I', role);
END
$$;

COMMENT ON FUNCTION revoke_admin(name) IS 'Takes back what grant_admin gave';

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA flagsmith FROM PUBLIC;
