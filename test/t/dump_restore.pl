# pg_dump and restore: all rows, sequences that go on, and the same answers.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;

# two environments of one project and a third, with all that the tables can hold
$node->safe_psql('postgres', 'CREATE DATABASE source');
$node->safe_psql('source', <<'SQL');
CREATE EXTENSION flagsmith;
CREATE FUNCTION state(id int, name text, value jsonb, shares jsonb DEFAULT '[]') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('feature', jsonb_build_object('id', id, 'name', name, 'type', 'STANDARD', 'note', null), 'enabled', true, 'django_id', 100 + id, 'feature_state_value', value,
		'multivariate_feature_state_values', shares)
$$;
CREATE FUNCTION document(key text, project int, value text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('id', project, 'api_key', key, 'name', 'é "' || key || '"', 'unknown', '{"b": [1.0, null], "a": 1}'::jsonb, 'hide_disabled_flags', null,
		'project', jsonb_build_object('id', project, 'name', 'shop', 'organisation', '{"id": 1}'::jsonb, 'server_key_only_feature_ids', '[3]'::jsonb, 'segments', jsonb_build_array(
			jsonb_build_object('id', 9, 'name', 'pros', 'rules', '[{"type": "ALL", "conditions": [{"operator": "EQUAL", "property_": "plan", "value": "pro"}]}]'::jsonb,
				'feature_states', jsonb_build_array(state(1, 'banner', to_jsonb(value || ' pro')))),
			jsonb_build_object('id', 8, 'name', 'half', 'rules', '[{"type": "ALL", "conditions": [{"operator": "PERCENTAGE_SPLIT", "property_": "", "value": "50"}]}]'::jsonb))),
		'feature_states', jsonb_build_array(state(1, 'banner', to_jsonb(value)), state(3, 'secret', '7.0'),
			state(2, 'price', '10', '[{"id": 4, "percentage_allocation": 33.5, "multivariate_feature_option": {"id": 5, "value": "x", "key": "v"}}]')),
		'identity_overrides', jsonb_build_array(jsonb_build_object('identifier', 'u1', 'dashboard_alias', 'U', 'identity_features', jsonb_build_array(
			state(2, 'price', '11', '[{"percentage_allocation": 100, "multivariate_feature_option": {"value": 12.50}}]')))))
$$;
SELECT flagsmith.import_environment(document('client', 1, 'hello')), flagsmith.import_environment(document('second', 1, 'hi')), flagsmith.import_environment(document('third', 2, 'hey'));
SELECT flagsmith.set_traits('client', 'u' || n, jsonb_build_object('plan', CASE n % 3 WHEN 0 THEN 'pro' END, 'int', 7, 'float', 7.0, 'n', n)) FROM generate_series(1, 200) n;
INSERT INTO flagsmith.environment_key (environment_id, key, active, expires_at) SELECT id, 'ser.' || api_key, api_key <> 'third', now() + interval '1 day' FROM flagsmith.environment;
SELECT flagsmith.create_server_key('client');
SELECT flagsmith.http_post('/api/v1/analytics/flags/', '{"x-environment-key": "client"}', '{"banner": 2}');
SELECT flagsmith.record_api_usage('[{"resource": "flags", "count": 3, "headers": {"x-environment-key": "client"}}]');
INSERT INTO flagsmith.feature_state (environment_id, feature_id, value, live_from, published)
SELECT e.id, f.id, '"later"', now() + interval '1 hour', n = 1 FROM flagsmith.environment e JOIN flagsmith.feature f USING (project_id), generate_series(1, 2) n WHERE f.name = 'banner';
SQL

# every row of every table, every sequence, and what the functions answer
my $rows = <<'SQL';
SELECT relname, (xpath('//row/md5/text()', query_to_xml(format('SELECT md5(string_agg(t::text, E''\n'' ORDER BY t::text COLLATE "C")) FROM %s t', oid::regclass), false, false, '')))[1]
FROM pg_class WHERE relnamespace = 'flagsmith'::regnamespace AND relkind = 'r' AND relname <> ALL ('{cache_sentinel,attachment,attached_change}') ORDER BY relname COLLATE "C";
SQL
my $sequences = <<'SQL';
SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'flagsmith' ORDER BY sequencename COLLATE "C";
SQL
my $answers = <<'SQL';
SELECT key, flagsmith.environment_document(key) FROM unnest('{client,second,third,ser.client}'::text[]) key;
SELECT key, identifier, flagsmith.identity_document(key, identifier), f
FROM unnest('{client,second,third,ser.client,ser.second}'::text[]) key, (SELECT 'u' || n AS identifier FROM generate_series(1, 200) n) i, flagsmith.get_identity_flags(key, identifier) f;
SELECT key, (SELECT array_agg(s) FROM flagsmith.get_identity_segments(key, 'u' || n) s) FROM unnest('{client,second}'::text[]) key, generate_series(1, 200) n;
SQL
my %before = map { $_ => $node->safe_psql('source', $_) } $rows, $sequences, $answers;
my @tables = split /\n/, $before{$rows};
cmp_ok(scalar @tables, '>', 10, 'there are tables');
is(scalar(grep { !/\|[0-9a-f]{32}$/ } @tables), 0, 'and none is empty');

my $dir = PostgreSQL::Test::Utils::tempdir();

sub check_restored
{
	my ($database) = @_;

	is($node->safe_psql($database, $rows), $before{$rows}, "$database: all rows");
	is($node->safe_psql($database, $sequences), $before{$sequences}, "$database: sequences");
	is($node->safe_psql($database, $answers), $before{$answers}, "$database: answers");
	my ($status, undef, $errors) = $node->psql($database, "SELECT * FROM flagsmith.get_environment_flags('ser.third')");
	like($errors, qr/invalid environment key/, "$database: a key that was not active is not");

	# what is new gets ids that nothing has
	$node->safe_psql($database, <<'SQL');
SELECT flagsmith.import_environment(document('fourth', 3, 'new')), flagsmith.import_environment(document('client', 1, 'changed'));
SELECT flagsmith.create_server_key('fourth'), flagsmith.set_traits('fourth', 'u1', '{"plan": "pro"}'), flagsmith.set_traits('client', 'u1', '{"plan": "pro"}');
SQL
	is( $node->safe_psql($database, q{SELECT flagsmith.get_feature_value(key, 'banner', 'u1') FROM unnest('{fourth,client,second}'::text[]) key}),
		qq{"new pro"\n"changed pro"\n"hi"},
		"$database: goes on");
	my $fresh = $node->safe_psql($database, 'SELECT max(id) FROM flagsmith.feature_state');
	my ($old) = $before{$sequences} =~ /^feature_state_id_seq\|(\d+)$/m;
	cmp_ok($fresh, '>', $old, "$database: ids go on");
}

$node->command_ok([ 'pg_dump', '-f', "$dir/plain.sql", $node->connstr('source') ], 'plain dump');
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('plain'), '-f', "$dir/plain.sql" ], 'plain restore');
check_restored('plain');

$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/custom", $node->connstr('source') ], 'custom dump');
$node->safe_psql('postgres', 'CREATE DATABASE custom');
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('custom'), "$dir/custom" ], 'custom restore');
check_restored('custom');

# In parallel, the rows of an extension's tables come in any order, as pg_dump leaves out that
# one table refers to another; so the checks are left out too, which the dump has passed.
$node->safe_psql('postgres', 'CREATE DATABASE parallel');
{
	local $ENV{PGOPTIONS} = '-c session_replication_role=replica';
	$node->command_ok([ 'pg_restore', '-e', '-j', '4', '-d', $node->connstr('parallel'), "$dir/custom" ], 'custom restore in parallel');
}
check_restored('parallel');

# the rows alone, into an extension that is there; a dump of what was restored is the same
$node->command_ok([ 'pg_dump', '--data-only', '-Fc', '-f', "$dir/data", $node->connstr('source') ], 'dump of the rows');
$node->safe_psql('postgres', 'CREATE DATABASE rows');
$node->safe_psql('rows', 'CREATE EXTENSION flagsmith');
$node->command_ok([ 'pg_restore', '-e', '--data-only', '-d', $node->connstr('rows'), "$dir/data" ], 'restore of the rows');
is($node->safe_psql('rows', $rows), $before{$rows}, 'rows: all rows');
is($node->safe_psql('rows', $sequences), $before{$sequences}, 'rows: sequences');

$node->stop;
done_testing();
