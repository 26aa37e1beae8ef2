# flagsmith.identity as another kind of table: hash-partitioned, and with partitions that are
# on other servers.  What the functions answer and store is the same.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;


my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION flagsmith;
CREATE FUNCTION document() RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('api_key', 'a', 'name', 'a',
		'project', jsonb_build_object('id', 1, 'name', 'p', 'segments', '[{"id": 1, "name": "pros", "rules": [{"type": "ALL", "conditions": [{"property_": "plan", "operator": "EQUAL", "value": "pro"}]}],
			"feature_states": [{"feature": {"name": "f"}, "enabled": true, "feature_state_value": "for pros"}]}]'::jsonb),
		'feature_states', jsonb_build_array(jsonb_build_object('feature', '{"name": "f"}'::jsonb, 'enabled', true, 'feature_state_value', 'for all')),
		'identity_overrides', '[{"identifier": "vip", "created_date": "2026-01-01", "identity_features": [{"feature": {"name": "f"}, "enabled": true, "feature_state_value": "for you"}]}]'::jsonb)
$$;
SELECT flagsmith.import_environment(document());
SELECT flagsmith.set_traits('a', 'old ' || n, jsonb_build_object('n', n)) FROM generate_series(1, 40) n;
CREATE ROLE api;
SELECT flagsmith.grant_api('api');
SQL

my $rows = q{SELECT count(*), md5(string_agg(identifier || traits, ',' ORDER BY identifier COLLATE "C")) FROM flagsmith.identity};

# All that reads or writes identities, as a role that may only call functions.
sub check_functions
{
	my ($kind) = @_;
	my $session = session($node);
	my $flag = sub { "SELECT value #>> '{}' FROM flagsmith.get_identity_flags('a', '$_[0]')" };

	ask($session, 'SET ROLE api');
	is(ask($session, $flag->('old 7')), 'for all', "$kind: flags of an identity");
	is(ask($session, $flag->('unknown')), 'for all', "$kind: of one that is not there");
	is(ask($session, $flag->('vip')), 'for you', "$kind: of one with an override");
	is(ask($session, q{SELECT flagsmith.identity_document('a', 'old 7') #>> '{traits,0,trait_value}'}), '7', "$kind: its document");

	is(ask($session, q{SELECT flagsmith.set_traits('a', 'old 7', '{"plan": "pro"}')}), '{"n": 7, "plan": "pro"}', "$kind: set_traits() merges");
	is(ask($session, $flag->('old 7')), 'for pros', "$kind: which counts");
	is(ask($session, q{SELECT flagsmith.set_traits('a', 'old 7', '{"plan": "pro"}')}), '{"n": 7, "plan": "pro"}', "$kind: unchanged");
	is(ask($session, q{SELECT flagsmith.set_traits('a', 'old 7', '{"plan": null, "n": 7.0}')}), '{"n": 7.0}', "$kind: null removes, and 7.0 is not 7");
	is(ask($session, q{SELECT flagsmith.set_traits('a', 'old 7', '{"n": 7}')}), '{"n": 7}', "$kind: back again");
	is( ask($session, q{SELECT count(flagsmith.set_traits('a', 'new ' || n, '{"plan": "pro"}')) FROM generate_series(1, 40) n}),
		'40', "$kind: new identities");
	is( ask($session, q{SELECT count(*) FROM generate_series(1, 40) n, flagsmith.get_identity_flags('a', 'new ' || n) WHERE value = '"for pros"'}),
		'40', "$kind: their flags");

	ask($session, q{BEGIN; SELECT flagsmith.set_traits('a', 'old 7', '{"gone": 1}'), flagsmith.set_traits('a', 'never', '{"gone": 1}'); SAVEPOINT s; SELECT flagsmith.delete_identity('a', 'old 7')});
	is(ask($session, q{ROLLBACK TO s; SELECT flagsmith.identity_document('a', 'old 7')::jsonb -> 'traits' @> '[{"trait_key": "gone"}]'; ROLLBACK}), 't', "$kind: in a transaction");
	is(ask($session, q{SELECT count(flagsmith.delete_identity('a', 'new ' || n) OR NULL) FROM generate_series(1, 40) n}), '40', "$kind: delete_identity()");
	is(ask($session, q{SELECT flagsmith.delete_identity('a', 'never')}), 'f', "$kind: of one that is not there");
	is(ask($session, q{SELECT flagsmith.delete_identity('a', 'vip')}), 't', "$kind: of one with an override");
	is(ask($session, $flag->('vip')), 'for all', "$kind: which is gone");
	is(ask($session, 'TABLE flagsmith.identity'), 'ERROR:  42501', "$kind: the role cannot read the table");
	ask($session, 'RESET ROLE; SELECT flagsmith.import_environment(document())');
	is(ask($session, $flag->('vip')), 'for you', "$kind: import");
	is( ask($session, q{SELECT flagsmith.environment_document('a') #> '{identity_overrides,0}' ->> 'created_date'}),
		'2026-01-01', "$kind: environment_document()");
	end_session($session);
}

my $want = $node->safe_psql('postgres', $rows);
check_functions('plain');
is($node->safe_psql('postgres', $rows), $want, 'plain: all is as before');

# ---- partitions ----

# What an administrator types, as the owner of the extension, whose functions read the table.
# The new table is no member of the extension.  A whole dump does not restore by itself, for
# CREATE EXTENSION makes the plain table: create the extension, type this, and restore the
# data alone.
$node->safe_psql('postgres', <<'SQL');
BEGIN;
ALTER EXTENSION flagsmith DROP TABLE flagsmith.identity;
ALTER TABLE flagsmith.identity RENAME TO identity_plain;
ALTER INDEX flagsmith.identity_pkey RENAME TO identity_plain_pkey;
CREATE TABLE flagsmith.identity (LIKE flagsmith.identity_plain INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS,
	PRIMARY KEY (environment_id, identifier)) PARTITION BY HASH (environment_id, identifier);
CREATE TABLE flagsmith.identity_0 PARTITION OF flagsmith.identity FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE flagsmith.identity_1 PARTITION OF flagsmith.identity FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE flagsmith.identity_2 PARTITION OF flagsmith.identity FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE flagsmith.identity_3 PARTITION OF flagsmith.identity FOR VALUES WITH (MODULUS 4, REMAINDER 3);
INSERT INTO flagsmith.identity SELECT * FROM flagsmith.identity_plain;
DROP TABLE flagsmith.identity_plain;
COMMIT;
SQL
is($node->safe_psql('postgres', $rows), $want, 'partitioned: all rows');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT tableoid) FROM flagsmith.identity'), '4', 'in four partitions');
check_functions('partitioned');
is($node->safe_psql('postgres', $rows), $want, 'partitioned: all is as before');

# one identity is one look-up in one partition
my $scans = q{SELECT sum(pg_stat_get_xact_numscans(indexrelid)) FROM pg_index WHERE indrelid::regclass::text ~ '^flagsmith.identity_[0-3]$'};
my $session = session($node);
ask($session, q{SET enable_seqscan = off; SELECT count(flagsmith.identity_document('a', 'old ' || n)) FROM generate_series(1, 40) n});
ask($session, "BEGIN");
my ($before, $after) = (ask($session, $scans), ask($session, "SELECT count(flagsmith.identity_document('a', 'old ' || n)) FROM generate_series(1, 40) n; $scans"));
is((split /\n/, $after)[1] - $before, 40, 'an identity costs one look-up');
end_session($session);

# ---- partitions on other servers ----

SKIP:
{
	skip 'postgres_fdw is not installed', 1
	  if $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'}) eq '0';

	my @others = map { PostgreSQL::Test::Cluster->new("server$_") } 2 .. 3;
	for my $n (2, 3)
	{
		my $other = $others[ $n - 2 ];

		$other->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
		$other->start;
		# there it is a table like any other, and needs no extension
		$other->safe_psql('postgres', <<'SQL');
CREATE TABLE identity (environment_id bigint NOT NULL, identifier text NOT NULL CHECK (identifier <> ''), traits jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(traits) = 'object'),
	created_at timestamptz NOT NULL DEFAULT now(), document jsonb, PRIMARY KEY (environment_id, identifier));
SQL
		my ($host, $port) = ($other->host, $other->port);
		$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE SERVER server$n FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'postgres');
CREATE USER MAPPING FOR CURRENT_USER SERVER server$n;
SQL
	}
	# A partitioned table with foreign partitions can have no unique index: each partition
	# has its own, here as there.
	$node->safe_psql('postgres', <<'SQL');
BEGIN;
ALTER TABLE flagsmith.identity DROP CONSTRAINT identity_pkey;
ALTER TABLE flagsmith.identity_0 ADD PRIMARY KEY (environment_id, identifier);
ALTER TABLE flagsmith.identity_1 ADD PRIMARY KEY (environment_id, identifier);
ALTER TABLE flagsmith.identity DETACH PARTITION flagsmith.identity_2;
ALTER TABLE flagsmith.identity DETACH PARTITION flagsmith.identity_3;
CREATE FOREIGN TABLE flagsmith.identity_far_2 PARTITION OF flagsmith.identity FOR VALUES WITH (MODULUS 4, REMAINDER 2) SERVER server2 OPTIONS (schema_name 'public', table_name 'identity');
CREATE FOREIGN TABLE flagsmith.identity_far_3 PARTITION OF flagsmith.identity FOR VALUES WITH (MODULUS 4, REMAINDER 3) SERVER server3 OPTIONS (schema_name 'public', table_name 'identity');
INSERT INTO flagsmith.identity SELECT * FROM flagsmith.identity_2;
INSERT INTO flagsmith.identity SELECT * FROM flagsmith.identity_3;
DROP TABLE flagsmith.identity_2, flagsmith.identity_3;
COMMIT;
SQL
	is($node->safe_psql('postgres', $rows), $want, 'foreign: all rows');
	cmp_ok($_->safe_psql('postgres', 'SELECT count(*) FROM identity'), '>', 0, 'some on ' . $_->name) for @others;
	check_functions('foreign');
	is($node->safe_psql('postgres', $rows), $want, 'foreign: all is as before');

	# A session whose snapshot on the other server is older than another's commit has to try
	# again; nothing is lost.
	my $far = $node->safe_psql('postgres', q{SELECT identifier FROM flagsmith.identity_far_2 WHERE identifier LIKE 'old %' ORDER BY identifier LIMIT 1});
	my ($one, $two) = (session($node), session($node));
	my $set = sub { "SELECT flagsmith.set_traits('a', '$far', '{\"$_[0]\": 1}') ? '$_[0]'" };
	ask($one, 'BEGIN; ' . $set->('one'));
	is(ask($two, "SELECT flagsmith.get_feature_value('a', 'f', '$far') #>> '{}'"), 'for all', 'foreign: reading waits for nobody');
	$two->{in} .= $set->('two') . ";\n";
	$two->{run}->pump_nb;
	$others[0]->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE NOT granted}) or die 'nobody waits';
	ask($one, 'COMMIT');
	like(ask($two, 'SELECT 1'), qr/^ERROR:  40001\n1$/, 'foreign: the second of two sessions is told to try again');
	is(ask($two, $set->('two')), 't', 'foreign: and then is right');
	is($node->safe_psql('postgres', "SELECT traits ?& '{n,one,two}' FROM flagsmith.identity WHERE identifier = '$far'"), 't', 'foreign: no trait is lost');

	# a server that is away takes away its identities alone
	my $near = $node->safe_psql('postgres', q{SELECT min(identifier) FROM flagsmith.identity_0});
	$others[0]->stop;
	is(ask($one, "SELECT flagsmith.get_feature_value('a', 'f', '$near') #>> '{}'"), 'for all', 'foreign: a server is away, others answer');
	like(ask($one, "SELECT flagsmith.get_feature_value('a', 'f', '$far') #>> '{}'"), qr/^ERROR:  08/, 'foreign: and those of its own do not');
	$others[0]->start;
	is(ask($one, "SELECT flagsmith.get_feature_value('a', 'f', '$far') #>> '{}'"), 'for all', 'foreign: until it is back');
	end_session($_) for ($one, $two);
	$_->stop for @others;
}

$node->stop;
done_testing();
