--
-- Identities: the document that an API answers, traits, and deleting
--

CREATE TEMP TABLE document (json jsonb);
INSERT INTO document VALUES ('{
	"api_key": "client", "name": "Production", "id": 7,
	"project": {"id": 3, "name": "shop", "server_key_only_feature_ids": [4], "segments": [
		{"id": 10, "name": "pros", "rules": [{"type": "ALL", "conditions": [{"property_": "plan", "operator": "EQUAL", "value": "pro"}]}],
			"feature_states": [
				{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": true, "feature_state_value": "hello pro", "django_id": 101, "feature_segment": {"priority": 1}}]}]},
	"feature_states": [
		{"feature": {"id": 3, "name": "price", "type": "MULTIVARIATE"}, "enabled": true, "feature_state_value": 10, "django_id": 93, "multivariate_feature_state_values": [
			{"id": 1, "percentage_allocation": 50, "multivariate_feature_option": {"id": 71, "value": 20, "key": "high"}}]},
		{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": false, "feature_state_value": "caf\u00e9 \"\ud83d\ude00\"", "django_id": 91},
		{"feature": {"id": 4, "name": "secret", "type": "STANDARD"}, "enabled": true, "feature_state_value": null, "django_id": 94}],
	"identity_overrides": [
		{"identifier": "ann", "identity_features": [
			{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": true, "feature_state_value": "bye", "django_id": 201}]}]}');
SELECT flagsmith.import_environment(json) FROM document;

-- the whole document: flags by segment, by identity, with variant, control, and as they are
\pset format unaligned
\pset tuples_only on
SELECT flagsmith.identity_document('client', 'u1');
SELECT flagsmith.identity_document('client', 'u2', '{"plan": "pro", "age": 42, "score": 7.0, "ratio": 1e2, "vip": true, "gone": null, "\"é\"": "\u0001 \"x\" \\ 😀", "list": ["a", 1.0, null, true], "object": {"a": {}}}');
SELECT flagsmith.identity_document('client', 'ann') -> 'flags' -> 1;
SELECT flagsmith.create_server_key('client') AS key \gset
SELECT flagsmith.identity_document(:'key', 'ann') -> 'flags' -> 2;

-- without sensitive data: no traits, no ids but the feature's
UPDATE flagsmith.environment SET hide_sensitive_data = true;
SELECT flagsmith.identity_document('client', 'u1', '{"plan": "pro"}');
UPDATE flagsmith.environment SET hide_sensitive_data = false;

-- stored traits and given ones
SELECT flagsmith.set_traits('client', 'bob', '{"plan": "pro", "age": 1}');
SELECT t ->> 'trait_key', t -> 'trait_value', json_typeof(t -> 'trait_value') FROM json_array_elements(flagsmith.identity_document('client', 'bob', '{"age": null, "new": 2.50}') -> 'traits') t ORDER BY t ->> 'trait_key' COLLATE "C";
\pset format aligned
\pset tuples_only off

-- the document says what get_identity_flags() says
SELECT identifier, traits, bool_and(f.feature = d.flag #>> '{feature,name}' AND f.enabled = (d.flag ->> 'enabled')::boolean AND f.value = (d.flag -> 'feature_state_value')::jsonb
	AND f.feature_id = (d.flag #>> '{feature,id}')::bigint AND coalesce(f.variant, '') = coalesce(d.flag ->> 'variant', '')) AS same, count(*)
FROM (VALUES ('u1', '{}'), ('u2', '{"plan": "pro"}'), ('ann', '{}'), ('ann', '{"plan": "pro"}'), ('bob', '{}')) asked (identifier, traits),
	flagsmith.get_identity_flags('client', identifier, traits::jsonb) WITH ORDINALITY f (feature, enabled, value, variant, reason, feature_id, place),
	json_array_elements(flagsmith.identity_document('client', identifier, traits::jsonb) -> 'flags') WITH ORDINALITY d (flag, place)
WHERE f.place = d.place
GROUP BY identifier, traits ORDER BY identifier, traits;

-- set_traits(): merges, null removes, a new identity comes to be
CREATE FUNCTION pg_temp.set(identifier text, traits jsonb) RETURNS TABLE (returned jsonb, stored jsonb, written boolean)
LANGUAGE plpgsql AS $$
DECLARE
	before tid := (SELECT ctid FROM flagsmith.identity i WHERE i.identifier = set.identifier);
BEGIN
	returned := flagsmith.set_traits('client', set.identifier, set.traits);
	SELECT i.traits, i.ctid IS DISTINCT FROM before INTO stored, written FROM flagsmith.identity i WHERE i.identifier = set.identifier;
	RETURN NEXT;
END
$$;
SELECT * FROM pg_temp.set('carl', '{"plan": "pro", "age": 7, "tags": ["a", {"b": null}], "none": null}');
SELECT * FROM pg_temp.set('carl', '{"age": 8, "city": "Köln"}');
SELECT * FROM pg_temp.set('carl', '{"plan": null, "nothing": null}');
SELECT * FROM pg_temp.set('carl', '{"tags": {"c": 1}}');
-- what changes nothing writes nothing
SELECT * FROM pg_temp.set('carl', '{}');
SELECT * FROM pg_temp.set('carl', '{"age": 8}');
SELECT * FROM pg_temp.set('carl', '{"nothing": null, "city": "Köln", "tags": {"c": 1}}');
-- 8 and 8.0 are not the same
SELECT * FROM pg_temp.set('carl', '{"age": 8.0}');
SELECT * FROM pg_temp.set('carl', '{"age": 8.0}');
SELECT * FROM pg_temp.set('carl', '{"age": "8"}');
SELECT * FROM pg_temp.set('carl', '{"age": null, "tags": null, "city": null}');
-- a new identity, though without any trait
SELECT * FROM pg_temp.set('dora', '{}');
SELECT * FROM pg_temp.set('eve', '{"a": null}');
-- identifiers are taken as they are
SELECT * FROM pg_temp.set(' Carl ', '{"a": 1}');
SELECT identifier, traits FROM flagsmith.identity ORDER BY identifier COLLATE "C";
-- names of any kind
SELECT * FROM pg_temp.set('odd', '{"": 1, "a.b": 2, "\"": 3, "😀": 4, "$.identity.key": 5}');
SELECT flagsmith.set_traits('client', 'long', jsonb_build_object('long', repeat('x', 1000000))) = jsonb_build_object('long', repeat('x', 1000000)) AS long;

-- a server's key does as well, and what one environment stores the other does not see
SELECT flagsmith.set_traits(:'key', 'carl', '{"by": "server"}');
SELECT flagsmith.import_environment(json || '{"api_key": "second"}') FROM document;
SELECT flagsmith.set_traits('second', 'carl', '{"by": "second"}');
SELECT flagsmith.set_traits('client', 'carl', '{}');

-- in one transaction, with one's own changes
BEGIN;
SELECT flagsmith.set_traits('client', 'fred', '{"plan": "pro"}');
SELECT flagsmith.get_feature_value('client', 'banner', 'fred');
SELECT flagsmith.set_traits('client', 'fred', '{"n": 1}');
ROLLBACK;
SELECT flagsmith.get_feature_value('client', 'banner', 'fred') #>> '{}' AS banner;

-- delete_identity(): with traits and overrides, in its environment only
SELECT flagsmith.get_feature_value('client', 'banner', 'ann');
SELECT flagsmith.delete_identity('client', 'ann');
SELECT flagsmith.get_feature_value('client', 'banner', 'ann') <> '"bye"' AS default;
SELECT flagsmith.delete_identity('client', 'ann');
SELECT flagsmith.get_feature_value('second', 'banner', 'ann');
SELECT flagsmith.delete_identity('client', 'carl'), flagsmith.delete_identity('client', 'Carl'), flagsmith.delete_identity(:'key', 'odd');
SELECT count(*) FROM flagsmith.identity WHERE identifier = 'carl';
-- one that has overrides only
DELETE FROM flagsmith.identity WHERE identifier = 'ann';
SELECT flagsmith.get_feature_value('second', 'banner', 'ann');
SELECT flagsmith.delete_identity('second', 'ann');
SELECT flagsmith.delete_identity('second', 'ann');

DELETE FROM flagsmith.project;
DELETE FROM flagsmith.identity;
