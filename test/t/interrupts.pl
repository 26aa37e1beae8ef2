# A long evaluation can be ended: by statement_timeout, by pg_cancel_backend(), whatever it is
# busy with.  The statement ends with 57014, soon, and the session goes on.

use strict;
use warnings;

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# milliseconds; what is measured is far less, but test machines are slow at times
use constant TIMEOUT => 100;
use constant BOUND => 2000;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION flagsmith;

CREATE FUNCTION condition(operator text, value text, property text DEFAULT 'x') RETURNS json LANGUAGE sql AS $$
	SELECT json_build_object('property', property, 'operator', operator, 'value', value)
$$;
-- the same condition in many segments
CREATE FUNCTION segments(condition json, count int) RETURNS json LANGUAGE sql AS $$
	SELECT json_object_agg(n, json_build_object('key', n::text, 'name', 's' || n, 'rules', json_build_array(
		json_build_object('type', 'ALL', 'conditions', json_build_array(condition))))) FROM generate_series(1, count) n
$$;
CREATE FUNCTION context(x text, segments json) RETURNS json LANGUAGE sql AS $$
	SELECT json_build_object('environment', '{"key": "e", "name": "e"}'::json,
		'identity', json_build_object('identifier', 'i', 'key', 'k', 'traits', json_build_object('x', x)), 'segments', segments)
$$;
CREATE FUNCTION features(count int) RETURNS json LANGUAGE sql AS $$
	SELECT json_object_agg('f' || n, json_build_object('name', 'f' || n, 'enabled', true, 'value', n)) FROM generate_series(1, count) n
$$;

-- each would run for seconds at least, some for years
CREATE TABLE long (name text, context json);
INSERT INTO long VALUES
	('regular expressions', context(repeat('a', 5000) || '!', segments(condition('REGEX', '(a+)+$'), 30000))),
	('patterns to compile', context('x', segments(condition('REGEX', repeat('(a|b)?', 900) || 'c'), 5000))),
	('splits of a long value', context(repeat('x', 2000000), segments(condition('PERCENTAGE_SPLIT', '0'), 10000))),
	('searches in a long value', context(repeat('a', 1000000), segments(condition('CONTAINS', repeat('a', 30) || 'b'), 30000))),
	('a list of four million members, as JSON', context('x', (SELECT segments(json_build_object('property', 'x', 'operator', 'IN', 'value', json_agg('member ' || n)), 1) FROM generate_series(1, 4000000) n))),
	('the same in a string', context('x', (SELECT segments(condition('IN', json_agg('member ' || n)::text), 1) FROM generate_series(1, 4000000) n))),
	('the same with commas', context('x', (SELECT segments(condition('IN', string_agg('member ' || n, ',')), 1) FROM generate_series(1, 6000000) n))),
	('filters of filters', context('x', segments(condition('EQUAL', 'x', '$..[?count($..[?count($..*) > 1]) == 7]'), 3000))),
	('descents', context('x', segments(condition('EQUAL', 'x', '$..*..*..*..*..nothing'), 500))),
	('regular expressions in paths', context(repeat('a', 5000) || '!', segments(condition('EQUAL', 'x', '$.identity.traits[?match(@, ''(a+)+b'')]'), 3000))),
	('a million features', json_build_object('features', features(1000000)));
-- every flag depends on every other: cycles without number
INSERT INTO long
SELECT 'flags that depend on each other', json_build_object('features', features(20),
	'segments', json_object_agg(n, json_build_object('key', n::text, 'name', 's' || n,
		'rules', json_build_array(json_build_object('type', 'ANY', 'conditions', (
			SELECT json_agg(condition('EQUAL', 'x', '$.flags.f' || m || '.value')) FROM generate_series(1, 20) m))),
		'overrides', json_build_array(json_build_object('name', 'f' || n, 'enabled', true, 'value', 'x')))))
FROM generate_series(1, 20) n;

-- the same as stored data
SELECT flagsmith.import_environment(jsonb_build_object('api_key', 'client', 'name', 'e',
	'project', jsonb_build_object('id', 1, 'name', 'p', 'segments', (
		SELECT jsonb_agg(jsonb_build_object('id', n, 'name', 's' || n,
			'rules', jsonb_build_array(jsonb_build_object('type', 'ANY', 'conditions', (
				SELECT jsonb_agg(jsonb_build_object('property_', '$.flags.f' || m || '.value', 'operator', 'EQUAL', 'value', 'x')) FROM generate_series(1, 20) m))),
			'feature_states', jsonb_build_array(jsonb_build_object('feature', jsonb_build_object('id', n, 'name', 'f' || n), 'enabled', true, 'feature_state_value', 'x'))))
		FROM generate_series(1, 20) n)),
	'feature_states', (SELECT jsonb_agg(jsonb_build_object('feature', jsonb_build_object('id', n, 'name', 'f' || n), 'enabled', true, 'feature_state_value', n)) FROM generate_series(1, 20) n)));
SQL

# What the session says after the statement: how it ended, after how many milliseconds.
my $afterwards = <<'SQL';
\echo state=:state
SET statement_timeout = 0;
SELECT 'ms=' || round(extract(epoch FROM clock_timestamp() - :'begun') * 1000);
SELECT 'same=' || (pg_backend_pid() = :pid);
SELECT 'contexts=' || count(*) FROM pg_backend_memory_contexts WHERE name = 'flagsmith evaluation';
SELECT 'alive=' || flagsmith.evaluate('{"features": {"f": {"name": "f", "enabled": true, "value": 1}}}');
SQL

my $alive = quotemeta
  'alive={"flags": {"f": {"enabled": true, "name": "f", "reason": "STATIC", "value": 1, "variant": null}}, "segments": []}';

sub check_output
{
	my ($name, $output, $waited) = @_;

	like($output, qr/^state=57014$/m, "$name: ends with query_canceled");
	like($output, qr/^same=true\ncontexts=0\n$alive$/m, "$name: the session goes on");
	my ($ms) = $output =~ /^ms=(\d+)$/m;
	cmp_ok($ms // 'nothing', '<', $waited + BOUND, "$name: ends soon");
	note(sprintf '%s: %d ms late', $name, $ms - $waited) if defined $ms;
}

sub check_timeout
{
	my ($name, $statement) = @_;
	my $output;

	$node->psql('postgres', <<"SQL" . $afterwards, stdout => \$output, on_error_stop => 0);
SELECT pg_backend_pid() AS pid \\gset
SET statement_timeout = '@{[TIMEOUT]}ms';
SELECT clock_timestamp() AS begun \\gset
$statement;
\\set state :SQLSTATE
SQL
	check_output($name, $output, TIMEOUT);
}

for my $name (split /\n/, $node->safe_psql('postgres', 'SELECT name FROM long'))
{
	check_timeout($name, "SELECT flagsmith.evaluate(context) FROM long WHERE name = '$name'");
}
check_timeout("stored: $_", "SELECT $_")
  for ("* FROM flagsmith.get_identity_flags('client', 'u')",
	"flagsmith.identity_document('client', 'u')",
	"flagsmith.is_feature_enabled('client', 'f1', 'u')",
	"flagsmith.is_in_segment('client', 's1', 'u', '{}')",
	"* FROM flagsmith.get_identity_segments('client', 'u')");

# another session cancels
for my $statement (
	"SELECT flagsmith.evaluate(context) FROM long WHERE name = 'flags that depend on each other'",
	"SELECT * FROM flagsmith.get_identity_flags('client', 'u')")
{
	my $script = PostgreSQL::Test::Utils::tempdir() . '/victim.sql';
	append_to_file($script, <<"SQL" . $afterwards);
SELECT pg_backend_pid() AS pid \\gset
SET application_name = 'victim';
$statement;
\\set state :SQLSTATE
SELECT moment AS begun FROM canceled \\gset
SQL
	my ($output, $errors) = ('', '');
	my $victim = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', $script ],
		'>', \$output, '2>', \$errors,
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity
		WHERE application_name = 'victim' AND state = 'active' AND query LIKE '%flagsmith.%' AND clock_timestamp() - query_start > '100ms'")
	  or die 'the statement did not begin';
	$node->safe_psql('postgres', <<'SQL');
DROP TABLE IF EXISTS canceled;
CREATE TABLE canceled AS SELECT clock_timestamp() AS moment;
SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim';
SQL
	$victim->finish;
	like($errors, qr/canceling statement due to user request/, 'canceled by another session');
	check_output("pg_cancel_backend: $statement", $output, 0);
}

$node->stop;
done_testing();
