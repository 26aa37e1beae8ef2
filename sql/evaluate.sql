--
-- evaluate(): an evaluation context in, the evaluation result out
--

\pset format unaligned
\pset tuples_only on

-- features and segments keep their order, names and values the way they are written
SELECT flagsmith.evaluate('{
	"environment": {"key": "env", "name": "Production"},
	"features": {
		"zebra": {"name": "zebra", "enabled": true, "value": 1.50},
		"10": {"name": "10", "enabled": false, "value": 1e2},
		"9": {"name": "9", "enabled": true, "value": 12345678901234567890.10},
		"aa": {"name": "aa", "enabled": true, "value": "caf\u00e9 \"\\ \ud83d\ude00 é"},
		"b": {"name": "b", "enabled": true, "value": null},
		"caf\u00e9": {"name": "caf\u00e9", "enabled": true, "value": ""},
		"nested": {"name": "nested", "enabled": true, "value": {"b": [1.0, -0.0], "a":  {}}, "metadata": {"id": 7, "x": [null]}}
	},
	"segments": {
		"2": {"key": "2", "name": "zz", "rules": [{"type": "ALL"}]},
		"1": {"key": "1", "name": "never", "rules": []},
		"0": {"key": "0", "name": "aa", "rules": [{"type": "ALL"}], "metadata": {"source": "api"}}
	}}');

-- nothing at all
SELECT flagsmith.evaluate('{"environment": {"key": "env", "name": "env"}}');
SELECT flagsmith.evaluate('{}');
SELECT flagsmith.evaluate(NULL) IS NULL AS null;

-- The reason of a flag.  One context for all: overrides by priority, the first of equals; an
-- override of an unknown feature is nothing; no priority is the weakest; variants by
-- priority and only for an identity.
CREATE TEMP TABLE context (json json);
INSERT INTO context VALUES ('{
	"environment": {"key": "env", "name": "env"},
	"identity": {"identifier": "user", "key": "user-1", "traits": {"plan": "pro"}},
	"features": {
		"static": {"name": "static", "enabled": true, "value": "s"},
		"default": {"name": "default", "enabled": true, "value": "d"},
		"target": {"name": "target", "enabled": false, "value": "t"},
		"tie": {"name": "tie", "enabled": false, "value": "t"},
		"split": {"key": "12", "name": "split", "enabled": true, "value": "control", "variants": [
			{"value": "second", "weight": 30.0, "priority": 2, "key": "B"},
			{"value": "first", "weight": 50, "priority": 1}]},
		"rest": {"key": "12", "name": "rest", "enabled": true, "value": {"is": "control"}, "variants": [
			{"value": "first", "weight": 0, "priority": 1, "key": "A"},
			{"value": "second", "weight": 0.5, "priority": 2, "key": "B"}]},
		"both": {"key": "1", "name": "both", "enabled": false, "value": "b"}
	},
	"segments": {
		"s1": {"key": "s1", "name": "pros", "rules": [{"type": "ALL", "conditions": [{"property": "plan", "operator": "EQUAL", "value": "pro"}]}],
			"overrides": [
				{"name": "target", "enabled": true, "value": "weak"},
				{"name": "tie", "enabled": true, "value": "first", "priority": 1},
				{"key": "12", "name": "both", "enabled": true, "value": "x", "priority": 3, "variants": [{"value": "varied", "weight": 100, "priority": 1, "key": "V"}]},
				{"name": "unknown", "enabled": true, "value": "x", "priority": 1}]},
		"s2": {"key": "s2", "name": "all \"quoted\"", "rules": [{"type": "ALL"}],
			"overrides": [
				{"name": "target", "enabled": true, "value": "strong", "priority": 9.5},
				{"name": "tie", "enabled": true, "value": "second", "priority": 1.0},
				{"name": "both", "enabled": true, "value": "y", "priority": 4}]},
		"s3": {"key": "s3", "name": "none", "rules": [{"type": "NONE", "conditions": [{"property": "plan", "operator": "IS_SET"}]}],
			"overrides": [{"name": "default", "enabled": false, "value": "x", "priority": 0}, {"name": "target", "enabled": false, "value": "x", "priority": 0}]}
	}}');
SELECT e.key, e.value FROM context, json_each(flagsmith.evaluate(json) -> 'flags') e;
SELECT flagsmith.evaluate(json) -> 'segments' FROM context;

-- the same without an identity: no variants
SELECT e.key, e.value ->> 'value', e.value ->> 'variant' IS NULL, e.value ->> 'reason'
FROM context, json_each(flagsmith.evaluate((json::jsonb || '{"identity": null}')::json) -> 'flags') e
ORDER BY e.key COLLATE "C";

-- the key of an identity is the environment's and the identifier, if none is given
SELECT flagsmith.evaluate(format('{"environment": {"key": "env", "name": "env"}, "identity": %s,
	"features": {"f": {"key": "1", "name": "f", "enabled": true, "value": 0, "variants": [{"value": 1, "weight": 50, "priority": 1}]}}}',
	identity)::json) #>> '{flags,f,reason}'
FROM (VALUES ('{"identifier": "a"}'), ('{"identifier": "b"}'), ('{"identifier": "x", "key": "env_a"}'), ('{"identifier": "a", "key": ""}'), ('{"identifier": "a", "key": null}'), ('{}')) given (identity);

-- Flags that depend on flags: a prerequisite's override counts though its segment comes later;
-- it works through several flags; a cycle is cut, marks its flags, and matches nobody.
-- 'a<b': a is overridden in a segment of those for whom b is enabled; 'b<': of everybody.
CREATE FUNCTION pg_temp.depending(edges text[]) RETURNS json
LANGUAGE sql AS $$
	WITH edge AS (
		SELECT split_part(e, '<', 1) AS flag, split_part(e, '<', 2) AS needed, n FROM unnest(edges) WITH ORDINALITY u (e, n)
	)
	SELECT json_build_object(
		'environment', '{"key": "env", "name": "env"}'::json,
		'features', (SELECT json_object_agg(name, json_build_object('name', name, 'enabled', false, 'value', name)) FROM unnest('{a,b,c}'::text[]) name),
		'segments', (SELECT json_object_agg(n, json_build_object(
			'key', n::text,
			'name', flag || '<' || needed,
			'rules', json_build_array(json_build_object('type', 'ALL', 'conditions', CASE needed WHEN '' THEN '[]' ELSE json_build_array(
				json_build_object('property', '$.flags.' || needed || '.enabled', 'operator', 'EQUAL', 'value', 'true')) END)),
			'overrides', json_build_array(json_build_object('name', flag, 'enabled', true, 'value', upper(flag)))) ORDER BY n)
			FROM edge))
$$;
CREATE TEMP TABLE dependency (edges text[]);
INSERT INTO dependency VALUES ('{a<b,b<}'), ('{a<b,b<c,c<}'), ('{a<b,b<c}'), ('{a<a}'), ('{a<b,b<a,c<a}'), ('{a<nothing}'), ('{b<a,a<,a<b}');
SELECT edges, flag.key, flag.value ->> 'enabled', flag.value ->> 'reason'
FROM dependency, json_each(flagsmith.evaluate(pg_temp.depending(edges)) -> 'flags') flag;
SELECT edges, flagsmith.evaluate(pg_temp.depending(edges)) -> 'segments' FROM dependency;

-- of equal names the last one's value, at the first one's place; a name beside the member's
SELECT flagsmith.evaluate('{"environment": {"key": "env", "name": "env"}, "features": {
	"a": {"name": "a", "enabled": false, "value": 1}, "b": {"name": "b", "enabled": true, "value": 2},
	"a": {"name": "a", "enabled": true, "value": 3}, "c": {"name": "d", "enabled": true, "value": 4}}}');

-- half a million digits, and ten thousand features
SELECT length(flagsmith.evaluate(format('{"features": {"a": {"name": "a", "enabled": true, "value": %s}}}', repeat('9', 500000))::json) #>> '{flags,a,value}');
SELECT count(*), sum((flag.value ->> 'value')::int) FROM json_each(flagsmith.evaluate((SELECT json_build_object('features',
	json_object_agg(n, json_build_object('name', n::text, 'enabled', true, 'value', n))) FROM generate_series(1, 10000) n)) -> 'flags') flag;

\pset format aligned
\pset tuples_only off

-- a pure function: fit for an index, for parallel workers, for a generated column
SELECT provolatile, proparallel, proisstrict FROM pg_proc WHERE oid = 'flagsmith.evaluate(json)'::regprocedure;

CREATE TABLE evaluated (id int, context json, result text GENERATED ALWAYS AS (flagsmith.evaluate(context) #>> '{flags,f,value}') STORED);
INSERT INTO evaluated (id, context)
SELECT n, format('{"features": {"f": {"name": "f", "enabled": true, "value": "%s"}}}', n % 7)::json FROM generate_series(1, 5000) n;
CREATE INDEX ON evaluated ((flagsmith.evaluate(context) #>> '{flags,f,value}'));
ANALYZE evaluated;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM evaluated WHERE flagsmith.evaluate(context) #>> '{flags,f,value}' = '3' ORDER BY flagsmith.evaluate(context) #>> '{flags,f,value}' LIMIT 1;
RESET enable_seqscan;

SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT sum((flagsmith.evaluate(context) #>> '{flags,f,value}')::int) FROM evaluated;
SELECT sum((flagsmith.evaluate(context) #>> '{flags,f,value}')::int), sum(result::int) FROM evaluated;
DROP TABLE evaluated;
