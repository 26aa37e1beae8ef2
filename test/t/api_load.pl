# The API instance under load while what it stands on is paused, restarted or killed: every
# answer is right, or an error in JSON in time; no increment is made that nobody was told of.
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

my $node = Bouncer::node('api_load');
$node->append_conf('postgresql.conf', "log_statement = none\nlog_min_messages = fatal\n");
$node->reload;
$node->safe_psql('flagsmith', $Api::environment);
my $bouncer = Bouncer->new($node);
my $direct = Api->new('--database', $node->connstr('flagsmith'));
my $api = Api->new('--database', $bouncer->connstr('flagsmith'));
my ($counted, $perhaps_counted) = (0, 0);

# Starts the database when nothing is left of the last one.  Its locks name a process that is
# there until somebody reaps it, which may be never.
sub start_node
{
	my $folder = $node->data_dir;

	sleep 0.05 while grep { (readlink("$_/cwd") // '') eq $folder } glob '/proc/[0-9]*';
	unlink "$folder/postmaster.pid", $node->host . '/.s.PGSQL.' . $node->port . '.lock';
	$node->start;
}

# Loads both instances while something happens, and judges them.
sub under_load
{
	my ($what, $seconds, $happen) = @_;
	my %loads = (direct => $direct->clients(16, $seconds), 'through pgbouncer' => $api->clients(32, $seconds));

	sleep 0.5;
	$happen->();
	for my $instance ($direct, $api)
	{
		cmp_ok($instance->seconds_until_well('GET', '/api/v1/flags/'), '<', 2, "$what: it is back");
	}
	for my $way (sort keys %loads)
	{
		my $counts = Api::results($loads{$way});
		is($counts->{wrong}, '', "$what, $way: nothing is answered wrongly");
		cmp_ok($counts->{right}, '>', 20, "$what, $way: $counts->{right} right, $counts->{told} told, ${\ sprintf '%.1f', $counts->{slowest}} s at most");
		$counted += $counts->{counted};
		$perhaps_counted += $counts->{perhaps_counted};
	}
}

under_load('PAUSE and RESUME', 2, sub { $bouncer->console('PAUSE'); sleep 0.4; $bouncer->console('RESUME'); });
under_load('a restart of pgbouncer', 2, sub { $bouncer->stop; $bouncer->start; });
under_load('a restart of the database', 4, sub { $node->restart; });
under_load('an immediate stop', 4, sub { $node->stop('immediate'); sleep 0.5; start_node(); });
under_load('a killed postmaster', 4, sub { $node->kill9; sleep 0.3; start_node(); });
under_load('ended backends', 2, sub { $node->safe_psql('flagsmith', q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'flagsmith-api')) for 1 .. 5; });

my $value = $node->safe_psql('flagsmith', q(SELECT traits->>'n' FROM flagsmith.identity WHERE identifier = 'counter'));
cmp_ok($value, '>=', $counted, "no increment that was answered is lost ($counted)");
cmp_ok($value, '<=', $counted + $perhaps_counted, "none is made twice ($value, of which $perhaps_counted in doubt)");

# the end under load
my $load = $api->clients(32, 3);
sleep 1;
my $start = time;
ok($api->end, 'SIGTERM under load: it ends well');
cmp_ok(time - $start, '<', 6, 'in time');
my $counts = Api::results($load);
is($counts->{wrong}, '', 'what was accepted is answered');
is($counts->{told}, 0, "rightly ($counts->{right})");

# asked twice it ends at once, and tells those who wait
my $waiting = $direct->connect;
my $lock = IPC::Run::start([ 'psql', '-Xq', '-d', $node->connstr('flagsmith'), '-c', 'BEGIN; LOCK TABLE flagsmith.identity IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(1.5)' ], '>', '/dev/null');
sleep 0.4;
syswrite $waiting, Api::request('POST', '/api/v1/traits/increment-value/', '{"identifier":"counter","trait_key":"n","increment_by":1}');
sleep 0.2;
$direct->{run}->signal('TERM');
sleep 0.1;
$direct->{run}->signal('TERM');
like(Api::take($waiting), qr/^50[03] \{"detail":/, 'asked twice: whoever waits is told');
ok($direct->{run}->finish, 'and it ends well');
$lock->finish;
unlike("$api->{log}$direct->{log}", qr/the-key|counter/, 'no key and no identifier in the log');
done_testing();
