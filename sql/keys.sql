--
-- Client-side and server-side keys
--

SELECT flagsmith.import_environment('{"api_key": "client", "name": "env", "project": {"id": 1, "name": "p", "segments": [], "server_key_only_feature_ids": [2]}, "feature_states": [
	{"feature": {"id": 1, "name": "open"}, "enabled": true, "feature_state_value": "o"}, {"feature": {"id": 2, "name": "secret"}, "enabled": true, "feature_state_value": "s"}]}');
SELECT flagsmith.import_environment('{"api_key": "client 2", "name": "env", "project": {"id": 1, "name": "p", "segments": [], "server_key_only_feature_ids": [2]}, "feature_states": []}');

-- made for an environment, named, by a client's or a server's key; none like another
SELECT flagsmith.create_server_key('client') AS key1 \gset
SELECT flagsmith.create_server_key('client', 'api', now() + interval '1 hour') AS key2 \gset
SELECT flagsmith.create_server_key(:'key1', NULL, NULL) AS key3 \gset
SELECT flagsmith.create_server_key('client 2') AS other \gset
SELECT k.name, k.key ~ '^ser\.[2-9A-HJ-NP-Za-km-z]{22}$' AS form, active, expires_at - created_at AS expires_after, e.api_key
FROM flagsmith.environment_key k JOIN flagsmith.environment e ON e.id = environment_id ORDER BY k.id;
SELECT count(DISTINCT key) AS keys, sum((key ~ '^ser\.[2-9A-HJ-NP-Za-km-z]{22}$')::int) AS well_formed,
	count(DISTINCT substr(key, 5, 1)) > 40 AND count(DISTINCT substr(key, 26, 1)) > 40 AS spread
FROM (SELECT flagsmith.random_server_key() AS key FROM generate_series(1, 1000)) k;

-- a server's key sees what is for servers, of its environment
SELECT feature FROM flagsmith.get_environment_flags('client');
SELECT feature FROM flagsmith.get_environment_flags(:'key1');
SELECT feature FROM flagsmith.get_identity_flags(:'key2', 'u');
SELECT flagsmith.is_feature_enabled(:'key3', 'secret');
SELECT count(*) FROM flagsmith.get_environment_flags(:'other');

-- all that is no valid key is refused in the same words: unknown, empty, NULL, of another
-- case, revoked, expired, expiring now, inactive
CREATE FUNCTION pg_temp.refusal(key text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	state text;
	message text;
	detail text;
	hint text;
BEGIN
	PERFORM flagsmith.get_environment_flags(key);
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', state, message, detail, hint);
END
$$;
SELECT flagsmith.revoke_server_key(:'key1') AS revoked;
UPDATE flagsmith.environment_key SET expires_at = now() - interval '1 second' WHERE key = :'key2';
UPDATE flagsmith.environment_key SET active = false WHERE key = :'key3';
SELECT flagsmith.create_server_key('client', 'late', now()) AS late \gset
SELECT DISTINCT pg_temp.refusal(key) FROM unnest(ARRAY['nobody''s', '', NULL, 'Client', 'client ', 'ser.', 'ser.client', 'ser.nobody', :'key1', :'key2', :'key3', :'late', upper(:'other'), repeat('x', 1000000)]) key;
SELECT pg_temp.refusal('client'), pg_temp.refusal(:'other');

-- to every function that takes one
SELECT proname, pronargs FROM pg_proc
WHERE pronamespace = 'flagsmith'::regnamespace AND 'environment_key' = proargnames[1] ORDER BY proname COLLATE "C";
\set SHOW_CONTEXT never
SELECT flagsmith.environment_id(:'key1');
SELECT flagsmith.environment_document(:'key1');
SELECT * FROM flagsmith.get_environment_flags(:'key1');
SELECT * FROM flagsmith.get_identity_flags(:'key1', 'u');
SELECT flagsmith.is_feature_enabled(:'key1', 'open');
SELECT flagsmith.get_feature_value(:'key1', 'open', 'u', '{}');
SELECT flagsmith.identity_document(:'key1', 'u');
SELECT * FROM flagsmith.get_identity_segments(:'key1', 'u');
SELECT flagsmith.is_in_segment(:'key1', 's', 'u', '{}');
SELECT flagsmith.set_traits(:'key1', 'u', '{}');
SELECT flagsmith.delete_identity(:'key1', 'u');
SELECT flagsmith.create_server_key(:'key1');

-- revoking: once, and only what there is
SELECT flagsmith.revoke_server_key(:'key1'), flagsmith.revoke_server_key('ser.nobody'), flagsmith.revoke_server_key('client'), flagsmith.revoke_server_key(NULL);
SELECT flagsmith.revoke_server_key(:'other'), flagsmith.revoke_server_key(:'other');
SELECT flagsmith.is_feature_enabled('client', 'open');

DELETE FROM flagsmith.project;
