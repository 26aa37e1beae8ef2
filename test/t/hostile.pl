# Contexts that are made to hurt: the session answers, or says what is wrong, and lives; what
# an evaluation took is given back.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION flagsmith;

-- one condition on the trait "x", and the flag that those get whom it matches
CREATE FUNCTION asked(x text, operator text, value text, property text DEFAULT '"x"') RETURNS json LANGUAGE sql AS $$
	SELECT concat('{"environment": {"key": "e", "name": "e"}, "identity": {"identifier": "i", "key": "k", "traits": {"x": ', x, '}},
		"features": {"f": {"name": "f", "enabled": false, "value": null}},
		"segments": {"s": {"key": "s", "name": "s", "rules": [{"type": "ALL", "conditions": [{"property": ', property, ', "operator": "', operator, '", "value": ', value, '}]}],
			"overrides": [{"name": "f", "enabled": true, "value": null}]}}}')::json
$$;
SQL

# A name, a context as SQL, and what comes of it: true or false for the flag f of asked(), an
# SQLSTATE, or else a number of flags.
my @hostile = (
	[ 'a string of 50 MB', q~asked(to_json(repeat('x', 50000000))::text, 'EQUAL', '"x"')~, 'false' ],
	[ 'a condition of 50 MB', q~asked('"x"', 'EQUAL', to_json(repeat('x', 50000000))::text)~, 'false' ],
	[ 'two equal strings of 25 MB', q~asked(to_json(repeat('x', 25000000))::text, 'EQUAL', to_json(repeat('x', 25000000))::text)~, 'true' ],
	[ 'a string of 8 million escapes', q~asked(concat('"', repeat('\u00e9', 8000000), '"'), 'CONTAINS', '"éé"')~, 'true' ],
	[ 'a property of 50 MB', q~asked('"x"', 'IS_SET', 'null', to_json(repeat('x', 50000000))::text)~, 'false' ],
	[ 'a path of 50 MB', q~asked('"x"', 'IS_SET', 'null', to_json('$.' || repeat('x', 50000000))::text)~, 'false' ],
	[ 'a path of 5 million steps', q~asked('"x"', 'IS_SET', 'null', to_json('$' || repeat('.x', 5000000))::text)~, 'false' ],
	[ 'a filter of 5 million parentheses', q~asked('"x"', 'IS_SET', 'null', to_json('$.x[?' || repeat('(', 5000000))::text)~, 'false' ],
	[ 'an integer of 50 million digits', q~asked(repeat('9', 50000000), 'GREATER_THAN', '"1"')~, 'true' ],
	[ 'a float of 50 million digits', q~asked('0.' || repeat('9', 50000000), 'LESS_THAN_INCLUSIVE', '"1"')~, 'true' ],
	[ 'an exponent of 50 million digits', q~asked('1e' || repeat('9', 50000000), 'EQUAL', '"inf"')~, 'true' ],
	[ 'a million features', q~(SELECT json_build_object('features', json_object_agg(n, json_build_object('name', n::text, 'enabled', true, 'value', n))) FROM generate_series(1, 1000000) n)~, '1000000' ],
	[ '300,000 segments', q~(SELECT json_build_object('features', '{}'::json, 'segments', json_object_agg(n, json_build_object('key', n, 'name', n::text, 'rules', '[{"type": "ALL"}]'::json))) FROM generate_series(1, 300000) n)~, '0' ],
	[ '300,000 overrides of one feature', q~(SELECT json_build_object('features', '{"f": {"name": "f", "enabled": false, "value": 0}}'::json, 'segments', json_build_object('s', json_build_object('key', 's', 'name', 's', 'rules', '[{"type": "ALL"}]'::json, 'overrides', json_agg(json_build_object('name', 'f', 'enabled', true, 'value', n, 'priority', -n))))) FROM generate_series(1, 300000) n)~, 'true' ],
	[ '300,000 variants', q~(SELECT json_build_object('environment', '{"key": "e"}'::json, 'identity', '{"identifier": "i"}'::json, 'features', json_build_object('f', json_build_object('key', '1', 'name', 'f', 'enabled', true, 'value', 0, 'variants', json_agg(json_build_object('value', n, 'weight', 0.0001, 'priority', -n))))) FROM generate_series(1, 300000) n)~, 'true' ],
	[ 'a list of a million members', q~asked('"member 1000000"', 'IN', (SELECT json_agg('member ' || n)::text FROM generate_series(1, 1000000) n))~, 'true' ],
	[ 'a list of a million members in a string', q~asked('"member 1000000"', 'IN', (SELECT to_json(json_agg('member ' || n)::text)::text FROM generate_series(1, 1000000) n))~, 'true' ],
	[ 'a list of 25 million commas', q~asked('"x"', 'IN', to_json(repeat(',', 25000000))::text)~, 'false' ],
	[ 'a million traits', q~asked('1, ' || (SELECT string_agg(format('"x%s": 1', n), ', ') FROM generate_series(1, 1000000) n), 'EQUAL', '"1"')~, 'true' ],
	[ 'three million times the same name', q~asked('0, ' || repeat('"x": 1, ', 3000000) || '"x": 2', 'EQUAL', '"2"')~, 'true' ],
	[ 'three million [', q~repeat('[', 3000000)::json~, '54001' ],
	[ 'three million [ and ]', q~(repeat('[', 3000000) || repeat(']', 3000000))::json~, '54001' ],
	[ 'three million [ in a list in a string', q~asked('"x"', 'IN', to_json(repeat('[', 3000000))::text)~, 'false' ],
	[ 'three million [ and ] in a list in a string', q~asked('"x"', 'IN', to_json(repeat('[', 3000000) || repeat(']', 3000000))::text)~, 'false' ],
	[ 'three million {"a": in a list in a string', q~asked('"x"', 'IN', to_json('[' || repeat('{"a":', 3000000))::text)~, 'false' ],
	[ 'a trait nested 1,900 deep', q~asked(repeat('[', 1900) || repeat(']', 1900), 'CONTAINS', '"[[["')~, 'true' ],
	[ 'rules nested 1,000 deep', q~concat('{"segments": {"s": {"key": "s", "name": "s", "rules": ', repeat('[{"type": "ALL", "rules": ', 1000), '[]', repeat('}]', 1000), '}}}')::json~, '54001' ],
	[ '(a+)+$', q~asked(to_json(repeat('a', 5000) || '!')::text, 'REGEX', '"(a+)+$"')~, 'false' ],
	[ '(a+)+$ on 5 MB', q~asked(to_json(repeat('a', 5000000) || '!')::text, 'REGEX', '"(a+)+$"')~, 'false' ],
	[ '(a|a)*b on 5,000 characters', q~asked(to_json(repeat('a', 5000))::text, 'REGEX', '"(a|a)*b"')~, 'false' ],
	[ 'a* on 50 MB', q~asked(to_json(repeat('a', 50000000))::text, 'REGEX', '"a*"')~, 'true' ],
	[ 'a pattern of 50 MB', q~asked('"a"', 'REGEX', to_json(repeat('a', 50000000))::text)~, 'false' ],
	[ 'a pattern of five million groups', q~asked('"a"', 'REGEX', to_json(repeat('(', 5000000) || repeat(')', 5000000))::text)~, 'false' ],
	[ 'repeats of repeats', q~asked('"a"', 'REGEX', '"((((a{1,1000}){1,1000}){1,1000}){1,1000})b"')~, 'false' ],
	[ 'a version of 50 MB', q~asked(to_json('1.0.0-' || repeat('a.', 12500000) || 'b')::text, 'LESS_THAN', to_json('1.0.0-' || repeat('a.', 12500000) || 'c:semver')::text)~, 'true' ],
	[ 'a search for much in much', q~asked(to_json(repeat('a', 20000000))::text, 'CONTAINS', to_json(repeat('a', 10000000) || 'b')::text)~, 'false' ],
	[ 'a chain of 100,000 flags', q~(SELECT json_build_object('features', json_object_agg(n, json_build_object('name', n::text, 'enabled', true, 'value', n)), 'segments', json_object_agg(n, json_build_object('key', n::text, 'name', n::text, 'rules', json_build_array(json_build_object('type', 'ALL', 'conditions', json_build_array(json_build_object('property', format('$.flags.%s.value', n + 1), 'operator', 'EQUAL', 'value', '0')))), 'overrides', json_build_array(json_build_object('name', n::text, 'enabled', false, 'value', 0))))) FROM generate_series(1, 100000) n)~, '100000' ],
);

# All in one session: which one ended it, if one did, is to be seen.
my $script = "SELECT pg_backend_pid() AS pid \\gset\n\\set VERBOSITY sqlstate\n";
for my $i (0 .. $#hostile)
{
	my (undef, $context) = @{ $hostile[$i] };
	$script .= <<"SQL";
SELECT format('answer $i %s', coalesce((answer #>> '{flags,f,enabled}'), (SELECT count(*)::text FROM json_object_keys(answer -> 'flags')))) FROM flagsmith.evaluate($context) answer;
\\echo state $i :SQLSTATE
SELECT 'same $i', pg_backend_pid() = :pid;
SELECT 'contexts $i', count(*) FROM pg_backend_memory_contexts WHERE name = 'flagsmith evaluation';
SELECT 'bytes $i', sum(total_bytes) < 50000000 FROM pg_backend_memory_contexts;
SQL
}
my ($output, $errors);
my $ended = $node->psql('postgres', $script,
	stdout => \$output, stderr => \$errors, on_error_stop => 0, timeout => 4 * $PostgreSQL::Test::Utils::timeout_default);
is($ended, 0, 'the session comes to its end') or diag($errors);

for my $i (0 .. $#hostile)
{
	my ($name, undef, $expected) = @{ $hostile[$i] };
	my ($state) = $output =~ /^state $i (\w+)$/m;
	my ($answer) = $output =~ /^answer $i (\w+)$/m;

	is($answer // $state, $expected, $name);
	like($output, qr/^same $i\|t\ncontexts $i\|0\nbytes $i\|t$/m, "$name: the session lives, its memory is given back");
}

# nothing was logged of a crash, and no other session was thrown out
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|server process/, 'no backend died');
$node->stop;
done_testing();
