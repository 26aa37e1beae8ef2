-- The two roles that come through pgbouncer: flagsmith_api and flagsmith_admin.
--
-- A superuser runs this once in each database with the extension, and again after ALTER
-- EXTENSION flagsmith UPDATE, which may bring new functions:
--
--     psql -X -d flagsmith -f pgbouncer/roles.sql
--     psql -d flagsmith -c '\password flagsmith_api' -c '\password flagsmith_admin'
--
-- Time limits belong to the role and not to a session: behind pgbouncer a SET of one client
-- would stay in the connection and meet the next.  They hold from a backend's start on;
-- after a change say RECONNECT on pgbouncer's console.

\set ON_ERROR_STOP on
BEGIN;

DO $$
DECLARE
	role name;
BEGIN
	FOREACH role IN ARRAY '{flagsmith_api, flagsmith_admin}'::name[] LOOP
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) role) THEN
			EXECUTE pg_catalog.format('CREATE ROLE %I', role);
		END IF;
	END LOOP;
END
$$;

ALTER ROLE flagsmith_api WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
COMMENT ON ROLE flagsmith_api IS 'API instances: calls the functions of the API, reads no table';
ALTER ROLE flagsmith_admin WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
COMMENT ON ROLE flagsmith_admin IS 'Imports environments and changes flags';

-- A call takes milliseconds; what has not ended in 3 s will not be waited for.  A lock has less,
-- so that the error says which of the two it was.
ALTER ROLE flagsmith_api SET statement_timeout = '3s';
ALTER ROLE flagsmith_api SET lock_timeout = '2s';

-- An import may take long, but shall not make all others wait behind it for a lock.
ALTER ROLE flagsmith_admin SET statement_timeout = '5min';
ALTER ROLE flagsmith_admin SET lock_timeout = '3s';

SELECT flagsmith.grant_api('flagsmith_api') \g /dev/null
SELECT flagsmith.grant_admin('flagsmith_admin') \g /dev/null

COMMIT;
