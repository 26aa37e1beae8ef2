-- The cache within one session: own changes count at once, and are gone with a rollback.
BEGIN;
CREATE FUNCTION pg_temp.document(key text, value text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('api_key', key, 'name', key, 'project', '{"id": 1, "name": "p", "segments": []}'::jsonb,
		'feature_states', jsonb_build_array(jsonb_build_object('feature', '{"id": 1, "name": "f"}'::jsonb, 'enabled', true, 'feature_state_value', value)))
$$;
SELECT flagsmith.import_environment(pg_temp.document('a', 'one')), flagsmith.import_environment(pg_temp.document('b', 'other'));
COMMIT;
CREATE FUNCTION pg_temp.set(key text, new text) RETURNS void LANGUAGE sql AS $$
	UPDATE flagsmith.feature_state s SET value = to_jsonb(new)
	FROM flagsmith.environment e WHERE e.id = s.environment_id AND e.api_key = key
$$;

SELECT flagsmith.get_feature_value('a', 'f'), flagsmith.get_feature_value('b', 'f');
SELECT environments, builds, bytes > 0 AS holds_bytes, build_time > 0 AS took_time FROM flagsmith.cache_stats();
SELECT name, ident FROM pg_backend_memory_contexts WHERE name = 'flagsmith environment' ORDER BY ident;

-- one environment changes: the other is not built again
SELECT pg_temp.set('a', 'two');
SELECT flagsmith.get_feature_value('a', 'f'), flagsmith.get_feature_value('b', 'f');
SELECT environments, builds, invalidations FROM flagsmith.cache_stats();

-- traits and identities change nothing
SELECT flagsmith.set_traits('a', 'ann', '{"plan": "pro"}'), flagsmith.delete_identity('a', 'ann');
SELECT flagsmith.get_feature_value('a', 'f'), flagsmith.get_feature_value('b', 'f');
SELECT environments, builds, invalidations FROM flagsmith.cache_stats();

-- in a transaction, with a savepoint
BEGIN;
SELECT pg_temp.set('a', 'three');
SELECT flagsmith.get_feature_value('a', 'f');
SAVEPOINT s;
SELECT pg_temp.set('a', 'four');
SELECT flagsmith.get_feature_value('a', 'f');
ROLLBACK TO s;
SELECT flagsmith.get_feature_value('a', 'f');
ROLLBACK;
SELECT flagsmith.get_feature_value('a', 'f');

-- a cursor goes on with its snapshot, and later statements with theirs
BEGIN;
SELECT pg_temp.set('a', 'old');
DECLARE c CURSOR FOR SELECT flagsmith.get_feature_value('a', 'f') FROM generate_series(1, 3);
SELECT pg_temp.set('a', 'new');
FETCH c;
SELECT flagsmith.get_feature_value('a', 'f');
FETCH c;
SELECT flagsmith.get_feature_value('a', 'f');
ROLLBACK;

-- TRUNCATE
BEGIN;
CREATE TEMP TABLE kept AS SELECT * FROM flagsmith.feature_state;
TRUNCATE flagsmith.feature_state CASCADE;
SELECT count(*) FROM flagsmith.get_environment_flags('a');
INSERT INTO flagsmith.feature_state SELECT * FROM kept;
SELECT flagsmith.get_feature_value('a', 'f');
ROLLBACK;
SELECT flagsmith.get_feature_value('a', 'f');

-- rewritten twice in one transaction: the rows have the same places and the same xmin
BEGIN;
ALTER TABLE flagsmith.feature ALTER name TYPE text USING 'first';
SELECT feature FROM flagsmith.get_environment_flags('a');
ALTER TABLE flagsmith.feature ALTER name TYPE text USING 'second';
SELECT feature FROM flagsmith.get_environment_flags('a');
ROLLBACK;
BEGIN;
CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM flagsmith.feature_state;
TRUNCATE flagsmith.feature_state CASCADE;
INSERT INTO flagsmith.feature_state SELECT * FROM kept;
UPDATE kept SET value = '"rewritten"';
SELECT flagsmith.get_feature_value('a', 'f');
TRUNCATE flagsmith.feature_state CASCADE;
INSERT INTO flagsmith.feature_state SELECT * FROM kept;
SELECT flagsmith.get_feature_value('a', 'f');
COMMIT;
SELECT flagsmith.get_feature_value('a', 'f');
SELECT pg_temp.set('a', 'two'), pg_temp.set('b', 'other');

-- a key that is taken back; a new override
SELECT flagsmith.create_server_key('a') AS key \gset
SELECT flagsmith.get_feature_value(:'key', 'f');
SELECT flagsmith.revoke_server_key(:'key');
SELECT flagsmith.get_feature_value(:'key', 'f');
INSERT INTO flagsmith.identity_override (environment_id, identifier, feature_id, value)
SELECT e.id, 'ann', f.id, '"hers"' FROM flagsmith.environment e, flagsmith.feature f WHERE e.api_key = 'a' AND f.name = 'f';
SELECT flagsmith.get_feature_value('a', 'f', 'ann'), flagsmith.get_feature_value('a', 'f', 'bob');

-- a schedule comes due without a change
INSERT INTO flagsmith.feature_state (environment_id, feature_id, value, live_from)
SELECT environment_id, feature_id, '"scheduled"', clock_timestamp() + interval '1 second' FROM flagsmith.feature_state s
JOIN flagsmith.environment e ON e.id = s.environment_id WHERE e.api_key = 'a';
SELECT flagsmith.get_feature_value('a', 'f');
SELECT pg_sleep(1.2);
SELECT flagsmith.get_feature_value('a', 'f');

-- no room: the one in use stays
SET flagsmith.cache_size = 0;
SELECT pg_temp.set('a', 'five');
SELECT flagsmith.get_feature_value('b', 'f'), flagsmith.get_feature_value('a', 'f');
SELECT environments FROM flagsmith.cache_stats();
RESET flagsmith.cache_size;

DELETE FROM flagsmith.identity_override;
DELETE FROM flagsmith.project;
SELECT flagsmith.get_feature_value('a', 'f');
