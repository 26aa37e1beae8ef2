---------------------------------------------------------------------------------------
-- Roles
---------------------------------------------------------------------------------------

CREATE FUNCTION api_functions()
RETURNS SETOF regprocedure
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT p.oid FROM pg_proc p
	WHERE p.pronamespace = 'flagsmith'::regnamespace AND p.proname = ANY (
		'{evaluate,get_environment_flags,get_identity_flags,is_feature_enabled,get_feature_value,get_identity_segments,'
		'is_in_segment,identity_document,environment_document,set_traits,delete_identity,cache_stats,'
		'http_get,http_post,record_api_usage,environments_updated_at}')
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

COMMENT ON FUNCTION grant_api(name) IS 'Lets a role evaluate, set traits and answer HTTP requests, by functions alone: it can read no table';

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

---------------------------------------------------------------------------------------
-- Nothing of this is for everybody
---------------------------------------------------------------------------------------

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA flagsmith FROM PUBLIC;
