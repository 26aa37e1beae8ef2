-- What an API role and an admin role can do, and nothing else.
SET client_min_messages = warning;
DROP ROLE IF EXISTS regress_flagsmith_api;
DROP ROLE IF EXISTS regress_flagsmith_admin;
RESET client_min_messages;
CREATE ROLE regress_flagsmith_api;
CREATE ROLE regress_flagsmith_admin;

BEGIN;
SELECT flagsmith.import_environment('{"api_key": "client", "name": "env", "project": {"id": 1, "name": "p", "segments": []},
	"feature_states": [{"feature": {"id": 1, "name": "banner"}, "enabled": true, "feature_state_value": "hi"}]}');
SELECT flagsmith.grant_api('regress_flagsmith_api');
SELECT flagsmith.grant_admin('regress_flagsmith_admin');

-- all that an API role can call
SELECT p.oid::regprocedure FROM pg_proc p
WHERE pronamespace = 'flagsmith'::regnamespace AND has_function_privilege('regress_flagsmith_api', p.oid, 'EXECUTE')
ORDER BY p.oid::regprocedure::text COLLATE "C";
-- and all that it can read or write: nothing
SELECT relname FROM pg_class
WHERE relnamespace = 'flagsmith'::regnamespace AND relkind IN ('r', 'v', 'S')
	AND (has_table_privilege('regress_flagsmith_api', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
		OR has_any_column_privilege('regress_flagsmith_api', oid, 'SELECT, INSERT, UPDATE, REFERENCES'));

SET ROLE regress_flagsmith_api;
SELECT flagsmith.is_feature_enabled('client', 'banner');
SELECT flagsmith.set_traits('client', 'ann', '{"plan": "pro"}');
SELECT feature, value FROM flagsmith.get_identity_flags('client', 'ann');
SAVEPOINT s;
SELECT * FROM flagsmith.identity;
ROLLBACK TO s;
SELECT flagsmith.create_server_key('client');
ROLLBACK TO s;
SELECT flagsmith.import_environment('{}');
ROLLBACK TO s;
SELECT flagsmith.grant_api('regress_flagsmith_admin');
ROLLBACK TO s;

RESET ROLE;
SET ROLE regress_flagsmith_admin;
UPDATE flagsmith.feature_state SET value = '"hello"';
INSERT INTO flagsmith.segment (project_id, name, rules) SELECT id, 'all', '[{"type": "ALL"}]' FROM flagsmith.project;
SELECT flagsmith.get_feature_value('client', 'banner');
SELECT flagsmith.create_server_key('client') LIKE 'ser.%' AS made;

-- and back
RESET ROLE;
SELECT flagsmith.revoke_api('regress_flagsmith_api');
SELECT flagsmith.revoke_admin('regress_flagsmith_admin');
SELECT r, count(*) FILTER (WHERE has_function_privilege(r, p.oid, 'EXECUTE')) AS functions,
	has_schema_privilege(r, 'flagsmith', 'USAGE') AS usage
FROM unnest('{regress_flagsmith_api,regress_flagsmith_admin}'::name[]) r, pg_proc p
WHERE pronamespace = 'flagsmith'::regnamespace GROUP BY r ORDER BY r;
SELECT flagsmith.grant_api('no such "role');
ROLLBACK;
DROP ROLE regress_flagsmith_api;
DROP ROLE regress_flagsmith_admin;
