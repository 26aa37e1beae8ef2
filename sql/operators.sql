--
-- Every operator on every type of value, through evaluate(): trait and condition value as
-- JSON is written, and whether the segment matches
--

-- the context in which one condition is asked of the trait "x"; without x if it is NULL
CREATE FUNCTION pg_temp.context(operator text, x text, value text) RETURNS json
LANGUAGE sql AS $$
	SELECT format('{"environment": {"key": "env", "name": "env"},
		"identity": {"identifier": "i", "key": "k", "traits": {%s}},
		"segments": {"s": {"key": "8", "name": "s", "rules": [{"type": "ALL", "conditions":
			[{"property": "x", "operator": "%s"%s}]}]}}}',
		'"x": ' || x, operator, ', "value": ' || value)::json
$$;

CREATE FUNCTION pg_temp.matches(operator text, x text, value text) RETURNS boolean
LANGUAGE sql AS $$
	SELECT json_array_length(flagsmith.evaluate(pg_temp.context(operator, x, value)) -> 'segments') = 1
$$;

CREATE TEMP TABLE asked (id serial, operator text, x text, value text);

-- equality: the value is cast to the trait's type; what cannot be cast never matches
INSERT INTO asked (operator, x, value)
SELECT operator, x, value
FROM (VALUES
	('true', '"true"'), ('true', '"True"'), ('true', '"1"'), ('true', '"no"'), ('true', '""'),
	('true', '"false"'), ('true', '"False"'), ('true', '"FALSE"'), ('false', '"false"'), ('false', '"0"'),
	('7', '"7"'), ('7', '" +0_7 "'), ('7', '"07"'), ('7', '"7.0"'), ('7', '"seven"'), ('7', '""'), ('7', '"٧"'),
	('7.0', '"7"'), ('7.0', '"7."'), ('7.0', '"0.7e1"'), ('7.0', '"8"'), ('7.0', '"7,0"'), ('7.0', '"nan"'),
	('1e400', '"inf"'), ('1e400', '"9e999"'),
	('"7"', '"7"'), ('"7"', '"7.0"'), ('"007"', '"7"'), ('"7.0"', '"7"'), ('"-0"', '"0"'), ('"+7"', '"7"'), ('"+7"', '"+7"'),
	('12345678901234567890123', '"12345678901234567890123"'), ('12345678901234567890123', '"12345678901234567890124"'),
	('"pro"', '"pro"'), ('"pro"', '"Pro"'), ('"é"', '"é"'), ('"é"', '"e\u0301"'), ('""', '""'),
	('"True"', '"true"'), ('"None"', 'null'), ('null', '"None"'), ('null', '""'),
	('["a"]', '"[''a'']"'), ('{"a": 1}', '"{''a'': 1}"'),
	('"a"', NULL), (NULL, '"a"')
) given (x, value), (VALUES ('EQUAL'), ('NOT_EQUAL')) compared (operator);

-- order: numbers by value, strings by code point, false before true
INSERT INTO asked (operator, x, value)
SELECT operator, x, value
FROM (VALUES
	('7', '"6"'), ('7', '"7"'), ('7', '"8"'), ('7', '"6.5"'), ('7', '"x"'),
	('7.5', '"7"'), ('7.5', '"7.50"'), ('7.5', '"1e1"'), ('7.5', '"nan"'), ('-1', '"-2"'),
	('9007199254740993', '"9007199254740992"'), ('"10"', '"9"'),
	('"b"', '"a"'), ('"b"', '"b"'), ('"b"', '"c"'), ('"b"', '"bb"'), ('"Z"', '"a"'), ('"z"', '"é"'), ('"\uffff"', '"𐀀"'),
	('true', '"false"'), ('false', '"true"'), ('true', '"true"'), ('null', '"1"'), (NULL, '"1"')
) given (x, value),
(VALUES ('GREATER_THAN'), ('GREATER_THAN_INCLUSIVE'), ('LESS_THAN'), ('LESS_THAN_INCLUSIVE')) compared (operator);

-- CONTAINS and NOT_CONTAINS look into strings only
INSERT INTO asked (operator, x, value)
SELECT operator, x, value
FROM (VALUES
	('"hello"', '"ell"'), ('"hello"', '"Ell"'), ('"hello"', '""'), ('"hello"', '"hello!"'), ('""', '""'),
	('"x1"', '"1"'), ('"21"', '"1"'), ('21', '"1"'), ('true', '"r"'), ('null', '"n"'), (NULL, '"n"'), ('"1e5"', '"e"'), ('"a None"', 'null')
) given (x, value), (VALUES ('CONTAINS'), ('NOT_CONTAINS')) compared (operator);

-- IN: a list of strings by commas, or JSON; floats and booleans are in none
INSERT INTO asked (operator, x, value)
SELECT 'IN', x, value
FROM (VALUES
	('"a"', '"a,b"'), ('"b"', '"a,b"'), ('"b"', '"a, b"'), ('" b"', '"a, b"'), ('"c"', '"a,b"'), ('""', '"a,,b"'), ('""', '""'), ('"a,b"', '"a,b"'),
	('"a"', '["a", "b"]'), ('"c"', '["a", "b"]'), ('"a"', '[]'), ('""', '[]'), ('"a"', '"[\"a\"]"'), ('"a"', '" [\"a\"]"'), ('"[a"', '"[a,b"'), ('"b"', '"[a,b"'),
	('1', '"1,2"'), ('1', '[1]'), ('1', '["1"]'), ('1', '[1.0]'), ('"1"', '"1"'), ('"01"', '"1"'), ('"01"', '"01"'), ('1.0', '"1.0"'), ('1.0', '[1.0]'),
	('true', '"true,True"'), ('"True"', '[true]'), ('"None"', '[null]'), ('"100.0 "', '"100.0 "'), ('"[1]"', '[[1]]'), ('null', '[null]'), (NULL, '""')
) given (x, value);

-- MODULO: divisor|remainder, with the sign that Python gives
INSERT INTO asked (operator, x, value)
SELECT 'MODULO', x, value
FROM (VALUES
	('4', '"2|0"'), ('5', '"2|0"'), ('5', '"2|1"'), ('-1', '"3|2"'), ('-1', '"3|-1"'), ('4', '"-3|-2"'), ('4', '"-3|1"'), ('5.5', '"2|1.5"'),
	('"4"', '"2|0"'), ('"four"', '"2|0"'), ('true', '"2|1"'), ('null', '"2|0"'), (NULL, '"2|0"'), ('4', '"0|0"'), ('4', '"2"'), ('4', '"2|0|0"'), ('4', '"a|b"'),
	('4', '" 2 | 0 "'), ('4', '"inf|4"'), ('-4', '"inf|inf"'), ('4', '"nan|nan"'), ('4', NULL), ('4', '2')
) given (x, value);

-- PERCENTAGE_SPLIT: the bucket of the segment's key and the trait; of "8" and "x" it is
-- 57.90158031606322
INSERT INTO asked (operator, x, value)
SELECT 'PERCENTAGE_SPLIT', x, value
FROM (VALUES
	('"x"', '"0"'), ('"x"', '"57"'), ('"x"', '"58"'), ('"x"', '"57.90158031606322"'), ('"x"', '"57.90158031606321"'), ('"x"', '"100"'), ('"x"', '"inf"'), ('"x"', '"nan"'), ('"x"', '"-1"'), ('"x"', '"half"'), ('"x"', '""'), ('"x"', '58'), ('"x"', NULL),
	('7', '"50"'), ('"007"', '"50"'), ('1.5', '"50"'), ('true', '"50"'), ('null', '"100"'), (NULL, '"100"')
) given (x, value);

-- IS_SET and IS_NOT_SET, which have no value
INSERT INTO asked (operator, x, value)
SELECT operator, x, NULL
FROM (VALUES ('"a"'), ('""'), ('0'), ('false'), ('null'), (NULL), ('[]'), ('{}')) given (x),
	(VALUES ('IS_SET'), ('IS_NOT_SET')) asked (operator);

-- what is no operator never matches
INSERT INTO asked (operator, x, value) VALUES ('LIKE', '"a"', '"a"'), ('equal', '"a"', '"a"'), ('', '"a"', '"a"');

SELECT x, value, pg_temp.matches('EQUAL', x, value) AS equal, pg_temp.matches('NOT_EQUAL', x, value) AS not_equal
FROM asked WHERE operator = 'EQUAL' ORDER BY id;

SELECT x, value, pg_temp.matches('GREATER_THAN', x, value) AS ">",
	pg_temp.matches('GREATER_THAN_INCLUSIVE', x, value) AS ">=",
	pg_temp.matches('LESS_THAN', x, value) AS "<",
	pg_temp.matches('LESS_THAN_INCLUSIVE', x, value) AS "<="
FROM asked WHERE operator = 'LESS_THAN' ORDER BY id;

SELECT x, value, pg_temp.matches('CONTAINS', x, value) AS contains, pg_temp.matches('NOT_CONTAINS', x, value) AS not_contains
FROM asked WHERE operator = 'CONTAINS' ORDER BY id;

SELECT operator, x, value, pg_temp.matches(operator, x, value) AS matches
FROM asked WHERE operator IN ('IN', 'MODULO', 'PERCENTAGE_SPLIT') ORDER BY id;

SELECT x, pg_temp.matches('IS_SET', x, NULL) AS is_set, pg_temp.matches('IS_NOT_SET', x, NULL) AS is_not_set
FROM asked WHERE operator = 'IS_SET' ORDER BY id;

SELECT operator, pg_temp.matches(operator, x, value) AS matches FROM asked WHERE operator IN ('LIKE', 'equal', '');

-- a split without a property takes the identity's key, and matches nobody without one
SELECT identity, json_array_length(flagsmith.evaluate(format('{"environment": {"key": "env", "name": "env"}, "identity": %s,
	"segments": {"s": {"key": "8", "name": "s", "rules": [{"type": "ALL", "conditions":
		[{"property": %s, "operator": "PERCENTAGE_SPLIT", "value": "58"}]}]}}}', identity, property)::json) -> 'segments') = 1 AS matches
FROM (VALUES
	('{"identifier": "i", "key": "x"}', '""'),
	('{"identifier": "i", "key": "x"}', 'null'),
	('{"identifier": "i", "key": "x"}', '"x"'),
	('{"identifier": "i"}', '""'),
	('{"identifier": "x"}', '"$.identity.identifier"'),
	('null', '""')
) given (identity, property);

-- rules: an empty list is true, but of no rules at all nobody is in the segment
SELECT rules, json_array_length(flagsmith.evaluate(format('{"environment": {"key": "env", "name": "env"},
	"identity": {"identifier": "i", "key": "k", "traits": {"x": 1}},
	"segments": {"s": {"key": "8", "name": "s", "rules": %s}}}',
	replace(replace(rules, 'yes', '{"property": "x", "operator": "IS_SET"}'), 'no', '{"property": "x", "operator": "IS_NOT_SET"}'))::json)
	-> 'segments') = 1 AS matches
FROM (VALUES
	('[]'), ('[{"type": "ALL"}]'), ('[{"type": "ANY"}]'), ('[{"type": "NONE"}]'), ('[{"type": "NONE", "rules": [{"type": "ALL"}]}]'),
	('[{"type": "ALL", "conditions": [yes, yes]}]'), ('[{"type": "ALL", "conditions": [yes, no]}]'),
	('[{"type": "ANY", "conditions": [no, yes]}]'), ('[{"type": "ANY", "conditions": [no, no]}]'),
	('[{"type": "NONE", "conditions": [no, no]}]'), ('[{"type": "NONE", "conditions": [no, yes]}]'),
	('[{"type": "ALL", "conditions": [yes]}, {"type": "ALL", "conditions": [no]}]'),
	('[{"type": "ANY", "rules": [{"type": "ALL", "conditions": [no]}, {"type": "ALL", "conditions": [yes]}]}]'),
	('[{"type": "ALL", "conditions": [yes], "rules": [{"type": "NONE", "conditions": [yes]}]}]'),
	('[{"type": "ALL", "conditions": null, "rules": null}]')
) given (rules);
