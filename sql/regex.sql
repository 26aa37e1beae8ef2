--
-- REGEX: Python's syntax, anchored at the start, of the text that Python makes of a value
--

CREATE FUNCTION pg_temp.context(x json, pattern text) RETURNS json
LANGUAGE sql AS $$
	SELECT json_build_object(
		'environment', json_build_object('key', 'env', 'name', 'env'),
		'identity', json_build_object('identifier', 'i', 'key', 'k', 'traits', json_build_object('x', x)),
		'segments', json_build_object('s', json_build_object('key', '8', 'name', 's', 'rules', json_build_array(
			json_build_object('type', 'ALL', 'conditions', json_build_array(
				json_build_object('property', 'x', 'operator', 'REGEX', 'value', pattern)))))))
$$;

CREATE FUNCTION pg_temp.matches(x json, pattern text) RETURNS boolean
LANGUAGE sql AS $$
	SELECT json_array_length(flagsmith.evaluate(pg_temp.context(x, pattern)) -> 'segments') = 1
$$;

CREATE TEMP TABLE asked (id serial, x json, pattern text);
INSERT INTO asked (x, pattern) VALUES
	-- the start is anchored, the end is not
	('"hello"', 'hel'), ('"hello"', 'ell'), ('"hello"', '.*ell'), ('"hello"', 'hel$'), ('"hello"', '^hello$'), ('"hello"', ''), ('""', '^$'), ('""', '.'),
	('"a\n"', 'a$'), ('"a\n"', 'a\Z'), ('"a\nb"', 'a.b'), ('"a\nb"', '(?s)a.b'), ('"a\nb"', '(?m)a$'), ('"a\rb"', 'a.b'), ('"a\r\n"', 'a$'),
	-- values as Python writes them
	('true', 'True$'), ('false', 'false'), ('1.50', '1\.5$'), ('1e16', '1e\+16$'), ('1e2', '100\.0$'), ('7', '7$'), ('"007"', '7$'), ('"007"', '0'), ('"7.0"', '7\.0$'),
	('null', '.*'), ('["a"]', '\[''a''\]$'),
	-- syntax
	('"ab"', '(?P<n>a)b'), ('"aa"', '(?P<n>a)(?P=n)'), ('"aa"', '(a)\1'), ('"ab"', 'a(?=b)'), ('"ab"', 'a(?!b)'), ('"ab"', '.*(?<=a)b'), ('"ab"', '.*(?<!a)b'),
	('"AB"', '(?i)ab'), ('"AB"', '(?i:a)B'), ('"aab"', 'a{2}b'), ('"a{,2}"', 'a{,2}'), ('"a{x}"', 'a{x}'), ('"ab"', '(?x) a  b # both'), ('"a b"', 'a\sb'), ('"a-b"', '[a\-b]{3}'),
	('"]"', '[]]'), ('"^"', '[\^]'), ('"a"', '[^]]'), ('"a|b"', 'a\|b'), ('"b"', 'a|b'), ('"color"', 'colou?r'), ('"aaa"', 'a+?b?$'), ('"a.b"', 'a\.b'),
	-- Unicode
	('"٧"', '\d$'), ('"é"', '\w$'), ('"é"', '.$'), ('"é"', '(?a)\w$'), ('"😀"', '.$'), ('"É"', '(?i)é'), ('"\u00a0"', '\s'), ('"ß"', '(?i)ss'), ('"é"', '\u00e9'), ('"é"', '\xe9'), ('"\u212a"', '(?i)k'),
	-- what Python refuses: never a match
	('"a"', '('), ('"a"', '*'), ('"a"', '[a'), ('"a"', 'a**'), ('"a"', '(?P<a>a)(?P<a>a)'), ('"a"', '\q'), ('"aa"', '(a)\2'), ('"ab"', '(?<=a*)b'), ('"b"', 'a{3,2}|b'),
	('"aaa"', '(?R)a'), ('"a"', '[[:alpha:]]'), ('"a"', '\p{L}'), ('"a"', '(?P>n)'), ('"ab"', 'a(?i)b');

SELECT x, pattern, pg_temp.matches(x, pattern) AS matches FROM asked ORDER BY id;

-- no pattern takes a backend with it: where the work has no end, there is no match
SELECT pattern, pg_temp.matches(to_json(repeat(letters, 5000) || 'b'), pattern) AS matches
FROM (VALUES
	('a', '(a+)+$'), ('a', '(a|a)*$'), ('a', '(a|aa)+$'), ('a', '(.*a){30}$'), ('ab', '(?:(?:ab)+)+$'), ('a', '(a+)+b'), ('a', 'a*b')
) given (letters, pattern);

-- patterns that are too large to be compiled match nothing either
SELECT name, pg_temp.matches('"a"', pattern) AS matches
FROM (VALUES
	('100 groups', repeat('(', 100) || 'a' || repeat(')', 100)),
	('100,000 groups', repeat('(', 100000) || 'a' || repeat(')', 100000)),
	('a million letters', repeat('a', 1000000)),
	('repeats of repeats', '(?:(?:a{1000}){1000}){1000}')
) given (name, pattern);
