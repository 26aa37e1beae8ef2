--
-- Flags and segments of stored environments
--

CREATE TEMP TABLE document (json jsonb);
INSERT INTO document VALUES ('{
	"api_key": "client", "name": "Production", "id": 7, "hide_disabled_flags": null, "hide_sensitive_data": false,
	"project": {"id": 3, "name": "shop", "hide_disabled_flags": false, "server_key_only_feature_ids": [4], "segments": [
		{"id": 10, "name": "pros", "rules": [{"type": "ALL", "rules": [{"type": "ANY", "rules": [], "conditions": [
				{"property_": "plan", "operator": "EQUAL", "value": "pro"}]}], "conditions": []}],
			"feature_states": [
				{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": true, "feature_state_value": "hello pro", "django_id": 101, "feature_segment": {"priority": 1}},
				{"feature": {"id": 4, "name": "secret", "type": "STANDARD"}, "enabled": true, "feature_state_value": "for pros", "django_id": 104, "feature_segment": {"priority": 0}}]},
		{"id": 11, "name": "adults", "rules": [{"type": "ALL", "conditions": [{"property_": "age", "operator": "GREATER_THAN_INCLUSIVE", "value": "18"}]}],
			"feature_states": [
				{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": true, "feature_state_value": "hello adult", "django_id": 111, "feature_segment": {"priority": 2}},
				{"feature": {"id": 2, "name": "beta", "type": "STANDARD"}, "enabled": true, "feature_state_value": 1.50, "django_id": 112, "feature_segment": {"priority": 0}}]},
		{"id": 12, "name": "half", "rules": [{"type": "ALL", "conditions": [{"property_": null, "operator": "PERCENTAGE_SPLIT", "value": "50"}]}]},
		{"id": 13, "name": "banner readers", "rules": [{"type": "ALL", "conditions": [{"property_": "$.flags.banner.value", "operator": "CONTAINS", "value": "pro"}]}]}]},
	"feature_states": [
		{"feature": {"id": 3, "name": "price", "type": "MULTIVARIATE"}, "enabled": true, "feature_state_value": 10, "django_id": 93, "multivariate_feature_state_values": [
			{"id": 2, "percentage_allocation": 20.0, "multivariate_feature_option": {"id": 72, "value": 30, "key": "high"}},
			{"id": 1, "percentage_allocation": 30.0, "multivariate_feature_option": {"id": 71, "value": 20}}]},
		{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": true, "feature_state_value": "hello", "django_id": 91},
		{"feature": {"id": 2, "name": "beta", "type": "STANDARD"}, "enabled": false, "feature_state_value": null, "django_id": 92},
		{"feature": {"id": 4, "name": "secret", "type": "STANDARD"}, "enabled": true, "feature_state_value": "internal", "django_id": 94}],
	"identity_overrides": [
		{"identifier": "ann", "identity_features": [
			{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": false, "feature_state_value": "bye", "django_id": 201}]},
		{"identifier": "bob", "identity_features": [
			{"feature": {"id": 3, "name": "price", "type": "MULTIVARIATE"}, "enabled": true, "feature_state_value": 10, "django_id": 202, "multivariate_feature_state_values": [
				{"id": 5, "percentage_allocation": 100, "multivariate_feature_option": {"id": 72, "value": 30, "key": "high"}}]}]}]
}');
SELECT flagsmith.import_environment(json) FROM document;
INSERT INTO flagsmith.environment_key (environment_id, key) SELECT id, 'ser.server' FROM flagsmith.environment;

-- the defaults; what is for servers only, only for a server's key
SELECT * FROM flagsmith.get_environment_flags('client');
SELECT feature, value FROM flagsmith.get_environment_flags('ser.server') WHERE feature = 'secret';

-- identities that are not stored: given traits, and where the buckets put the identifiers
SELECT * FROM flagsmith.get_identity_flags('client', 'u1');
SELECT * FROM flagsmith.get_identity_flags('client', 'u1', '{"plan": "pro", "age": 17}');
SELECT * FROM flagsmith.get_identity_flags('ser.server', 'u1', '{"plan": "free", "age": 18}');
SELECT * FROM flagsmith.get_identity_flags('ser.server', 'u1', '{"plan": "pro", "age": 18}') WHERE feature <> 'beta';
SELECT identifier, value, variant, reason
FROM generate_series(1, 8) n, concat('u', n) identifier, flagsmith.get_identity_flags('client', identifier)
WHERE feature = 'price';
-- the bucket by hand: md5, modulo 9999, over 9998; of the shares the first id's comes first
SELECT count(*) AS identities, count(*) FILTER (WHERE value = CASE
	WHEN bucket < 30 THEN '20' WHEN bucket < 50 THEN '30' ELSE '10' END::jsonb) AS right
FROM generate_series(1, 500) n, concat('user ', n) identifier,
	LATERAL (SELECT md5('93,client_' || identifier) AS md5) h,
	LATERAL (SELECT ((('x' || substr(md5, 1, 8))::bit(32)::bigint & 4294967295) % 9999 * 7291
		+ (('x' || substr(md5, 9, 8))::bit(32)::bigint & 4294967295) % 9999 * 1897
		+ (('x' || substr(md5, 17, 8))::bit(32)::bigint & 4294967295) % 9999 * 6835
		+ (('x' || substr(md5, 25, 8))::bit(32)::bigint & 4294967295)) % 9999 / 9998.0 * 100 AS bucket) b,
	flagsmith.get_identity_flags('client', identifier)
WHERE feature = 'price';

-- stored traits count; given ones lie over them, null takes one away
SELECT flagsmith.set_traits('client', 'carl', '{"plan": "pro", "age": 30}');
SELECT given, (SELECT value FROM flagsmith.get_identity_flags('client', 'carl', given::jsonb) WHERE feature = 'banner') AS banner,
	(SELECT enabled FROM flagsmith.get_identity_flags('client', 'carl', given::jsonb) WHERE feature = 'beta') AS beta
FROM (VALUES (NULL), ('{}'), ('{"plan": "free"}'), ('{"plan": null}'), ('{"age": 3}'), ('{"age": "17.9"}'), ('{"plan": null, "age": null}'), ('{"other": 1}')) overlay (given);
SELECT traits FROM flagsmith.identity WHERE identifier = 'carl';

-- an identity's own overrides come before any segment's, for the very identifier only
SELECT * FROM flagsmith.get_identity_flags('client', 'ann', '{"plan": "pro"}') WHERE feature = 'banner';
SELECT * FROM flagsmith.get_identity_flags('client', 'Ann', '{"plan": "pro"}') WHERE feature = 'banner';
SELECT * FROM flagsmith.get_identity_flags('client', 'bob') WHERE feature = 'price';

-- one flag alone says the same as all
SELECT count(*) AS compared,
	count(*) FILTER (WHERE f.enabled = flagsmith.is_feature_enabled('ser.server', f.feature, identifier, traits)
		AND f.value = flagsmith.get_feature_value('ser.server', f.feature, identifier, traits)) AS equal
FROM (VALUES ('u1'), ('u2'), ('u3'), ('ann'), ('bob'), ('carl')) identity (identifier),
	(VALUES (NULL::jsonb), ('{"plan": "pro"}'), ('{"age": 20, "plan": null}')) given (traits),
	flagsmith.get_identity_flags('ser.server', identifier, traits) f;
SELECT feature, flagsmith.is_feature_enabled('client', feature), flagsmith.get_feature_value('client', feature),
	flagsmith.is_feature_enabled('client', feature, 'ann'), flagsmith.get_feature_value('client', feature, 'bob'),
	flagsmith.get_feature_value('client', feature, 'u1', '{"plan": "pro"}')
FROM (VALUES ('banner'), ('beta'), ('price')) asked (feature);
SELECT flagsmith.get_feature_value('client', 'banner', identifier => 'u1', traits => '{"age": 99}');

-- segments, in the environment's order; one whose condition reads a flag
SELECT identifier, traits, array_agg(format('%s %s', id, name) ORDER BY place) AS segments
FROM (VALUES ('u1', '{}'), ('u2', '{}'), ('u1', '{"plan": "pro", "age": 18}'), ('carl', NULL), ('carl', '{"plan": null}'), ('ann', '{"plan": "pro"}')) asked (identifier, traits),
	flagsmith.get_identity_segments('client', identifier, traits::jsonb) WITH ORDINALITY g (id, name, place)
GROUP BY identifier, traits ORDER BY identifier, traits COLLATE "C";

-- is_in_segment: of rows of one's own; reads no identity; missing traits are none
CREATE TABLE customer (identifier text, traits jsonb);
INSERT INTO customer VALUES ('carl', '{"plan": "pro"}'), ('carl', '{}'), ('ann', '{"plan": "pro", "age": 17}'), ('dora', '{"age": 18.0}'), ('eve', NULL), (NULL, '{"age": "20"}'), (NULL, NULL);
SELECT identifier, traits, flagsmith.is_in_segment('client', 'pros', identifier, traits) AS pros,
	flagsmith.is_in_segment('client', 'adults', identifier, traits) AS adults,
	flagsmith.is_in_segment('client', 'half', identifier, traits) AS half,
	flagsmith.is_in_segment('client', 'banner readers', identifier, traits) AS banner_readers
FROM customer;
SELECT count(*) FROM customer WHERE flagsmith.is_in_segment('client', 'adults', identifier, traits);

-- in parallel workers
INSERT INTO customer SELECT 'n' || n, format('{"age": %s}', n % 36)::jsonb FROM generate_series(1, 3600) n;
ANALYZE customer;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT count(*) FROM customer WHERE flagsmith.is_in_segment('client', 'adults', identifier, traits);
SELECT count(*) FROM customer WHERE flagsmith.is_in_segment('client', 'adults', identifier, traits);
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

-- flags in a policy for rows
DELETE FROM customer WHERE identifier IS NULL OR identifier ~ '^n';
ALTER TABLE customer ENABLE ROW LEVEL SECURITY;
CREATE ROLE regress_flagsmith_reader;
GRANT USAGE ON SCHEMA flagsmith TO regress_flagsmith_reader;
GRANT EXECUTE ON FUNCTION flagsmith.is_feature_enabled(text, text, text, jsonb) TO regress_flagsmith_reader;
GRANT SELECT ON customer TO regress_flagsmith_reader;
CREATE POLICY beta ON customer USING (flagsmith.is_feature_enabled('client', 'beta', identifier, traits));
SET ROLE regress_flagsmith_reader;
SELECT * FROM customer;
RESET ROLE;
DROP TABLE customer;
REVOKE USAGE ON SCHEMA flagsmith FROM regress_flagsmith_reader;
REVOKE EXECUTE ON FUNCTION flagsmith.is_feature_enabled(text, text, text, jsonb) FROM regress_flagsmith_reader;
DROP ROLE regress_flagsmith_reader;

-- nothing is read or written outside of what a read-only transaction may do
BEGIN READ ONLY;
SELECT count(*) FROM flagsmith.get_identity_flags('client', 'nobody');
SELECT flagsmith.identity_document('client', 'nobody') ->> 'identifier' AS identifier;
COMMIT;
SELECT identifier FROM flagsmith.identity ORDER BY identifier;

-- hide_disabled_flags: of the environment, else of the project
CREATE FUNCTION pg_temp.hide(environment boolean, project boolean) RETURNS TABLE (defaults text[], of_ann text[], beta boolean, value jsonb, document text)
LANGUAGE plpgsql AS $$
BEGIN
	UPDATE flagsmith.environment SET hide_disabled_flags = hide.environment;
	UPDATE flagsmith.project SET hide_disabled_flags = hide.project;
	RETURN QUERY SELECT
		(SELECT array_agg(feature) FROM flagsmith.get_environment_flags('client')),
		(SELECT array_agg(feature) FROM flagsmith.get_identity_flags('client', 'ann')),
		flagsmith.is_feature_enabled('client', 'beta'),
		flagsmith.get_feature_value('client', 'banner', 'ann'),
		(SELECT string_agg(f #>> '{feature,name}', ' ') FROM json_array_elements(flagsmith.identity_document('client', 'ann') -> 'flags') f);
END
$$;
SELECT environment, project, hidden.*
FROM (VALUES (NULL::boolean, false), (NULL, NULL), (NULL, true), (true, false), (false, true)) given (environment, project), pg_temp.hide(environment, project) hidden;

-- a segment's override can bring a hidden flag to light
UPDATE flagsmith.environment SET hide_disabled_flags = true;
SELECT feature, value FROM flagsmith.get_identity_flags('client', 'u1', '{"age": 20}') WHERE feature = 'beta';
UPDATE flagsmith.environment SET hide_disabled_flags = false;

-- a change counts for the next statement, and for the rest of the transaction
BEGIN;
UPDATE flagsmith.feature_state SET value = '"changed"' WHERE document_id = 91;
SELECT flagsmith.get_feature_value('client', 'banner');
ROLLBACK;
SELECT flagsmith.get_feature_value('client', 'banner');

-- states: drafts and what lies in the future do not count, of the others the latest
UPDATE flagsmith.feature_state SET live_from = now() - interval '1 day' WHERE document_id = 91;
INSERT INTO flagsmith.feature_state (environment_id, feature_id, enabled, value, live_from, published)
SELECT e.id, f.id, true, state.value::jsonb, now() + state.after, state.published
FROM flagsmith.environment e, flagsmith.feature f,
	(VALUES ('"older"', interval '-2 days', true), ('"draft"', interval '-1 minute', false), ('"tomorrow"', interval '1 day', true)) state (value, after, published)
WHERE f.name = 'banner';
SELECT flagsmith.get_feature_value('client', 'banner');
UPDATE flagsmith.feature_state SET live_from = now() WHERE value = '"tomorrow"';
SELECT flagsmith.get_feature_value('client', 'banner');

DELETE FROM flagsmith.project;
DELETE FROM flagsmith.identity;
