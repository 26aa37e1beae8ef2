# The pools of pgbouncer, and what an operator does to them: those of one alias are no concern
# of the others, who waits too long gets an error, and calls go on after RECONNECT, PAUSE,
# restarts of either side, and an update of the extension under backends that have plans.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Bouncer;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Session;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'pgbouncer is not installed' unless defined Bouncer::program();

my $node = Bouncer::node('pools');
my $bouncer = Bouncer->new($node);
my $document = '{"api_key": "client", "name": "env", "project": {"id": 1, "name": "p", "segments": []},
	"feature_states": [{"feature": {"id": 1, "name": "banner"}, "enabled": true, "feature_state_value": "hi"}]}';
my $value = q{SELECT flagsmith.get_feature_value('client', 'banner', 'u')};

# As many clients of an alias, each with a transaction open: each has a backend of its own.
sub hold
{
	my ($count, $alias, $sql) = @_;
	my @sessions = map { $bouncer->client($alias) } 1 .. $count;

	send_to($_, 'BEGIN; ' . ($sql // 'SELECT 1')) for @sessions;
	return @sessions;
}

# They commit and leave; all that they were told.
sub release
{
	my @answers = map { answer_of($_) } @_;

	ask($_, 'COMMIT') for @_;
	end_session($_) for @_;
	return @answers;
}

# Tries until it succeeds; the seconds that it took.
sub back_after
{
	my ($limit) = @_;
	my $start = time;

	until (eval { $bouncer->through($value) })
	{
		return if time - $start > $limit;
		sleep(0.05);
	}
	return time - $start;
}

# An update while backends have plans of the functions as they were.
$node->safe_psql('flagsmith', <<"SQL");
DROP EXTENSION flagsmith;
CREATE EXTENSION flagsmith VERSION '0.1.0';
GRANT USAGE ON SCHEMA flagsmith TO flagsmith_api;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA flagsmith TO flagsmith_api;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA flagsmith TO flagsmith_api;
SELECT flagsmith.import_environment('$document');
SQL
my $backend = q{SELECT pg_backend_pid() FROM flagsmith.set_traits('client', 'u' || pg_backend_pid(), '{"n": 1}')};
my @before = release(hold(4, 'flagsmith', $backend));
$node->safe_psql('flagsmith', 'ALTER EXTENSION flagsmith UPDATE');
Bouncer::set_up($node);
my @after = release(hold(4, 'flagsmith', "$backend; $value"));
is_deeply([ sort @after ], [ sort map { qq{$_\n"hi"} } @before ], 'the same backends go on after an update');

$bouncer->console('RECONNECT');
is_deeply([ grep { my $pid = $_; grep { $_ eq $pid } @before } release(hold(4, 'flagsmith', $backend)) ], [], 'RECONNECT: all backends are new');

# PAUSE and RESUME, with a client that comes in between
my $client = $bouncer->client;
is(ask($client, $value), '"hi"', 'a client');
$bouncer->console('PAUSE');
send_to($client, $value);
sleep(0.3);
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'flagsmith_api'}), '0', 'PAUSE: no backend');
$bouncer->console('RESUME');
is(answer_of($client), '"hi"', 'RESUME: it gets its answer');

# Requests under way meet all of this: none fails, if it does not take longer than they may wait,
# which is made long: how fast the machine is, is not the question.
$bouncer->console("SET $_") for 'query_wait_timeout = 30', 'server_connect_timeout = 30';
my $load = IPC::Run::start([ 'pgbench', '-n', '-c', '12', '-T', '2', '-M', 'extended', '-f', do { append_to_file("$bouncer->{dir}/load", $value); "$bouncer->{dir}/load" }, $bouncer->connstr('flagsmith') ],
	'>', \my $output, '2>', \my $errors, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
for (1 .. 3)
{
	sleep(0.4);
	$bouncer->console('RECONNECT');
	$bouncer->console('PAUSE');
	Bouncer::set_up($node);
	$bouncer->console('RESUME');
}
$load->finish;
like($output, qr/number of failed transactions: 0 /, 'RECONNECT and PAUSE under load: no request fails') or diag($errors);
unlike($errors, qr/error|aborted/i, 'and no client is cut off');
$bouncer->console("SET $_") for 'query_wait_timeout = 1', 'server_connect_timeout = 2';

# All connections of the writes' alias are taken, the reserve too: six.
my @all = hold(6, 'flagsmith');
answer_of($_) for @all;
my $start = time;
is($bouncer->through($value, 'flagsmith_read'), '"hi"', 'reads have connections of their own');
is($bouncer->through($value, 'flagsmith_admin', 'flagsmith_admin'), '"hi"', 'so has administration');
cmp_ok(time - $start, '<', 0.5, 'at once');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'flagsmith_api' AND state LIKE 'idle in%'}), '6', 'six are held');
$start = time;
like($bouncer->refusal('flagsmith_api', 'flagsmith', $value), qr/query_wait_timeout/, 'who waits for one of them gets an error');
my $waited = time - $start;
cmp_ok($waited, '>', 0.9, 'after a second');
cmp_ok($waited, '<', 2, 'and no later');
like($bouncer->console('SHOW POOLS'), qr/^$_\|/m, "a pool of $_") for qw(flagsmith\|flagsmith_api flagsmith_read\|flagsmith_api flagsmith_admin\|flagsmith_admin);
ask($_, 'COMMIT') for @all;
is($bouncer->through($value), '"hi"', 'as soon as one is free, it goes on');

# restarts
end_session($_) for @all, $client;
$bouncer->stop;
like($bouncer->refusal, qr/No such file|refused/, 'pgbouncer is stopped');
$bouncer->start;
is($bouncer->through($value), '"hi"', 'pgbouncer is back');
$node->stop('fast');
$start = time;
ok(!eval { $bouncer->through($value) }, 'the database is away');
cmp_ok(time - $start, '<', 2, 'which is said soon');
$node->start;
cmp_ok(back_after(5) // 5, '<', 1, 'the database is back within a second');

$bouncer->stop;
$node->stop;
done_testing();
