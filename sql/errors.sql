--
-- Errors: SQLSTATE, message, the path in DETAIL, and a HINT where one helps
--

\set SHOW_CONTEXT never
\pset null '(null)'

-- runs a statement and tells its error in lines, or "no error"
CREATE FUNCTION pg_temp.failure(statement text, OUT state text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	state := '00000';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END
$$;
CREATE FUNCTION pg_temp.told(statement text) RETURNS text
LANGUAGE sql AS $$
	SELECT CASE state WHEN '00000' THEN 'no error' ELSE concat_ws(E'\n    ', state || ': ' || message, nullif(detail, ''), nullif(hint, '')) END
	FROM pg_temp.failure(statement)
$$;

CREATE TEMP TABLE document (json jsonb);
INSERT INTO document VALUES ('{
	"id": 7, "api_key": "client", "name": "Production", "updated_at": "2026-11-23T15:37:34+00:00", "hide_disabled_flags": null, "hide_sensitive_data": false, "allow_client_traits": true,
	"use_identity_composite_key_for_hashing": true, "use_identity_overrides_in_local_eval": true,
	"project": {"id": 3, "name": "shop", "organisation": {"id": 1}, "hide_disabled_flags": false, "server_key_only_feature_ids": [4],
		"segments": [{"id": 13, "name": "pros", "rules": [{"type": "ALL", "rules": [], "conditions": [{"operator": "EQUAL", "value": "pro", "property_": "plan"}]}],
			"feature_states": [{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": true, "django_id": 745, "feature_segment": {"priority": 0}, "featurestate_uuid": "u", "feature_state_value": 60, "multivariate_feature_state_values": []}]}]},
	"feature_states": [
		{"feature": {"id": 3, "name": "price", "type": "MULTIVARIATE"}, "enabled": true, "django_id": 93, "feature_segment": null, "featurestate_uuid": "v", "feature_state_value": 10, "multivariate_feature_state_values": [
			{"id": 9, "percentage_allocation": 20.0, "mv_fs_value_uuid": "b", "multivariate_feature_option": {"id": 72, "value": 30, "key": "high"}}]},
		{"feature": {"id": 4, "name": "secret", "type": "STANDARD"}, "enabled": true}],
	"identity_overrides": [{"identifier": "ann", "identity_features": [
		{"feature": {"id": 3, "name": "price", "type": "MULTIVARIATE"}, "enabled": true, "django_id": 95, "featurestate_uuid": "w", "feature_state_value": 11, "multivariate_feature_state_values": [
			{"id": 10, "percentage_allocation": 100, "multivariate_feature_option": {"id": 72, "value": 30}}]}]}]}');
SELECT flagsmith.import_environment(json) FROM document;

CREATE TEMP TABLE context (json jsonb);
INSERT INTO context VALUES ('{
	"environment": {"key": "env", "name": "env"},
	"identity": {"identifier": "i", "key": "k", "traits": {"plan": "pro"}},
	"features": {"f": {"key": "1", "name": "f", "enabled": true, "value": 1, "priority": 1, "metadata": {"id": 1}, "variants": [{"value": 2, "weight": 10, "priority": 1, "key": "v"}]}},
	"segments": {"s": {"key": "1", "name": "s", "metadata": {"id": 1}, "rules": [{"type": "ALL", "conditions": [{"operator": "EQUAL", "property": "plan", "value": "pro"}], "rules": [{"type": "ANY", "conditions": [], "rules": []}]}],
		"overrides": [{"key": "2", "name": "f", "enabled": true, "value": 1, "priority": 1, "variants": []}]}}}');

-- the types that each place of a JSON value takes, what becomes of the others, and whether
-- the member can be missing
CREATE FUNCTION pg_temp.types(tried jsonb, statement text) RETURNS TABLE (path text, taken text, otherwise text, missing text)
LANGUAGE sql AS $$
	WITH RECURSIVE place (path, value) AS (
		SELECT '{}'::text[], tried
		UNION ALL
		SELECT path || step, member
		FROM place, LATERAL (
			SELECT key AS step, value AS member FROM jsonb_each(CASE jsonb_typeof(place.value) WHEN 'object' THEN place.value ELSE '{}' END)
			UNION ALL
			SELECT (n - 1)::text, e FROM jsonb_array_elements(CASE jsonb_typeof(place.value) WHEN 'array' THEN place.value ELSE '[]' END) WITH ORDINALITY a (e, n)
		) child
	), attempt AS (
		SELECT path, type, f.*
		FROM place,
			unnest(ARRAY['null', 'true', '1', '1.5', '"s"', '[]', '{}', 'missing']) type,
			LATERAL (SELECT CASE
				WHEN path = '{}' THEN CASE type WHEN 'missing' THEN tried ELSE type::jsonb END
				WHEN type = 'missing' THEN tried #- path ELSE jsonb_set(tried, path, type::jsonb) END AS json) changed,
			pg_temp.failure(format(statement, json)) f
	)
	SELECT '$' || coalesce(string_agg(CASE WHEN step ~ '^\d+$' THEN '[' || step || ']' ELSE '.' || step END, '' ORDER BY n), ''),
		(SELECT string_agg(type, ' ') FROM attempt a WHERE a.path = p.path AND state = '00000' AND type <> 'missing'),
		(SELECT string_agg(DISTINCT concat_ws(' ', state, regexp_replace(message, '^[^:]*: (.*?)(, found .*)?$', '\1'), detail) COLLATE "C", '; ') FROM attempt a WHERE a.path = p.path AND state <> '00000' AND type <> 'missing'),
		(SELECT concat_ws(' ', state, regexp_replace(message, '^[^:]*: ', ''), detail) FROM attempt a WHERE a.path = p.path AND type = 'missing' AND state <> '00000')
	FROM place p LEFT JOIN LATERAL unnest(p.path) WITH ORDINALITY u (step, n) ON true
	GROUP BY p.path
	ORDER BY p.path COLLATE "C"
$$;
\pset format unaligned
SELECT t.* FROM context, pg_temp.types(json, 'SELECT flagsmith.evaluate(%L)') t;
SELECT t.* FROM document, pg_temp.types(json, 'SELECT flagsmith.check_environment_document(%L)') t;
\pset format aligned

-- each type is called by its name
SELECT (pg_temp.failure(format('SELECT flagsmith.evaluate(%L)', '{"features": ' || value || '}'))).message
FROM unnest('{true,1,"\"s\"",[]}'::text[]) value;

\pset format unaligned
\pset tuples_only on

-- contexts: paths with names of any kind; a name too long is cut
SELECT pg_temp.told(format('SELECT flagsmith.evaluate(%L)', context)) FROM (VALUES
	('[1]'), ('7'), ('null'), ('"\u0000"'),
	('{"features": {"a b": 1}}'), ('{"features": {"it''s \"é\"": {"name": 1}}}'), ('{"features": {"": 1}}'), ('{"features": {"9": 1}}'), ('{"features": {"é": 1}}'),
	('{"segments": {"x.y": {"name": "s", "key": "1", "rules": [{"type": "ALL"}, {"type": "ANY", "rules": [{"type": "ALL", "conditions": [{}, 7]}]}]}}}'),
	('{"features": {"' || repeat('é', 40) || '": 1}}'),
	('{"features": {"f": {"name": "f", "enabled": true, "value": 1, "variants": [{"value": 1, "weight": 1, "priority": 1}]}}}'),
	('{"features": {"f": {"key": "1", "name": "f", "enabled": true, "value": 1, "variants": [{"value": 1, "weight": 1, "priority": 1}, {"value": 1, "weight": "1", "priority": 1}]}}}'),
	('{"identity": {"identifier": "i"}}'), ('{"identity": {"key": "k"}, "environment": {"name": "e"}}'), ('{"environment": {"key": "e"}, "identity": {"traits": {}}}')
) given (context);

-- escapes that are no characters, wherever they are: the path is of the value they are in
SELECT pg_temp.told(format('SELECT flagsmith.evaluate(%L)', context)) FROM (VALUES
	('{"features": {"f": {"name": "a\u0000b"}}}'), ('{"identity": {"traits": {"x": ["\ud800"]}}}'), ('{"identity": {"traits": {"x": "\udc00"}}}'), ('{"identity": {"traits": {"x": "\ud800\u0041"}}}'),
	('{"identity": {"traits": {"\u0000": 1}}}'), ('{"identity": {"traits": {"a": 1, "\ud83d": 1}}}')
) given (context);

-- what is odd but no error
SELECT pg_temp.told(format('SELECT flagsmith.evaluate(%L)', context)) FROM (VALUES
	('{"features": {"f": {"name": "f", "enabled": true, "value": 1e999999}}}'), ('{"identity": {"identifier": "i", "key": "k", "traits": {"x": -1e999999, "x": 1e-999999}}, "segments": {"s": {"name": "s", "key": "s", "rules": [{"type": "ALL", "conditions": [{"property": "x", "operator": "GREATER_THAN", "value": "1e999999"}]}]}}}'),
	('{"features": {"": {"name": "", "enabled": true, "value": ""}}, "segments": {"": {"name": "", "key": "", "rules": []}}, "environment": {"key": "", "name": ""}, "identity": {"identifier": "", "key": ""}}'),
	('{"segments": {"s": {"name": "s", "key": "s", "rules": [{"type": "SOME", "conditions": [{"property": "x", "operator": "LIKE", "value": {}}, {}]}]}}}'),
	('{"a": 1, "a": 2, "features": 7, "features": {}}')
) given (context);

-- depth: what the server's own JSON type takes is still refused in words
SELECT pg_temp.told(format('SELECT flagsmith.evaluate(%L)', context)) FROM (VALUES
	('{"x": ' || repeat('[', 1999) || repeat(']', 1999) || '}'), ('{"x": ' || repeat('[', 2000) || repeat(']', 2000) || '}'), ('{"x": ' || repeat('{"y": ', 2000) || '1' || repeat('}', 2001))
) given (context);
SELECT state, message FROM pg_temp.failure($$SELECT flagsmith.evaluate((repeat('[', 1000000) || repeat(']', 1000000))::json)$$);
SELECT state FROM pg_temp.failure($$SELECT flagsmith.evaluate((repeat('[', 10000) || repeat(']', 10000))::json)$$);
CREATE FUNCTION pg_temp.nested(depth int) RETURNS text
LANGUAGE sql AS $$
	SELECT repeat('[{"type": "ALL", "rules": ', depth - 1) || '[{"type": "ALL"}]' || repeat('}]', depth - 1)
$$;
SELECT depth, pg_temp.told(format('SELECT flagsmith.evaluate(%L)', '{"segments": {"s": {"name": "s", "key": "s", "rules": ' || pg_temp.nested(depth) || '}}}'))
FROM unnest('{500,501,600}'::int[]) depth;
SELECT depth, pg_temp.told(format('SELECT flagsmith.check_rules(%L)', pg_temp.nested(depth))) FROM unnest('{500,501,600}'::int[]) depth;

-- what is no JSON does not come as far as that
SELECT (pg_temp.failure(format('SELECT flagsmith.evaluate(%L)', context))).state FROM unnest('{"",x,"{","{\"a\" 1}","[1,]","\"\\ud8\"","01"}'::text[]) context;

-- rules: what an evaluation answers all the same is refused where it would be stored
SELECT pg_temp.told(format('SELECT flagsmith.check_rules(%L)', rules)) FROM (VALUES
	('{}'), ('[1]'), ('[{"type": "SOME"}]'), ('[{}]'), ('[{"type": "ALL", "conditions": [{"operator": "LIKE", "property_": "x", "value": "1"}]}]'),
	('[{"type": "ALL", "rules": [{"type": "ANY"}, {"type": "NONE", "conditions": [{"operator": "IS_SET"}, {"property_": "x"}]}]}]'), ('[{"type": "ALL", "conditions": {}}]'), ('[]')
) given (rules);
SELECT pg_temp.told('UPDATE flagsmith.segment SET rules = ''[{"type": "ALL", "conditions": [{"operator": "LIKE"}]}]''');

-- documents: values beyond their types
CREATE TEMP TABLE before AS SELECT flagsmith.environment_document('client')::jsonb AS json;
SELECT pg_temp.told(format('SELECT flagsmith.import_environment(%L)', jsonb_set(json, path::text[], value::jsonb)))
FROM document, (VALUES
	('{api_key}', '""'), ('{id}', '1.0'), ('{id}', '1234567890123456789'), ('{project,server_key_only_feature_ids}', '[1, "2"]'), ('{project,server_key_only_feature_ids}', '[1, 2.5]'),
	('{updated_at}', '""'), ('{updated_at}', '"yesterday"'), ('{updated_at}', '"2026-11-2"'),
	('{feature_states,0,feature,name}', '""'), ('{feature_states,1,feature,name}', '"price"'), ('{feature_states,0,multivariate_feature_state_values,0,percentage_allocation}', '100.5'),
	('{feature_states,0,multivariate_feature_state_values,0,percentage_allocation}', '-1'), ('{feature_states,0,multivariate_feature_state_values,0,percentage_allocation}', '1e400'),
	('{feature_states,0,multivariate_feature_state_values,1}', '{"percentage_allocation": 80.1, "multivariate_feature_option": {"value": 1}}'),
	('{project,segments,0,feature_states,0,feature_segment,priority}', '2147483648'), ('{project,segments,0,feature_states,0,feature_segment,priority}', '0.5'),
	('{project,segments,1}', '{"id": 13, "name": "again", "rules": []}'), ('{project,segments}', '[{"id": 1, "name": "x", "rules": []}, {"id": 2, "name": "y", "rules": []}, {"id": 1, "name": "z", "rules": []}]'), ('{project,segments,0,rules,0,type}', '"SOME"'), ('{project,segments,0,rules,0,conditions,0,operator}', '"LIKE"'), ('{project,segments,0,rules,0,conditions,0,operator}', 'null'),
	('{project,segments,0,feature_states,1}', '{"feature": {"name": "banner"}, "enabled": true}'),
	('{identity_overrides,0,identifier}', '""'), ('{identity_overrides,1}', '{"identifier": "ann"}'), ('{identity_overrides,0,identity_features,1}', '{"feature": {"name": "price"}, "enabled": false}')
) given (path, value);
SELECT pg_temp.told(format('SELECT flagsmith.import_environment(%L)', json || jsonb_build_object('updated_at', updated_at)))
FROM document, unnest('{2026-13-45T00:00:00Z,2026-11-23 nonsense,2026-11-23T25:00:00Z}'::text[]) updated_at;
SELECT pg_temp.told(format('SELECT flagsmith.import_environment(jsonb_set(json, ''{project,segments,0,rules}'', %L)) FROM document', pg_temp.nested(600)));
SELECT pg_temp.told(format('SELECT flagsmith.import_environment(jsonb_set(json, ''{feature_states,0,feature_state_value}'', %L)) FROM document', repeat('[', 2000) || repeat(']', 2000)));
SELECT pg_temp.told('SELECT flagsmith.import_environment(NULL)');
SELECT pg_temp.told('SELECT flagsmith.check_environment_document(NULL)');

-- and a broken document has changed nothing
SELECT flagsmith.environment_document('client')::jsonb = before.json AND before.json @> document.json FROM before, document;
SELECT count(*), max(api_key) FROM flagsmith.environment;

-- names that are unknown, or that the key may not see
SELECT call, pg_temp.told('SELECT flagsmith.' || call) FROM unnest(ARRAY[
	$$environment_id('nobody')$$, $$environment_document('nobody')$$, $$environment_id(NULL)$$, $$create_server_key('nobody')$$,
	$$is_feature_enabled('client', 'no such feature')$$, $$is_feature_enabled('client', 'secret')$$, $$is_feature_enabled('client', '')$$, $$is_feature_enabled('client', NULL)$$, $$get_feature_value('client', 'Banner')$$,
	$$is_in_segment('client', 'no such segment', 'u', '{}')$$, $$is_in_segment('client', NULL, 'u', '{}')$$, $$is_in_segment('client', '', 'u', '{}')$$]) call;

-- identifiers and traits
SELECT call, pg_temp.told('SELECT flagsmith.' || call) FROM unnest(ARRAY[
	$$get_identity_flags('client', NULL)$$, $$get_identity_flags('client', '')$$, $$get_identity_segments('client', NULL)$$, $$identity_document('client', '')$$, $$is_feature_enabled('client', 'price', '')$$, $$is_feature_enabled('client', 'price', NULL, '{}')$$,
	$$set_traits('client', NULL, '{}')$$, $$set_traits('client', '', '{}')$$,
	$$get_identity_flags('client', 'u', '[]')$$, $$get_identity_flags('client', 'u', '"x"')$$, $$get_identity_segments('client', 'u', '1')$$, $$identity_document('client', 'u', 'true')$$, $$is_in_segment('client', 'pros', 'u', 'null')$$, $$get_feature_value('client', 'price', 'u', '[{}]')$$,
	$$set_traits('client', 'u', '[]')$$, $$set_traits('client', 'u', 'null')$$, $$set_traits('client', 'u', NULL)$$]) call;
SELECT pg_temp.told(format('SELECT flagsmith.get_identity_flags(''client'', ''u'', %L)', '{"x": ' || repeat('[', 2001) || repeat(']', 2001) || '}'));
SELECT pg_temp.told(format('SELECT flagsmith.set_traits(''client'', ''u'', %L)', '{"x": ' || repeat('[', 2001) || repeat(']', 2001) || '}'));
SELECT count(*) FROM flagsmith.identity WHERE identifier IN ('u', '');

-- NULL where it means nothing
SELECT call, pg_temp.told('SELECT flagsmith.' || call) FROM unnest(ARRAY[
	$$evaluate(NULL)$$, $$check_rules(NULL)$$, $$is_feature_enabled('client', 'price', NULL, NULL)$$, $$is_in_segment('client', 'pros', NULL, NULL)$$, $$delete_identity('client', NULL)$$, $$delete_identity('client', '')$$, $$revoke_server_key(NULL)$$]) call;

-- in a transaction that may not write
BEGIN READ ONLY;
SAVEPOINT s;
SELECT flagsmith.set_traits('client', 'u', '{}');
\echo :SQLSTATE
ROLLBACK TO s;
SELECT flagsmith.import_environment(json) FROM document;
\echo :SQLSTATE
ROLLBACK;

-- tables refuse what could not be evaluated; what they cannot check is told when it is read
SELECT change, state, message FROM unnest(ARRAY[
	$$UPDATE flagsmith.environment SET api_key = ''$$, $$UPDATE flagsmith.feature SET name = ''$$, $$UPDATE flagsmith.feature SET name = 'x'$$, $$UPDATE flagsmith.identity SET identifier = ''$$, $$UPDATE flagsmith.identity SET traits = '[]'$$,
	$$UPDATE flagsmith.multivariate_feature_state_value SET percentage_allocation = 100.1$$, $$UPDATE flagsmith.multivariate_feature_state_value SET percentage_allocation = 'NaN'$$, $$UPDATE flagsmith.identity_override SET multivariate_feature_state_values = '{}'$$, $$UPDATE flagsmith.identity_override SET multivariate_feature_state_values = '[{"percentage_allocation": "all", "multivariate_feature_option": {"value": 1}}]'$$,
	$$INSERT INTO flagsmith.environment_key (environment_id, key) SELECT id, 'plain' FROM flagsmith.environment$$]) change, pg_temp.failure(change);
BEGIN;
UPDATE flagsmith.identity SET traits = ('{"x": ' || repeat('[', 2001) || repeat(']', 2001) || '}')::jsonb;
SELECT state, message FROM pg_temp.failure($$SELECT flagsmith.get_identity_flags('client', 'ann')$$);
UPDATE flagsmith.identity SET traits = '{}';
UPDATE flagsmith.feature_state SET value = (repeat('[', 2000) || repeat(']', 2000))::jsonb;
SELECT pg_temp.told($$SELECT flagsmith.get_environment_flags('client')$$);
ROLLBACK;

-- no message tells a key or the value of a trait
SELECT count(*) AS messages, count(*) FILTER (WHERE concat(state, message, detail, hint) LIKE '%S3CRET%') AS telling
FROM unnest(ARRAY[
	$$get_environment_flags('S3CRET')$$, $$get_environment_flags('ser.S3CRET')$$, $$set_traits('S3CRET', 'u', '{}')$$, $$set_traits('client', 'u', '"S3CRET"')$$, $$set_traits('client', 'u', '["S3CRET"]')$$, $$get_identity_flags('client', 'u', '"S3CRET"')$$, $$is_in_segment('client', 'pros', 'u', '["S3CRET"]')$$,
	$$evaluate('{"environment": {"key": "S3CRET"}, "identity": {"traits": {"a": "S3CRET"}}}')$$, $$evaluate('{"environment": {"key": "S3CRET"}, "identity": {"key": ["S3CRET"], "traits": {"a": "S3CRET"}}}')$$, $$evaluate('{"identity": {"identifier": "i", "traits": "S3CRET"}}')$$,
	$$evaluate('{"identity": {"identifier": "i", "traits": {"x": "S3CRET\u0000"}}}')$$, $$evaluate('{"identity": {"identifier": "i", "traits": {"x": ["S3CRET", "\ud800"]}}}')$$,
	$$import_environment('{"api_key": "S3CRET", "name": 1}')$$, $$import_environment('{"api_key": ["S3CRET"], "name": 1}')$$, $$import_environment('{"api_key": "S3CRET", "name": "n", "project": {"id": 1, "name": "p", "segments": []}, "feature_states": [], "updated_at": "2026-99-99"}')$$]) call,
	pg_temp.failure('SELECT flagsmith.' || call)
WHERE state <> '00000';
\pset format aligned
\pset tuples_only off

DELETE FROM flagsmith.project;
DELETE FROM flagsmith.identity;

-- a database of another encoding
SELECT current_database() AS db \gset
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regress_flagsmith_latin1;
CREATE DATABASE regress_flagsmith_latin1 ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0;
\c regress_flagsmith_latin1
\set SHOW_CONTEXT never
CREATE EXTENSION flagsmith;
\echo :SQLSTATE
\c :db
DROP DATABASE regress_flagsmith_latin1;
