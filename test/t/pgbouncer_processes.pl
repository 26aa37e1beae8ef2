# Several pgbouncer processes on one TCP port, and what the version decides: peers that pass on
# a request to cancel (1.19), prepared statements (1.21). Runs with the installed pgbouncer
# and, if that is older than 1.21, with the one of Debian's next release, which pgbouncer/get
# fetches; FLAGSMITH_PGBOUNCER names another one for all tests.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Bouncer;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'pgbouncer is not installed' unless defined Bouncer::program();

my $node = Bouncer::node('processes');
$node->safe_psql('flagsmith', <<'SQL');
SELECT flagsmith.import_environment('{"api_key": "client", "name": "env", "project": {"id": 1, "name": "p", "segments": []},
	"feature_states": [{"feature": {"id": 1, "name": "banner"}, "enabled": true, "feature_state_value": "hi"}]}');
SQL
my $script = <<'SQL';
SELECT 1 / (flagsmith.get_feature_value('client', 'banner', 'u' || :client_id) = '"hi"')::int;
SQL

# Transactions of a process, those of its own console not counted.
sub transactions
{
	my ($bouncer, $process) = @_;
	my ($count) = $bouncer->console('SHOW TOTALS', $process) =~ /^total_xact_count\|(\d+)|^xact_count\|(\d+)/m;

	return $count // $2;
}

# Statements that would run for ever are cancelled, each from its own psql; those that end by it.
sub cancelled
{
	my ($bouncer, $count) = @_;
	my @sessions = map { $bouncer->client } 1 .. $count;

	send_to($_, "SELECT pg_backend_pid(), pg_sleep(60)") for @sessions;
	$node->poll_query_until('flagsmith', "SELECT count(*) = $count FROM pg_stat_activity WHERE wait_event = 'PgSleep'") or die 'they do not sleep';
	$_->{run}->signal('INT') for @sessions;
	sleep(0.5);
	my $left = $node->safe_psql('flagsmith', q{SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'});
	$node->safe_psql('flagsmith', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'});
	$_->{run}->kill_kill(grace => 2) for @sessions; # a psql that reads a script ends by itself then
	return $count - $left;
}

# Two processes, each with eight connections.
sub test_processes
{
	my ($program) = @_;
	my $bouncer = Bouncer->new($node, program => $program, processes => 2, tcp => 1, settings => "default_pool_size = 8\n");
	my $name = '1.' . $bouncer->version;

	like($bouncer->pgbench($script, '-c', '20', '-t', '20', '-M', 'extended'), qr{processed: 400/400}, "$name: two processes serve one port");
	my @counts = map { transactions($bouncer, $_) } 1, 2;
	cmp_ok($_, '>', 0, "$name: both of them") for @counts;
	is($bouncer->through('SHOW statement_timeout'), '3s', "$name: as the API role");
	test_peers($bouncer, $name);
	test_prepared($bouncer, $name);
	$bouncer->stop;
	ok(!-e $bouncer->folder($_) . '/pgbouncer.pid', "$name: process $_ is stopped") for 1, 2;
}

sub test_peers
{
	my ($bouncer, $name) = @_;

	if ($bouncer->version < 19)
	{
		my ($output, $errors) = run_command([ 'env', "FLAGSMITH_PGBOUNCER=$bouncer->{program}", "$Bouncer::scripts/start", '-w', '-n', '2', PostgreSQL::Test::Utils::tempdir() ]);
		like($errors, qr/knows no peers/, "$name has no peers, which start says");
		return;
	}
	is(cancelled($bouncer, 8), 8, "$name: each cancel finds its process");
}

# Statements that a client prepares once run in whichever backend, also in those that come later.
sub test_prepared
{
	my ($bouncer, $name) = @_;

	if ($bouncer->version < 21)
	{
		like($bouncer->pgbench($script, '-c', '20', '-t', '20', '-M', 'prepared'), qr/prepared statement .* does not exist/, "$name has no prepared statements");
		return;
	}
	my $pgbench = IPC::Run::start([ 'pgbench', '-n', '-c', '20', '-T', '2', '-M', 'prepared', '-f', do { append_to_file("$bouncer->{dir}/prepared", $script); "$bouncer->{dir}/prepared" }, $bouncer->connstr('flagsmith') ],
		'>', \my $output, '2>', \my $errors, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	for my $command ('RECONNECT', 'PAUSE', 'RESUME')
	{
		sleep(0.4) unless $command eq 'RESUME';
		$bouncer->console($command, $_) for 1, 2;
	}
	$pgbench->finish;
	like($output, qr/number of failed transactions: 0 /, "$name: prepared statements, with RECONNECT and PAUSE meanwhile") or diag($errors);
	unlike($errors, qr/error|aborted/i, "$name: no client is cut off");
	is($bouncer->through('SELECT count(DISTINCT statement) FROM pg_prepared_statements'), '1', "$name: one statement in the backend");
}

test_processes(Bouncer::program());

SKIP:
{
	my ($minor) = `@{[Bouncer::program()]} --version` =~ /^PgBouncer 1\.(\d+)/;
	skip 'the pgbouncer of this machine is new enough', 1 if $minor >= 21;
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my $newer = `$Bouncer::scripts/get trixie $dir 2>$dir/errors`;
	chomp $newer;
	skip "no pgbouncer from 1.21 on to be had here, so peers and prepared statements were NOT tested:\n" . slurp_file("$dir/errors"), 1 if $? || !-x $newer;
	test_processes($newer);
}

$node->stop;
done_testing();
