# Attached on a primary: its hot standby evaluates what Flagsmith has changed. Attached on a
# logical subscriber of Flagsmith's tables: it evaluates next to a copy, and the primary has
# not even the extension.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $fixture = slurp_file("$FindBin::Bin/../fixtures/flagsmith.sql");
my ($primary, $standby, $subscriber) = map { PostgreSQL::Test::Cluster->new($_) } qw(primary standby subscriber);

$primary->init(allows_streaming => 'logical', extra => [ '--encoding=UTF8', '--no-locale' ]);
$primary->start;
$primary->safe_psql('postgres', "CREATE SCHEMA app; SET search_path = app; $fixture");

# as Flagsmith's migrations make the tables, but without rows
$subscriber->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$subscriber->start;
my ($schema) = run_command([ 'pg_dump', '--schema-only', '-n', 'app', $primary->connstr('postgres') ]);
$subscriber->safe_psql('postgres', $schema =~ s/^\\.*\n//mgr);
$subscriber->safe_psql('postgres', q{CREATE EXTENSION flagsmith; SELECT flagsmith.attach('app')});
my $primary_connstr = $primary->connstr . ' dbname=postgres';
$primary->safe_psql('postgres', 'CREATE PUBLICATION app FOR TABLES IN SCHEMA app');
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION app CONNECTION '$primary_connstr' PUBLICATION app");
$subscriber->wait_for_subscription_sync;

$primary->safe_psql('postgres', q{CREATE EXTENSION flagsmith; SELECT flagsmith.attach('app')});
$primary->backup('backup');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

my %session = (standby => session($standby), subscriber => session($subscriber));
my $flag = q{SELECT flagsmith.get_feature_value('env', 'banner', 'ann') #>> '{}'};
my $version = q{SELECT updated_at FROM flagsmith.environments_updated_at('{env}')};

# Changes something on the primary; all sessions elsewhere see it with their next statement.
sub check
{
	my ($sql, $expected, $what) = @_;
	my %before = map { $_ => ask($session{$_}, $version) } keys %session;

	$primary->safe_psql('postgres', $sql);
	$primary->wait_for_catchup($standby, 'replay');
	$primary->wait_for_catchup('app');
	for my $name (sort keys %session)
	{
		is(ask($session{$name}, $flag), $expected, "$name: $what");
		cmp_ok(ask($session{$name}, $version), '>', $before{$name}, "$name: with a later version");
	}
}

is(ask($session{$_}, $flag), 'hello, pro', "$_: evaluates") for sort keys %session;
check(q{UPDATE app.features_featurestatevalue SET string_value = 'hi, pro' WHERE id = 3}, 'hi, pro', 'a value');
check(q{UPDATE app.segments_condition SET value = 'basic'}, 'hello', 'a segment');
check(q{DELETE FROM app.features_featurestatevalue WHERE id = 1}, '', 'a state without its value');
check(q{INSERT INTO app.features_featurestatevalue (type, string_value, feature_state_id) VALUES ('unicode', 'hey', 1)}, 'hey', 'and with another');
check(q{TRUNCATE app.segments_condition; INSERT INTO app.segments_condition (operator, property, value, rule_id) VALUES ('IS_SET', 'plan', '', 2)}, 'hi, pro', 'a truncated table');

is(ask($session{standby}, q{SELECT count(*) FROM flagsmith.attach_status()}), 2, 'standby: nothing is missing');
is(ask($session{standby}, q{SELECT flagsmith.set_traits('env', 'ann', '{"plan": null}')}), 'ERROR:  25006', 'standby: writes nothing');
$primary->safe_psql('postgres', 'SELECT flagsmith.detach()');
$primary->wait_for_catchup($standby, 'replay');
is(ask($session{standby}, $flag), 'ERROR:  FS001', 'standby: detached with its primary');
is(ask($session{subscriber}, $flag), 'hi, pro', 'subscriber: attached by itself');

end_session($_) for values %session;
$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION app');
$_->stop for $standby, $primary, $subscriber;
done_testing();
