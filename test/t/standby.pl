# A hot standby answers, is current as soon as it has replayed, and refuses to write in words.

use strict;
use warnings;

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1, extra => [ '--encoding=UTF8', '--no-locale' ]);
$primary->start;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

$primary->safe_psql('postgres', <<'SQL');
CREATE EXTENSION flagsmith;
CREATE FUNCTION document(value text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('api_key', 'client', 'name', 'env',
		'project', '{"id": 1, "name": "p", "segments": [{"id": 1, "name": "pros", "rules": [{"type": "ALL", "conditions": [{"property_": "plan", "operator": "EQUAL", "value": "pro"}]}]}]}'::jsonb,
		'feature_states', jsonb_build_array(jsonb_build_object('feature', '{"name": "banner"}'::jsonb, 'enabled', true, 'feature_state_value', value)))
$$;
SELECT flagsmith.import_environment(document('first'));
SELECT flagsmith.set_traits('client', 'u', '{"plan": "pro"}');
SQL

# What one session of the standby sees before and after a change on the primary.
my $watch = q{SELECT concat_ws(' ', flagsmith.get_feature_value('client', 'banner', 'u') #>> '{}', (SELECT name FROM flagsmith.get_identity_segments('client', 'u')),
	flagsmith.environment_document('client') #>> '{feature_states,0,feature_state_value}', flagsmith.identity_document('client', 'u') #>> '{traits,0,trait_value}', flagsmith.is_feature_enabled('client', 'banner'))};

sub replayed
{
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
}

replayed();
is($standby->safe_psql('postgres', $watch), 'first pros first pro t', 'reads on the standby');

# one session, which has answered before the change
my $dir = PostgreSQL::Test::Utils::tempdir();
append_to_file("$dir/session.sql", <<"SQL");
$watch;
\\! touch $dir/asked
\\! while ! test -e $dir/changed; do sleep 0.05; done
$watch;
SQL
my ($output, $errors) = ('', '');
my $session = IPC::Run::start(
	[ 'psql', '-XAtq', '-d', $standby->connstr('postgres'), '-f', "$dir/session.sql" ],
	'>', \$output, '2>', \$errors,
	IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
{
	last if -e "$dir/asked";
	select(undef, undef, undef, 0.1);
}
$primary->safe_psql('postgres', q{SELECT flagsmith.import_environment(document('second')), flagsmith.set_traits('client', 'u', '{"plan": "free"}')});
replayed();
append_to_file("$dir/changed", '');
$session->finish;
is($output, "first pros first pro t\nsecond second free t\n", 'a change of the primary, in a session that knew the old');
is($errors, '', 'without an error');

my %refused = (
	q{set_traits('client', 'u', '{}')} => qr/ERROR:  25006: cannot set traits on a standby\nHINT:  Send writes to the primary; flags can be read here\./,
	q{delete_identity('client', 'u')} => qr/ERROR:  25006: cannot execute \w+ in a read-only transaction/,
	q{create_server_key('client')} => qr/ERROR:  25006: cannot execute \w+ in a read-only transaction/,
	q{import_environment('{"api_key": "client", "name": "e", "project": {"id": 1, "name": "p", "segments": []}, "feature_states": []}')} => qr/ERROR:  25006: cannot execute \w+ in a read-only transaction/);
for my $call (sort keys %refused)
{
	my (undef, undef, $error) = $standby->psql('postgres', "\\set VERBOSITY verbose\nSELECT flagsmith.$call");
	like($error, $refused{$call}, "$call is refused");
}

# after a promotion it writes
$standby->promote;
is($standby->safe_psql('postgres', q{SELECT flagsmith.set_traits('client', 'u', '{"plan": "pro"}')}), '{"plan": "pro"}', 'the new primary writes');

$standby->stop;
$primary->stop;
done_testing();
