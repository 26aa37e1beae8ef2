# Many sessions at once: no trait is lost, and no reader sees half an import.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant SESSIONS => 50;
use constant CALLS => 40;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', 'max_connections = ' . (SESSIONS + 20));
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION flagsmith;

-- an environment of 20 features in which all there is says the same number; no identity's own
-- overrides, which are read with each call and can be a commit ahead (docs/operations.md)
CREATE FUNCTION document(value int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('api_key', 'client', 'name', 'env ' || value,
		'project', jsonb_build_object('id', 1, 'name', 'p', 'segments', jsonb_build_array(jsonb_build_object(
			'id', value % 3, 'name', 'all ' || value % 3, 'rules', '[{"type": "ALL"}]'::jsonb,
			'feature_states', (SELECT jsonb_agg(jsonb_build_object('feature', jsonb_build_object('name', 'f' || n), 'enabled', true, 'feature_state_value', value)) FROM generate_series(1, 10) n)))),
		'feature_states', (SELECT jsonb_agg(jsonb_build_object('feature', jsonb_build_object('name', 'f' || n), 'enabled', true, 'feature_state_value', CASE WHEN n > 10 THEN value END)) FROM generate_series(1, 20) n))
$$;
SELECT flagsmith.import_environment(document(0));
CREATE SEQUENCE number;

-- an error unless the whole answer says one number
CREATE FUNCTION check_answer(key text, identifier text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	seen int[];
	features int;
BEGIN
	SELECT array_agg(DISTINCT value::int), count(*) INTO seen, features FROM flagsmith.get_identity_flags(key, identifier);
	IF cardinality(seen) <> 1 OR features <> 20 THEN
		RAISE EXCEPTION 'mixed: % features say %', features, seen;
	END IF;
	RETURN seen[1];
END
$$;
SQL
my $options = sprintf '--no-vacuum --client=%d --jobs=2 --transactions=%d', SESSIONS, CALLS;
my $done = [ qr{processed: @{[SESSIONS * CALLS]}/@{[SESSIONS * CALLS]}} ];

# one identity, a trait of its own in each call
$node->pgbench($options, 0, $done, [qr{^}], 'set_traits() on one identity',
	{ 'one' => q{SELECT flagsmith.set_traits('client', 'one', jsonb_build_object('t' || nextval('number'), :client_id));} });
is( $node->safe_psql('postgres', q{
		SELECT count(*) FROM flagsmith.identity, jsonb_object_keys(traits) WHERE identifier = 'one'}),
	SESSIONS * CALLS,
	'no trait is lost');

# identities that come to be in many sessions at the same time, and merge and lose traits
$node->safe_psql('postgres', q{ALTER SEQUENCE number RESTART});
$node->pgbench($options, 0, $done, [qr{^}], 'set_traits() on new identities',
	{ 'new' => q{
SELECT nextval('number') - 1 AS n \gset
SELECT flagsmith.set_traits('client', 'new ' || :n / 25, jsonb_build_object('t' || :n, 1, 'never', NULL, 'shared', :client_id));
} });
is( $node->safe_psql('postgres', q{
		SELECT count(*), min(traits), max(traits)
		FROM (SELECT identifier, count(*) AS traits FROM flagsmith.identity, jsonb_object_keys(traits) WHERE identifier LIKE 'new %' GROUP BY identifier) i}),
	join('|', SESSIONS * CALLS / 25, 26, 26),
	'each identity has the traits of all');

# importers and readers; a reader goes by key or by server key, alone or twice in a transaction
my $key = $node->safe_psql('postgres', q{SELECT flagsmith.create_server_key('client')});
$node->pgbench($options, 0, $done, [qr{^(?!.*mixed)}s], 'readers beside imports',
	{
		'import@1' => q{
\set value random(1, 1000000)
SELECT flagsmith.import_environment(document(:value));
},
		'read@6' => q{SELECT check_answer('client', 'ann');},
		'read_server@6' => qq{SELECT check_answer('$key', 'bob');},
		# that both are one and the same is for cache_visibility.spec: a snapshot taken in the
		# instant between a commit and its message may see either first
		'read_again@3' => qq{
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT check_answer('client', 'ann');
SELECT check_answer('$key', 'ann');
COMMIT;
},
		'set@3' => q{SELECT flagsmith.set_traits('client', 'ann', jsonb_build_object('t' || :client_id, random()));},
	});
is($node->safe_psql('postgres', q{SELECT count(*) FROM flagsmith.environment, flagsmith.project, flagsmith.segment}), '1', 'one environment is left, of one project with one segment');
is($node->safe_psql('postgres', q{SELECT count(*) FROM flagsmith.feature}), '20', 'and its features');

$node->stop;
done_testing();
