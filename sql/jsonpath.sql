--
-- Where a condition's property is looked up: traits, and JSONPath queries over the context
--

CREATE FUNCTION pg_temp.context(property text, operator text, value text) RETURNS json
LANGUAGE sql AS $$
	SELECT json_build_object(
		'environment', '{"key": "env", "name": "Production", "tags": ["a", "b", "c"]}'::json,
		'identity', '{"identifier": "i", "key": "k", "extra": [{"n": 1}, {"n": 2, "m": true}, {"n": 3}], "traits": {
			"plan": "pro", "age": 42, "price": 9.50, "": "empty", "first-name": "Ann", "size (cm)": 180, "it''s": "quoted", "サイズ": "L", "😀": "smile",
			"$.identity.identifier": "trait before path", "$.identity": "trait", "$[''x'']": "no path", "a.b": "dotted", "list": [1], "object": {"a": 1}, "none": null, "7": "digit"}}'::json,
		'features', '{"f1": {"name": "f1", "enabled": true, "value": "on"}, "f2": {"name": "f2", "enabled": false, "value": 2}}'::json,
		'segments', json_build_object('s', json_build_object('key', '8', 'name', 's', 'rules', json_build_array(
			json_build_object('type', 'ALL', 'conditions', json_build_array(
				json_build_object('property', property, 'operator', operator, 'value', value)))))))
$$;

CREATE FUNCTION pg_temp.matches(property text, operator text, value text) RETURNS boolean
LANGUAGE sql AS $$
	SELECT json_array_length(flagsmith.evaluate(pg_temp.context(property, operator, value)) -> 'segments') = 1
$$;

CREATE TEMP TABLE asked (id serial, property text, value text);
INSERT INTO asked (property, value) VALUES
	-- no path: a trait's name, whatever it looks like
	('plan', 'pro'), ('age', '42'), ('Plan', 'pro'), ('', 'empty'), ('a.b', 'dotted'), ('identity.identifier', 'i'), ('$', 'x'), ('$plan', 'pro'),
	('$[''x'']', 'no path'), ('$[''identity''][''identifier'']', 'i'), ('@.identity.identifier', 'i'),
	-- a trait with the very name of the path comes first
	('$.identity.identifier', 'i'), ('$.identity.identifier', 'trait before path'), ('$.identity', 'trait'), ('$.identity[''identifier'']', 'i'),
	-- names
	('$.identity.key', 'k'), ('$.identity.traits.plan', 'pro'), ('$.identity.traits[''plan'']', 'pro'), ('$.identity.traits["plan"]', 'pro'), ('$[''identity''].key', 'k'), ('$.[''identity''].key', 'k'),
	('$.identity.traits.first-name', 'Ann'), ('$.identity.traits[''size (cm)'']', '180'), ('$.identity.traits.size (cm)', '180'), ('$.identity.traits[''it\''s'']', 'quoted'), ('$.identity.traits["it''s"]', 'quoted'),
	('$.identity.traits.サイズ', 'L'), ('$.identity.traits["\u30b5\u30a4\u30ba"]', 'L'), ('$.identity.traits["😀"]', 'smile'), ('$.identity.traits["\ud83d\ude00"]', 'smile'), ('$.identity.traits.😀', 'smile'),
	('$.identity.traits.7', 'digit'), ('$.identity.traits["7"]', 'digit'), ('$.identity.traits['''']', 'empty'), ('$.identity.traits.', 'empty'), ('$.identity .key', 'k'), ('$.identity. key', 'k'), ('$.identity.key ', 'k'),
	('$.environment.name', 'Production'), ('$.environment.Name', 'Production'), ('$.features.f1.value', 'on'), ('$.segments.s.name', 's'),
	-- what is no scalar has no value
	('$.identity.traits', '{}'), ('$.identity.traits.list', '[1]'), ('list', '[1]'), ('$.identity.traits.object.a', '1'), ('object', '{''a'': 1}'), ('$.identity.traits.none', 'None'), ('$.environment.tags', 'a'),
	-- elements and slices
	('$.environment.tags[0]', 'a'), ('$.environment.tags[-1]', 'c'), ('$.environment.tags[3]', 'c'), ('$.environment.tags[-4]', 'a'), ('$.environment.tags[00]', 'a'), ('$.environment.tags[1:]', 'b'), ('$.environment.tags[:1]', 'a'),
	('$.environment.tags[::-1]', 'c'), ('$.environment.tags[5:0:-2]', 'c'), ('$.environment.tags[::0]', 'a'), ('$.environment.tags[2,0]', 'c'), ('$.environment.tags[7,1]', 'b'), ('$.environment.tags[''0'']', 'a'),
	('$.identity[0]', 'i'), ('$.environment.tags[9007199254740991]', 'a'),
	-- the first node counts
	('$.environment.*', 'env'), ('$.environment[*]', 'env'), ('$.environment.tags[*]', 'a'), ('$.identity.*', 'i'), ('$..name', 'Production'), ('$..n', '1'), ('$..tags[1]', 'b'), ('$..nothing', 'x'),
	-- filters
	('$.identity.extra[?@.n > 1].n', '2'), ('$.identity.extra[?@.m].n', '2'), ('$.identity.extra[?!@.m].n', '1'), ('$.identity.extra[?@.n == 3 || @.m == true].n', '2'), ('$.identity.extra[?@.n >= 2 && !@.m].n', '3'),
	('$.environment.tags[?@ == ''b'']', 'b'), ('$.environment.tags[?@ > ''a'']', 'b'), ('$.environment.tags[?length(@) == 1]', 'a'), ('$.environment[?count(@.*) == 3][2]', 'c'), ('$.environment.tags[?match(@, ''[bc]'')]', 'b'),
	('$.environment.tags[?search(@, ''c'')]', 'c'), ('$.identity.extra[?value(@.n) == 3].n', '3'), ('$.identity.extra[?@.n == $.identity.extra[1].n].m', 'True'), ('$.features[?@.enabled == false].value', '2'),
	-- no path: a trait that nobody has
	('$.', 'x'), ('$..', 'x'), ('$.identity..', 'x'), ('$.identity[', 'x'), ('$.identity[''key', 'x'), ('$.a[?', 'x'), ('$.a[?@.b ==]', 'x'), ('$.identity.key]', 'k'), ('$.identity.key.key', 'k'), ('$.no.such.thing', 'x');

SELECT property, value, pg_temp.matches(property, 'EQUAL', value) AS equal, pg_temp.matches(property, 'IS_SET', value) AS is_set
FROM asked ORDER BY id;

-- queries on which the engine raises: the condition is false, also if it asks for nothing
CREATE TEMP TABLE raising (property text);
INSERT INTO raising VALUES
	('$.environment.tags[9007199254740992]'), ('$.environment.tags[?nothing(@)]'), ('$.environment.tags[?length(@)]'), ('$.environment.tags[?@.* == 1]');

SELECT property, pg_temp.matches(property, 'IS_SET', '') AS is_set, pg_temp.matches(property, 'IS_NOT_SET', '') AS is_not_set
FROM raising;

-- flags as they have come out so far are part of the context
CREATE TEMP TABLE asked_flags (id serial, property text, value text);
INSERT INTO asked_flags (property, value) VALUES
	('$.flags.f1.enabled', 'True'), ('$.flags.f1.value', 'on'), ('$.flags.f1.variant', 'None'), ('$.flags.f1.reason', 'STATIC'), ('$.flags.f1.name', 'f1'), ('$.flags[''f2''].value', '2'), ('$.flags.f3.enabled', 'False'),
	('$.flags.f1', 'x'), ('$.flags.*.enabled', 'True'), ('$[''flags''].f1.value', 'on'), ('$..flags.f1.value', 'on');

SELECT property, value, pg_temp.matches(property, 'EQUAL', value) AS equal, pg_temp.matches(property, 'IS_SET', value) AS is_set
FROM asked_flags ORDER BY id;

-- deep and long queries come to an end
SELECT name, pg_temp.matches(property, 'IS_SET', '') AS is_set
FROM (VALUES
	('10,000 names', '$' || repeat('.a', 10000)), ('10,000 descents', '$' || repeat('..*', 10000)), ('100 descents', '$' || repeat('..*', 100)),
	('10,000 parentheses', '$.a[?' || repeat('(', 10000) || '@' || repeat(')', 10000) || ']'), ('a million letters', '$.' || repeat('a', 1000000))
) given (name, property);
