--
-- Versions: condition values that end with ":semver"
--

CREATE FUNCTION pg_temp.context(operator text, x text, value text) RETURNS json
LANGUAGE sql AS $$
	SELECT json_build_object(
		'environment', json_build_object('key', 'env', 'name', 'env'),
		'identity', json_build_object('identifier', 'i', 'key', 'k', 'traits', json_build_object('x', x::json)),
		'segments', json_build_object('s', json_build_object('key', '8', 'name', 's', 'rules', json_build_array(
			json_build_object('type', 'ALL', 'conditions', json_build_array(
				json_build_object('property', 'x', 'operator', operator, 'value', value || ':semver')))))))
$$;

CREATE FUNCTION pg_temp.matches(operator text, x text, value text) RETURNS boolean
LANGUAGE sql AS $$
	SELECT json_array_length(flagsmith.evaluate(pg_temp.context(operator, x, value)) -> 'segments') = 1
$$;

-- all versions of this list, which is in the order that SemVer 2.0.0 gives, against each other
CREATE TEMP TABLE version (place serial, x text);
INSERT INTO version (x) VALUES
	('0.0.0-0'), ('0.0.0'), ('0.9.0'), ('0.10.0'), ('1.0.0-1'), ('1.0.0-2'), ('1.0.0-11'), ('1.0.0-99999999999999999999'), ('1.0.0--'),
	('1.0.0-11a'), ('1.0.0-1a'), ('1.0.0-alpha'), ('1.0.0-alpha.1'), ('1.0.0-alpha.1.0'), ('1.0.0-alpha.beta'), ('1.0.0-beta'),
	('1.0.0-beta.2'), ('1.0.0-beta.11'), ('1.0.0-rc.1'), ('1.0.0'), ('1.0.1-a'), ('1.0.1'), ('2.0.0'),
	('99999999999999999999.0.0'), ('100000000000000000000.0.0');

SELECT operator, count(*) AS pairs, count(*) FILTER (WHERE pg_temp.matches(operator, to_json(a.x)::text, b.x)) AS matches,
	bool_and(pg_temp.matches(operator, to_json(a.x)::text, b.x) = CASE operator
		WHEN 'EQUAL' THEN a.place = b.place
		WHEN 'NOT_EQUAL' THEN a.place <> b.place
		WHEN 'GREATER_THAN' THEN a.place > b.place
		WHEN 'GREATER_THAN_INCLUSIVE' THEN a.place >= b.place
		WHEN 'LESS_THAN' THEN a.place < b.place
		ELSE a.place <= b.place END) AS right
FROM version a, version b, (VALUES (1, 'EQUAL'), (2, 'NOT_EQUAL'), (3, 'GREATER_THAN'), (4, 'GREATER_THAN_INCLUSIVE'),
	(5, 'LESS_THAN'), (6, 'LESS_THAN_INCLUSIVE')) compared (number, operator)
GROUP BY number, operator ORDER BY number;

-- the build says nothing about the order
SELECT operator, pg_temp.matches(operator, '"1.0.0+a"', '1.0.0+b') AS matches
FROM (VALUES ('EQUAL'), ('NOT_EQUAL'), ('GREATER_THAN'), ('GREATER_THAN_INCLUSIVE')) compared (operator);

-- what is no version, on either side, never matches; a number is a number first
CREATE TEMP TABLE asked (x text, value text);
INSERT INTO asked VALUES
	('"1.2.3"', '1.2.3'), ('"v1.2.3"', '1.2.3'), ('"1.2.3"', 'v1.2.3'), ('"1.2"', '1.2'), ('"1"', '1'), ('1.2', '1.2'), ('7', '7'),
	('"1.2.3.4"', '1.2.3.4'), ('"01.2.3"', '1.2.3'), ('"1.2.3-01"', '1.2.3-01'), ('"1.2.3-0a"', '1.2.3-0a'), ('"1.2.3-"', '1.2.3-'), ('"1.2.3-a..b"', '1.2.3-a..b'),
	('"1.2.3+01"', '1.2.3'), ('"1.2.3+"', '1.2.3'), ('"1.2.3-é"', '1.2.3-é'), ('" 1.2.3"', '1.2.3'), ('""', ''), ('true', '1.2.3'), ('false', '1.2.3'), ('null', '1.2.3'),
	('"1.2.3:semver"', '1.2.3'), ('"-1.0.0"', '1.0.0');

SELECT x, value, pg_temp.matches('EQUAL', x, value) AS equal, pg_temp.matches('NOT_EQUAL', x, value) AS not_equal,
	pg_temp.matches('LESS_THAN_INCLUSIVE', x, value) AS "<="
FROM asked;

-- CONTAINS finds a whole prerelease or build, the other operators know no versions
INSERT INTO asked VALUES
	('"1.0.0-beta.1+exp.7"', 'beta.1'), ('"1.0.0-beta.1+exp.7"', 'exp.7'), ('"1.0.0-beta.1+exp.7"', 'beta'), ('"1.0.0-beta.1+exp.7"', '1.0.0'), ('"1.0.0"', '');

SELECT x, value, pg_temp.matches('CONTAINS', x, value) AS contains, pg_temp.matches('NOT_CONTAINS', x, value) AS not_contains,
	pg_temp.matches('IN', x, value) AS in
FROM asked WHERE x LIKE '"1.0.0%' OR x = '"1.2.3:semver"';
