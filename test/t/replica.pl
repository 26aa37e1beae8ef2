# Sessions of a hot standby that stay, beside all that happens on the primary: what they have
# cached is current when replay is, whatever kind of transaction they are in, and they write
# as soon as the standby is promoted.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1, extra => [ '--encoding=UTF8', '--no-locale' ]);
$primary->start;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

# Runs SQL on the primary and waits until it is replayed.
sub change
{
	my ($sql) = @_;
	my $output = $primary->safe_psql('postgres', $sql);

	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	return $output;
}

change(<<'SQL');
CREATE EXTENSION flagsmith;
CREATE FUNCTION document(key text, value text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('api_key', key, 'name', key,
		'project', jsonb_build_object('id', 1, 'name', 'p ' || key, 'segments', '[{"id": 1, "name": "pros", "rules": [{"type": "ALL", "conditions": [{"property_": "plan", "operator": "EQUAL", "value": "pro"}]}],
			"feature_states": [{"feature": {"name": "g"}, "enabled": true, "feature_state_value": "for pros"}]}]'::jsonb),
		'feature_states', jsonb_build_array(
			jsonb_build_object('feature', '{"name": "f"}'::jsonb, 'enabled', true, 'feature_state_value', value),
			jsonb_build_object('feature', '{"name": "g"}'::jsonb, 'enabled', true, 'feature_state_value', 'for all')))
$$;
SELECT flagsmith.import_environment(document('a', 'first')), flagsmith.import_environment(document('b', 'other'));
SELECT flagsmith.set_traits('a', 'u', '{"plan": "pro"}');
SQL
my $key = change(q{SELECT flagsmith.create_server_key('a')});

my $f = q{SELECT flagsmith.get_feature_value('a', 'f', 'u') #>> '{}'};
my $both = q{SELECT string_agg(feature || ' ' || (value #>> '{}'), ', ' ORDER BY feature) FROM flagsmith.get_identity_flags('a', 'u')};
my $by_key = "SELECT flagsmith.get_feature_value('$key', 'f') #>> '{}'";
my $b = q{SELECT flagsmith.get_feature_value('b', 'f') #>> '{}'};
my ($single, $block, $fixed) = map { session($standby) } 1 .. 3;

ask($block, 'BEGIN');
ask($fixed, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
is(ask($_, "$both; $by_key; $b"), "f first, g for pros\nfirst\nother", 'a session of the standby answers') for ($single, $block, $fixed);

# one change after the other, each in sessions that have cached what was before
for my $n (1 .. 20)
{
	change(qq{UPDATE flagsmith.feature_state s SET value = '"n $n"' FROM flagsmith.feature f, flagsmith.environment e
		WHERE f.id = s.feature_id AND f.name = 'f' AND e.id = s.environment_id AND e.api_key = 'a'});
	my $got = join ', ', map { ask($_, $f) } ($single, $block, $fixed);
	is($got, "n $n, n $n, first", 'a change') if $got ne "n $n, n $n, first" || $n == 20;
}
is(ask($single, $b), 'other', 'another environment');
is(ask($single, 'SELECT builds FROM flagsmith.cache_stats()'), 22, 'which is not built again');

# what is not committed, or comes to nothing
my $writer = session($primary);
ask($writer, q{BEGIN; UPDATE flagsmith.feature_state SET value = '"open"'; SAVEPOINT s; UPDATE flagsmith.feature_state SET value = '"nested"'});
change('SELECT pg_switch_wal()');
is(ask($single, $f), 'n 20', 'a transaction in progress is not seen');
ask($writer, 'ROLLBACK TO s; COMMIT');
change('SELECT txid_current()');
is(ask($_, $f), 'open', 'and is when it is committed, but for what was rolled back') for ($single, $block);
ask($writer, q{BEGIN; UPDATE flagsmith.feature_state SET value = '"never"'});
ask($writer, 'ROLLBACK');
change('SELECT txid_current()');
is(ask($single, $f), 'open', 'a rollback changes nothing');
is(ask($fixed, "$both; $by_key"), "f first, g for pros\nfirst", 'a snapshot stays');
ask($fixed, 'COMMIT');
is(ask($fixed, "$both; $by_key"), "f open, g open\nopen", 'to the end of its transaction');
ask($block, 'COMMIT');

# replay would wait for the locks of transactions here: there is none
change('BEGIN; TRUNCATE flagsmith.feature_state CASCADE; COMMIT');
is(ask($single, $both), '', 'TRUNCATE');
change(q{SELECT flagsmith.import_environment(document('a', 'again'))});
is(ask($single, $both), 'f again, g for pros', 'an import');
change(q{SELECT flagsmith.set_traits('a', 'u', '{"plan": "free"}')});
is(ask($single, $both), 'f again, g for all', 'traits');
change(q{INSERT INTO flagsmith.identity_override (environment_id, identifier, feature_id, value)
	SELECT environment_id, 'u', feature_id, '"for you"' FROM flagsmith.feature_state s JOIN flagsmith.feature f ON f.id = s.feature_id WHERE f.name = 'f'});
is(ask($single, $both), 'f for you, g for all', 'an override');
change("SELECT flagsmith.revoke_server_key('$key')");
is(ask($_, $by_key), 'ERROR:  FS001', 'a key is revoked') for ($single, $block, $fixed);

# a schedule; the primary is silent meanwhile
change(q{DELETE FROM flagsmith.identity_override;
	INSERT INTO flagsmith.feature_state (environment_id, feature_id, value, live_from)
	SELECT environment_id, feature_id, '"planned"', clock_timestamp() + interval '2 s' FROM flagsmith.feature_state s JOIN flagsmith.feature f ON f.id = s.feature_id WHERE f.name = 'f'});
is(ask($single, $f), 'again', 'a schedule is not due');
is(ask($single, "SELECT pg_sleep(2.2); $f"), "\nplanned", 'and is, without anything from the primary');

# writes
my (undef, undef, $error) = $standby->psql('postgres', qq{\\set VERBOSITY verbose\nSELECT flagsmith.set_traits('a', 'u', '{}')});
like($error, qr/ERROR:  25006: cannot set traits on a standby\nHINT:  Send writes to the primary; flags can be read here\./, 'set_traits() says where to go');
is(ask($single, q{SELECT flagsmith.set_traits('a', 'u', '{"plan": "pro"}')}), 'ERROR:  25006', 'in a session that stays');
is(ask($single, $both), 'f planned, g for all', 'which goes on');

# the same sessions after a promotion
end_session($writer);
$primary->stop;
$standby->promote;
is(ask($single, $both), 'f planned, g for all', 'promoted: it answers');
is(ask($single, q{SELECT flagsmith.set_traits('a', 'u', '{"plan": "pro"}')}), '{"plan": "pro"}', 'set_traits() works');
is(ask($single, q{SELECT flagsmith.set_traits('a', 'new', '{"plan": "pro"}')}), '{"plan": "pro"}', 'of a new identity too');
is(ask($_, $both), 'f planned, g for pros', 'all see it') for ($single, $block, $fixed);
is(ask($fixed, q{UPDATE flagsmith.feature_state SET value = '"promoted"'; } . $both), 'f promoted, g promoted', 'a change is seen where it is made');
is(ask($single, $both), 'f promoted, g promoted', 'and elsewhere');

end_session($_) for ($single, $block, $fixed);
$standby->stop;
done_testing();
