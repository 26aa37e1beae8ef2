# A logical subscriber of the configuration tables: it has identities of its own, and changes
# on the publisher take effect in sessions that have cached what was before.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my ($publisher, $subscriber) = map { PostgreSQL::Test::Cluster->new($_) } ('publisher', 'subscriber');
for my $node ($publisher, $subscriber)
{
	$node->init(allows_streaming => 'logical', extra => [ '--encoding=UTF8', '--no-locale' ]);
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION flagsmith');
}
$publisher->safe_psql('postgres', <<'SQL');
CREATE FUNCTION document(key text, value text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('api_key', key, 'name', key,
		'project', jsonb_build_object('id', 1, 'name', 'p ' || key, 'segments', '[{"id": 1, "name": "pros", "rules": [{"type": "ALL", "conditions": [{"property_": "plan", "operator": "EQUAL", "value": "pro"}]}],
			"feature_states": [{"feature": {"name": "g"}, "enabled": true, "feature_state_value": "for pros"}]}]'::jsonb),
		'feature_states', jsonb_build_array(
			jsonb_build_object('feature', '{"name": "f"}'::jsonb, 'enabled', true, 'feature_state_value', value),
			jsonb_build_object('feature', '{"name": "g"}'::jsonb, 'enabled', true, 'feature_state_value', 'for all')))
$$;
SELECT flagsmith.import_environment(document('a', 'first'));
SQL

# a session that has found nothing before there was a subscription
my $f = q{SELECT flagsmith.get_feature_value('a', 'f') #>> '{}'};
my $both = q{SELECT string_agg(feature || ' ' || (value #>> '{}'), ', ' ORDER BY feature) FROM flagsmith.get_identity_flags('a', 'u')};
my $session = session($subscriber);
is(ask($session, $f), 'ERROR:  FS001', 'nothing is there');

# all tables that tell of changes are what is to be published
my $tables = $publisher->safe_psql('postgres', q{SELECT string_agg(tgrelid::regclass::text, ', ') FROM pg_trigger WHERE tgname = 'invalidate'});
my $publisher_connstr = $publisher->connstr . ' dbname=postgres';
$publisher->safe_psql('postgres', "CREATE PUBLICATION configuration FOR TABLE $tables");
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION configuration CONNECTION '$publisher_connstr' PUBLICATION configuration WITH (copy_data)");
$subscriber->poll_query_until('postgres', q{SELECT count(*) > 0 AND bool_and(srsubstate IN ('r', 's')) FROM pg_subscription_rel}) or die 'the tables are not copied';

# Runs SQL on the publisher and waits until it is applied.
sub change
{
	my ($sql) = @_;
	my $output = $publisher->safe_psql('postgres', $sql);

	$publisher->wait_for_catchup('configuration');
	return $output;
}

change('SELECT txid_current()');
is(ask($session, $both), 'f first, g for all', 'the first copy');
is(ask($session, q{SELECT flagsmith.set_traits('a', 'u', '{"plan": "pro"}')}), '{"plan": "pro"}', 'identities are its own');
is(ask($session, $both), 'f first, g for pros', 'and are evaluated');

my $fixed = session($subscriber);
my $block = session($subscriber);
ask($block, 'BEGIN');
is(ask($block, $f), 'first', 'in a transaction');
ask($fixed, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
is(ask($fixed, $f), 'first', 'with a snapshot');
change(q{UPDATE flagsmith.feature_state SET value = '"second"' WHERE segment_id IS NULL});
is(ask($session, $both), 'f second, g for pros', 'UPDATE');
is(ask($block, $f), 'second', 'in a transaction that goes on');
is(ask($fixed, $f), 'first', 'but not before the end of a snapshot');
ask($_, 'COMMIT') for ($block, $fixed);
is(ask($fixed, $f), 'second', 'and then');

change(q{INSERT INTO flagsmith.identity_override (environment_id, identifier, feature_id, value)
	SELECT environment_id, 'u', feature_id, '"for you"' FROM flagsmith.feature_state s JOIN flagsmith.feature f ON f.id = s.feature_id WHERE f.name = 'f'});
is(ask($session, $both), 'f for you, g for pros', 'INSERT');
change('DELETE FROM flagsmith.identity_override');
is(ask($session, $both), 'f second, g for pros', 'DELETE');
change(q{UPDATE flagsmith.segment SET rules = '[]'});
is(ask($session, $both), 'f second, g second', 'a segment');
my $key = change(q{SELECT flagsmith.create_server_key('a')});
my $by_key = "SELECT flagsmith.get_feature_value('$key', 'f') #>> '{}'";
is(ask($session, $by_key), 'second', 'a key');
change("SELECT flagsmith.revoke_server_key('$key')");
is(ask($session, $by_key), 'ERROR:  FS001', 'that is revoked');
change(q{SELECT flagsmith.import_environment(document('a', 'third'))});
is(ask($session, $both), 'f third, g for pros', 'an import');
change(q{BEGIN; UPDATE flagsmith.feature_state SET value = '"never"'; ROLLBACK; SELECT txid_current()});
is(ask($session, $f), 'third', 'a rollback');

change('TRUNCATE flagsmith.feature_state CASCADE');
is(ask($session, $both), '', 'TRUNCATE');
change('TRUNCATE flagsmith.project CASCADE');
is(ask($session, $f), 'ERROR:  FS001', 'TRUNCATE of all');
change(q{SELECT flagsmith.import_environment(document('a', 'fourth'))});
is(ask($session, $f), 'fourth', 'and an import after it');
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM flagsmith.identity'), '1', 'the identities of the subscriber stay');

end_session($_) for ($session, $block, $fixed);
$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION configuration');
$subscriber->stop;
$publisher->stop;
done_testing();
