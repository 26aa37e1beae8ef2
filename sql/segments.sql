--
-- Segments: is_in_segment(), which reads the traits that it is asked for, says what the whole
-- evaluation says, which has read them all
--

CREATE TEMP TABLE condition (n serial, property text, operator text, value text);
INSERT INTO condition (property, operator, value)
SELECT property, operator, value
FROM unnest(ARRAY['plan', 'age', 'score', 'vip', 'list', 'object', 'gone', '007', '', 'é', '$.identity.traits.plan', '$.identity.traits.age',
	'$.identity.traits.object', '$.identity.identifier', '$.identity.key', '$.identity.traits["list"][0]', '$.identity.traits.*', '$..plan',
	'$.environment.name', '$.flags.banner.enabled']) property,
	(VALUES ('EQUAL', 'pro'), ('EQUAL', '7'), ('NOT_EQUAL', '7'), ('GREATER_THAN', '6.5'), ('LESS_THAN', '12345678901234567890'), ('CONTAINS', 'o'), ('IN', 'pro,7,client_7,true'), ('REGEX', '^[0-9]+$'), ('MODULO', '2|1'), ('PERCENTAGE_SPLIT', '50'), ('IS_SET', ''), ('IS_NOT_SET', '')) o (operator, value);
INSERT INTO condition (property, operator, value) VALUES (NULL, 'PERCENTAGE_SPLIT', '60');

SELECT flagsmith.import_environment(jsonb_build_object('api_key', 'client', 'name', 'Production', 'id', 7,
	'feature_states', '[{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": true, "feature_state_value": "hello", "django_id": 91}]'::jsonb,
	'project', jsonb_build_object('id', 3, 'name', 'shop', 'segments', (
		SELECT jsonb_agg(jsonb_build_object('id', n, 'name', 's' || n, 'rules', jsonb_build_array(jsonb_build_object('type', 'ALL', 'conditions',
			jsonb_build_array(jsonb_build_object('property_', property, 'operator', operator, 'value', value)))))) FROM condition))));

CREATE TEMP TABLE identity (identifier text, traits jsonb);
INSERT INTO identity
SELECT identifier, traits::jsonb
FROM unnest('{7,007,1.50,ann,-1,12345678901234567890}'::text[]) identifier, unnest(ARRAY[
	'{}', '{"plan": "pro"}', '{"plan": "free", "age": 7, "score": 7.0, "vip": true}', '{"age": "007", "score": "6.50", "vip": "true", "plan": null}',
	'{"age": 12345678901234567890, "score": 1e400, "plan": 7, "007": 7}', '{"list": ["pro", 7], "object": {"plan": "pro"}, "gone": null}',
	'{"": "pro", "é": "7", "age": -0.0, "plan": "pro", "$.identity.identifier": "pro", "$.environment.name": 7}']) traits;

SELECT c.property, c.operator, c.value, i.identifier, i.traits
FROM condition c, identity i
WHERE flagsmith.is_in_segment('client', 's' || c.n, i.identifier, i.traits)
	<> EXISTS (SELECT FROM flagsmith.get_identity_segments('client', i.identifier, i.traits) s WHERE s.name = 's' || c.n);

-- and both yes and no are said of each property
SELECT c.property, count(*), count(*) FILTER (WHERE flagsmith.is_in_segment('client', 's' || c.n, i.identifier, i.traits)) AS matches
FROM condition c, identity i GROUP BY c.property ORDER BY c.property COLLATE "C";

-- no identifier: nothing to hash; no traits
SELECT flagsmith.is_in_segment('client', 's' || n, NULL, '{"plan": "pro"}') AS matches, count(*), count(DISTINCT property) AS properties FROM condition GROUP BY 1 ORDER BY 1;
SELECT operator, count(*), count(*) FILTER (WHERE flagsmith.is_in_segment('client', 's' || n, 'ann', NULL)) AS matches FROM condition GROUP BY operator ORDER BY operator COLLATE "C";

-- a key that opens another environment from one row to the next, and one that opens none
SELECT flagsmith.import_environment('{"api_key": "other", "name": "Other", "id": 8, "feature_states": [], "project": {"id": 4, "name": "other", "segments": [
	{"id": 1, "name": "s1", "rules": [{"type": "ALL", "conditions": [{"property_": "plan", "operator": "EQUAL", "value": "free"}]}]}]}}');
SELECT key, traits ->> 'plan' AS plan, flagsmith.is_in_segment(key, 's1', 'ann', traits) FROM unnest('{client,other,client,other}'::text[]) WITH ORDINALITY k (key, n), (VALUES ('{"plan": "pro"}'::jsonb), ('{"plan": "free"}')) t (traits) ORDER BY n, plan;
SELECT flagsmith.is_in_segment(key, 's1', 'ann', '{"plan": "pro"}') FROM unnest('{client,none}'::text[]) key;
SELECT flagsmith.is_in_segment(key, 's1', 'ann', '{"plan": "pro"}') FROM unnest('{client,""}'::text[]) key;
SELECT flagsmith.is_in_segment(key, 's1', 'ann', '{"plan": "pro"}') FROM unnest('{client,NULL}'::text[]) key;
SELECT flagsmith.is_in_segment(key, 's1', 'ann', '{"plan": "pro"}') FROM unnest('{client,clien}'::text[]) key;
