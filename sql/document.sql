--
-- environment_document(): what was imported, equal in meaning
--

-- what differs between two documents, and where
CREATE FUNCTION pg_temp.difference(a jsonb, b jsonb, root text DEFAULT '$') RETURNS TABLE (path text, imported jsonb, served jsonb)
LANGUAGE plpgsql AS $$
BEGIN
	IF jsonb_typeof(a) = 'object' AND jsonb_typeof(b) = 'object' THEN
		RETURN QUERY SELECT d.* FROM jsonb_object_keys(a || b) key, pg_temp.difference(a -> key, b -> key, root || '.' || key) d;
	ELSIF jsonb_typeof(a) = 'array' AND jsonb_typeof(b) = 'array' THEN
		RETURN QUERY SELECT d.* FROM generate_series(0, greatest(jsonb_array_length(a), jsonb_array_length(b)) - 1) n,
			pg_temp.difference(a -> n, b -> n, root || '[' || n || ']') d;
	ELSIF a::text IS DISTINCT FROM b::text THEN -- as text: 1 and 1.0 are not the same
		RETURN QUERY SELECT root, a, b;
	END IF;
END
$$;
-- it does find what differs
SELECT * FROM pg_temp.difference('{"a": [1, {"b": null}], "c": 1, "d": 1}', '{"a": [1.0, {"b": null, "x": null}], "d": 1}') ORDER BY path COLLATE "C";

CREATE TEMP TABLE document (name text, json jsonb);

-- as Flagsmith serves it, with members that nobody knows and nulls wherever they may be
INSERT INTO document VALUES ('full', '{
	"id": 7, "api_key": "full", "name": "Production", "updated_at": "2026-11-23T15:37:34.046533+00:00",
	"hide_disabled_flags": null, "hide_sensitive_data": false, "allow_client_traits": true,
	"use_identity_composite_key_for_hashing": true, "use_identity_overrides_in_local_eval": false,
	"segment_config": null, "dynatrace_config": {"base_url": "x", "api_key": null}, "tags": [1, 1.0, "x", null],
	"project": {"id": 3, "name": "shop", "hide_disabled_flags": false, "enable_realtime_updates": false, "server_key_only_feature_ids": [4],
		"organisation": {"id": 1, "name": "Golden", "feature_analytics": false, "stop_serving_flags": false, "persist_trait_data": true, "plan": null},
		"segments": [
			{"id": 13, "name": "pros", "description": null, "metadata": {"z": 1, "a": 2}, "rules": [{"type": "ALL", "rules": [{"type": "ANY", "rules": [],
				"conditions": [{"operator": "EQUAL", "value": "pro", "property_": "plan", "description": "x"}, {"operator": "IS_SET", "value": null, "property_": "vip"}]}], "conditions": []}],
				"feature_states": [{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": true, "django_id": 745, "feature_segment": {"priority": 0},
					"featurestate_uuid": "391663e7-0277-4e28-bb14-9e22265b3478", "feature_state_value": 60, "multivariate_feature_state_values": []}]},
			{"id": 2, "name": "", "rules": [], "feature_states": []}]},
	"feature_states": [
		{"feature": {"id": 3, "name": "price", "type": "MULTIVARIATE", "owner": "x"}, "enabled": true, "django_id": 93, "feature_segment": null, "featurestate_uuid": "7abf40de-1735-4e1e-b8f4-233b7837e694",
			"feature_state_value": 10.50, "note": {"x": null}, "multivariate_feature_state_values": [
				{"id": 9, "percentage_allocation": 20.0, "mv_fs_value_uuid": "b", "multivariate_feature_option": {"id": 72, "value": 30.0, "key": "high", "note": null}, "x": 1},
				{"id": 8, "percentage_allocation": 12.25, "mv_fs_value_uuid": "a", "multivariate_feature_option": {"id": 71, "value": null}}]},
		{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": false, "django_id": 91, "feature_segment": null, "featurestate_uuid": null, "feature_state_value": null, "multivariate_feature_state_values": []},
		{"feature": {"id": 4, "name": "é \"quoted\"", "type": "STANDARD"}, "enabled": true, "django_id": 94, "feature_segment": {"priority": 3, "x": 1}, "featurestate_uuid": "c", "feature_state_value": {"b": [1.0], "a": ""}, "multivariate_feature_state_values": []}],
	"identity_overrides": [
		{"identifier": "zoe", "environment_api_key": "full", "created_date": "2026-11-23T15:23:38.790485+00:00", "identity_traits": [{"trait_key": "a", "trait_value": 1}], "identity_uuid": "d4423cd4-a646-4b1a-94d2-e44d37739acf",
			"django_id": 9, "dashboard_alias": null, "composite_key": "full_zoe", "identity_features": [
				{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": true, "django_id": 691, "feature_segment": null, "featurestate_uuid": "d", "feature_state_value": "off", "multivariate_feature_state_values": []},
				{"feature": {"id": 3, "name": "price", "type": "MULTIVARIATE", "owner": "x"}, "enabled": true, "django_id": null, "feature_segment": null, "featurestate_uuid": "e", "feature_state_value": 1, "multivariate_feature_state_values": [
					{"id": null, "percentage_allocation": 100, "mv_fs_value_uuid": "f", "multivariate_feature_option": {"id": 72, "value": 30.0, "key": "high", "note": null}}]}]},
		{"identifier": "ann", "identity_features": []}]}');

-- as the Edge keeps it: no ids of feature states, shares by uuid only
INSERT INTO document VALUES ('edge', '{
	"id": null, "api_key": "edge", "name": "Edge", "updated_at": "2026-01-02T03:04:05+00:00",
	"project": {"id": 8, "name": "edge", "segments": [], "server_key_only_feature_ids": []},
	"feature_states": [
		{"feature": {"id": 1, "name": "split", "type": "MULTIVARIATE"}, "enabled": true, "featurestate_uuid": "3a8ff8fb-4ac2-4c6c-9a3b-6a8b5c7d1d9e", "feature_state_value": "control", "multivariate_feature_state_values": [
			{"percentage_allocation": 40, "mv_fs_value_uuid": "F0000000-0000-0000-0000-000000000000", "multivariate_feature_option": {"value": "last"}},
			{"percentage_allocation": 40, "mv_fs_value_uuid": "a0000000-0000-0000-0000-000000000000", "multivariate_feature_option": {"value": "first"}}]},
		{"feature": {"name": "no id"}, "enabled": true, "django_id": null, "featurestate_uuid": "x", "feature_state_value": "y", "multivariate_feature_state_values": []}],
	"identity_overrides": []}');

SELECT flagsmith.import_environment(json) FROM document;
SELECT name, d.* FROM document, pg_temp.difference(json, flagsmith.environment_document(name)::jsonb) d;
-- again, from the export
SELECT flagsmith.import_environment(flagsmith.environment_document(name)::jsonb) FROM document;
SELECT name, d.* FROM document, pg_temp.difference(json, flagsmith.environment_document(name)::jsonb) d;

-- a server's key opens the same document
SELECT flagsmith.create_server_key('full') AS key \gset
SELECT flagsmith.environment_document(:'key')::text = flagsmith.environment_document('full')::text AS same;

-- without an id, shares lie by uuid (of any case), and the state is hashed with its own
SELECT identifier, value, reason FROM generate_series(1, 12) n, concat('u', n) identifier, flagsmith.get_identity_flags('edge', identifier) WHERE feature = 'split';

-- the members that an import always serves, and their types
SELECT key, json_typeof(value) FROM json_each(flagsmith.environment_document('edge')) ORDER BY key COLLATE "C";

-- drafts and states that are not live yet are not served; what is live is served as it is
-- (when the document has changed, its updated_at has, too)
CREATE TEMP TABLE state AS SELECT s.* FROM flagsmith.feature_state s JOIN flagsmith.environment e ON e.id = environment_id WHERE api_key = 'full' AND s.document_id = 91;
INSERT INTO flagsmith.feature_state (environment_id, feature_id, enabled, value, live_from, published, position)
SELECT environment_id, feature_id, true, '"tomorrow"', now() + interval '1 day', true, position FROM state;
INSERT INTO flagsmith.feature_state (environment_id, feature_id, enabled, value, live_from, published, position)
SELECT environment_id, feature_id, true, '"draft"', live_from, false, position FROM state;
SELECT d.* FROM document, pg_temp.difference(json, flagsmith.environment_document('full')::jsonb) d WHERE name = 'full' AND path <> '$.updated_at';
UPDATE flagsmith.feature_state SET live_from = now() - interval '1 second' WHERE value = '"tomorrow"';
UPDATE flagsmith.feature_state SET live_from = now() - interval '1 hour' WHERE document_id = 91;
SELECT d.* FROM document, pg_temp.difference(json, flagsmith.environment_document('full')::jsonb) d WHERE name = 'full' AND path <> '$.updated_at' ORDER BY path COLLATE "C";
-- an import takes the place of all states
SELECT flagsmith.import_environment(json) FROM document WHERE name = 'full';
SELECT d.* FROM document, pg_temp.difference(json, flagsmith.environment_document('full')::jsonb) d WHERE name = 'full' AND path <> '$.updated_at';

-- a change in the tables is served
UPDATE flagsmith.feature_state SET enabled = true, value = '"new"' WHERE document_id = 91;
UPDATE flagsmith.segment SET name = 'professionals' WHERE document_id = 13;
SELECT d.* FROM document, pg_temp.difference(json, flagsmith.environment_document('full')::jsonb) d WHERE name = 'full' AND path <> '$.updated_at' ORDER BY path COLLATE "C";

-- times
SELECT flagsmith.document_time('2026-01-02 03:04:05+01'), flagsmith.document_time('2026-01-02 03:04:05.000001Z'), flagsmith.document_time('1999-12-31 23:59:59.5-08');
CREATE FUNCTION pg_temp.served_time(given text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM flagsmith.import_environment(json || jsonb_build_object('updated_at', given)) FROM document WHERE name = 'edge';
	RETURN flagsmith.environment_document('edge') ->> 'updated_at';
END
$$;
SELECT given, pg_temp.served_time(given)
FROM unnest('{2026-01-02T03:04:05Z,2026-01-02T03:04:05.120000+00:00,2026-01-02T05:04:05+02:00,2026-01-02 03:04:05.9999996Z}'::text[]) given;

DELETE FROM flagsmith.project;
DELETE FROM flagsmith.identity;
