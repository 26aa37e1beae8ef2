-- What pgbouncer's auth_query calls: the role pgbouncer_auth and pgbouncer.get_auth().
--
-- A superuser runs this once in each database that pgbouncer.ini names; again does no harm:
--
--     psql -X -d flagsmith -f pgbouncer/auth_query.sql
--     psql -d flagsmith -c '\password pgbouncer_auth'
--
-- Only superusers may read the table of passwords.  The function reads it with its owner's
-- rights and gives out one row of it, to one role.  The schema is its own: "flagsmith" belongs
-- to the extension, which may be dropped and created again.

\set ON_ERROR_STOP on
BEGIN;
SET LOCAL client_min_messages = warning; -- not what exists already, or not yet

DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) 'pgbouncer_auth') THEN
		CREATE ROLE pgbouncer_auth;
	END IF;
END
$$;
ALTER ROLE pgbouncer_auth WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
COMMENT ON ROLE pgbouncer_auth IS 'Looks up passwords for pgbouncer, by pgbouncer.get_auth()';

-- Whoever made them before, from here on they are the caller's.
CREATE SCHEMA IF NOT EXISTS pgbouncer;
ALTER SCHEMA pgbouncer OWNER TO CURRENT_USER;
REVOKE ALL ON SCHEMA pgbouncer FROM PUBLIC;
COMMENT ON SCHEMA pgbouncer IS 'What pgbouncer looks up';

DROP FUNCTION IF EXISTS pgbouncer.get_auth(text);
CREATE FUNCTION pgbouncer.get_auth(name text, OUT username text, OUT password text)
RETURNS SETOF record
LANGUAGE sql STABLE STRICT ROWS 1 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT rolname::text, rolpassword
	FROM pg_catalog.pg_authid
	WHERE rolname = get_auth.name::name AND rolcanlogin AND rolpassword IS NOT NULL
		-- pgbouncer is a way in from the network: not for those who may do everything
		AND NOT rolsuper AND NOT rolreplication AND NOT rolbypassrls
		AND (rolvaliduntil IS NULL OR rolvaliduntil > now())
$$;

REVOKE EXECUTE ON FUNCTION pgbouncer.get_auth(text) FROM PUBLIC;
GRANT USAGE ON SCHEMA pgbouncer TO pgbouncer_auth;
GRANT EXECUTE ON FUNCTION pgbouncer.get_auth(text) TO pgbouncer_auth;
COMMENT ON FUNCTION pgbouncer.get_auth(text) IS
	'Name and password hash of a role that may log in through pgbouncer; no row for superusers, expired passwords and unknown names';

COMMIT;
