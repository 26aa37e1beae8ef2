# The API instance when the primary goes: a standby is promoted, and writes go there; what
# reads from a replica goes on without it.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Api;
use Bouncer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'pgbouncer is not installed' unless defined Bouncer::program();

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1, extra => [ '--encoding=UTF8', '--no-locale' ]);
$primary->append_conf('postgresql.conf', "log_statement = none\nmax_connections = 100\n");
$primary->start;
$primary->safe_psql('postgres', 'CREATE DATABASE flagsmith');
$primary->safe_psql('flagsmith', "CREATE EXTENSION flagsmith; $Api::environment");
Bouncer::set_up($primary);
$primary->safe_psql('postgres', "ALTER ROLE $_ PASSWORD '$Bouncer::password'") for qw(pgbouncer_auth flagsmith_api);
$primary->backup('base');
my @standbys = map { PostgreSQL::Test::Cluster->new("standby$_") } 1 .. 2;
for my $standby (@standbys)
{
	$standby->init_from_backup($primary, 'base', has_streaming => 1);
	$standby->start;
}
my @bouncers = map { Bouncer->new($_) } $primary, $standbys[0];
# what a session is told as it begins, pgbouncer tells all later ones: this is a standby
is($bouncers[1]->through('SELECT pg_is_in_recovery()'), 't', 'a pgbouncer before a standby');

# The connection string of servers by host and port, of which the one that takes writes counts.
sub hosts
{
	my @both = @_;

	return 'host=' . join(',', map { $_->[0] } @both) . ' port=' . join(',', map { $_->[1] } @both)
		. " dbname=flagsmith user=flagsmith_api password='$Bouncer::password' target_session_attrs=read-write";
}

my @replica = ('--replica', $standbys[1]->connstr('flagsmith') . ' user=flagsmith_api');
my @direct = ('--database', hosts([ $primary->host, $primary->port ], [ $standbys[0]->host, $standbys[0]->port ]));

# the replica goes and comes back; statements have long, so that a slow machine ends none
my $reader = Api->new('--timeout', '20000', @replica, @direct);
my $load = $reader->clients(16, 4);
sleep 0.5;
$standbys[1]->stop('fast');
my $start = time;
is($reader->ask('GET', '/api/v1/flags/') =~ /^(\d+)/ ? $1 : 0, 200, 'a read without its replica');
cmp_ok(time - $start, '<', 3, 'is answered by the primary in time');
sleep 1.5;
$standbys[1]->start;
my $counts = Api::results($load);
is($counts->{wrong}, '', 'without the replica nothing is answered wrongly');
is($counts->{told}, 0, 'and nobody is refused');
cmp_ok($counts->{slowest}, '<', 3, "nor waits long ($counts->{right} right)");
$reader->end;

# the primary falls silent, as a machine does that is cut off, and the standby takes over
my $direct = Api->new('--timeout', '2000', @replica, @direct);
my $api = Api->new('--timeout', '1000', '--database', hosts(map { [ $_->folder, $_->{port} ] } @bouncers));
my $postmaster = $primary->{_pid};
my %loads = (direct => $direct->clients(16, 9), 'through pgbouncer' => $api->clients(16, 9));
sleep 1;
kill 'STOP', $postmaster;
my @stopped = ($postmaster, split ' ', `ps -o pid= --ppid $postmaster`);
kill 'STOP', @stopped;
$start = time;
$standbys[0]->promote;
for my $instance ($direct, $api)
{
	my @write = ('POST', '/api/v1/identities/', '{"identifier":"after","traits":[{"trait_key":"k","trait_value":"v"}]}');

	$instance->seconds_until_well(@write);
	cmp_ok(time - $start, '<', 15, sprintf 'the new primary takes writes %.1f s later', time - $start);
}
is($standbys[0]->safe_psql('flagsmith', q(SELECT traits FROM flagsmith.identity WHERE identifier = 'after')), '{"k": "v"}', 'it has them');
for my $way (sort keys %loads)
{
	$counts = Api::results($loads{$way});
	is($counts->{wrong}, '', "$way: nothing is answered wrongly");
	cmp_ok($counts->{right}, '>', 100, "$way: $counts->{right} right, $counts->{told} told");
}
kill 'KILL', @stopped;

# a new standby of the new primary is promoted in its turn: the old one ends
$_->end for $direct, $api;
$standbys[0]->backup('later');
my $third = PostgreSQL::Test::Cluster->new('third');
$third->init_from_backup($standbys[0], 'later', has_streaming => 1);
$third->start;
$standbys[0]->wait_for_catchup($third, 'replay', $standbys[0]->lsn('insert'));
$direct = Api->new('--database', hosts(map { [ $_->host, $_->port ] } $standbys[0], $third));
$load = $direct->clients(16, 4);
sleep 0.5;
$standbys[0]->stop('fast');
$third->promote;
$start = time;
cmp_ok($direct->seconds_until_well('GET', '/api/v1/flags/'), '<', 1, 'after a stop and a promotion it goes on within a second');
$counts = Api::results($load);
is($counts->{wrong}, '', 'nothing is answered wrongly');
cmp_ok($counts->{right}, '>', 100, "$counts->{right} right, $counts->{told} told");
my $value = $third->safe_psql('flagsmith', q(SELECT coalesce((SELECT (traits->>'n')::int FROM flagsmith.identity WHERE identifier = 'counter'), 0)));
cmp_ok($value, '>', 0, 'and it counts on');
ok($direct->end, 'it ends well');
$primary->{_pid} = undef;
done_testing();
