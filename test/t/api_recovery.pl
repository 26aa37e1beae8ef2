# The API instance behind pgbouncer: what it has accepted is answered rightly, and counted
# once, whatever is paused, restarted or ended meanwhile.
use strict;
use warnings;
use FindBin;
use IO::Socket::INET;
use IPC::Run ();
use lib $FindBin::RealBin;
use Bouncer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'pgbouncer is not installed' unless defined Bouncer::program();

my $node = Bouncer::node('api_recovery');
$node->safe_psql('flagsmith', q(
	SELECT flagsmith.import_environment('{"api_key": "the-key", "name": "env", "project": {"id": 1, "name": "p", "segments": []},
		"feature_states": [{"feature": {"id": 1, "name": "banner"}, "enabled": true, "django_id": 1}]}')));
my $bouncer = Bouncer->new($node);
my ($api, $log, $port);

sub start_api
{
	my $timer = IPC::Run::timeout(120);

	$log = '';
	$api = IPC::Run::start([ 'api/flagsmith-api', '--port', '0', '--database', $bouncer->connstr('flagsmith'), @_ ],
		'<', '/dev/null', '>', '/dev/null', '2>', \$log, $timer);
	$api->pump until $log =~ /"listening","port":(\d+).*"database":"write".*"database":"read"|"listening","port":(\d+).*"database":"read".*"database":"write"/s;
	($port) = $log =~ /"port":(\d+)/;
}


# Sends a request on a connection, and takes its answer.
sub send_request
{
	my ($socket, $method, $path, $body) = @_;

	$body //= '';
	print $socket "$method $path HTTP/1.1\r\nHost: x\r\nX-Environment-Key: the-key\r\nContent-Type: application/json\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
	$socket->flush;
}

sub take_answer
{
	my ($socket) = @_;
	my ($status) = (<$socket> // '') =~ /^HTTP\/1\.1 (\d+)/;
	my ($length, $line) = (0, undef);

	return 0 unless defined $status;
	while (defined($line = <$socket>) && $line ne "\r\n")
	{
		$length = $1 if $line =~ /^Content-Length: (\d+)/i;
	}
	my $body;
	read $socket, $body, $length;
	return wantarray ? ($status, $body) : $status;
}

sub connect_api
{
	return IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") // die "no connection: $!";
}

sub counted
{
	return $node->safe_psql('flagsmith', 'SELECT coalesce(sum(count), 0) FROM flagsmith.feature_evaluation');
}

start_api('--analytics-seconds', '1');
my @sockets = map { connect_api() } 1 .. 20;

# a pause: requests wait
$bouncer->console('PAUSE');
send_request($_, 'GET', '/api/v1/flags/') for @sockets;
sleep 0.5;
$bouncer->console('RESUME');
is(join(',', map { scalar take_answer($_) } @sockets), join(',', (200) x 20), 'requests outlive a pause of pgbouncer');

# a restart of pgbouncer: requests wait, those under way are sent again
$bouncer->stop;
send_request($_, 'GET', '/api/v1/flags/') for @sockets;
$bouncer->start;
my @answers = map { scalar take_answer($_) } @sockets;
is(scalar(grep { $_ != 200 && $_ != 503 } @answers), 0, 'a restart of pgbouncer: answered, or told');
my $start = time;
do { send_request($sockets[0], 'GET', '/api/v1/flags/') } while (take_answer($sockets[0]) != 200 && time - $start < 10 && sleep 0.05);
cmp_ok(time - $start, '<', 2, 'then it goes on');

# counts outlive a restart of the database
my $answered = 0;
for my $round (1 .. 200)
{
	if ($round == 50) { $node->stop('fast'); }
	if ($round == 150) { sleep 1.5; $node->start; }
	send_request($sockets[0], 'POST', '/api/v1/analytics/flags/', '{"banner":1}');
	$answered++ if take_answer($sockets[0]) == 200;
}
cmp_ok($answered, '>', 100, 'counts are taken while the database is away');
$start = time;
sleep 0.1 until counted() >= $answered || time - $start > 8;
is(counted(), $answered, 'and counted once when it is back');

# SIGHUP renews the connections, SIGTERM sends the counts
$api->signal('HUP');
is(scalar(grep { send_request($_, 'GET', '/api/v1/flags/'); take_answer($_) != 200 } @sockets), 0, 'SIGHUP loses no request');
send_request($sockets[1], 'POST', '/api/v1/analytics/flags/', '{"banner":5}');
is((take_answer($sockets[1]))[1], '{}', 'counts again');
send_request($_, 'GET', '/api/v1/flags/') for @sockets;
sleep 0.05;
$api->signal('TERM');
is(join(',', map { scalar take_answer($_) } @sockets), join(',', (200) x 20), 'SIGTERM: what was accepted is answered');
ok($api->finish, 'it ends well');
is(counted(), $answered + 5, 'and the counts are sent');

# limits, in JSON
start_api('--client-limit', '5', '--header-limit', '2000', '--body-limit', '2000');
my @held = map { connect_api() } 1 .. 5;
like((take_answer(connect_api()))[1], qr/^\{"detail":"Too many connections/, 'too many connections');
send_request($held[0], 'POST', '/api/v1/identities/', 'x' x 5000);
is(join(' ', take_answer($held[0])), '413 {"detail":"The body is too large."}', 'too large a body');
print {$held[1]} "GET / HTTP/1.1\r\nX: " . 'x' x 5000 . "\r\n\r\n";
is(join(' ', take_answer($held[1])), '431 {"detail":"Target and headers are too large."}', 'too large a head');
print {$held[2]} "\x16\x03\x01 no HTTP\r\n\r\n";
is(scalar take_answer($held[2]), 400, 'no HTTP at all');
print {$held[3]} "BREW /api/v1/flags/ HTTP/1.1\r\n\r\n";
is(join(' ', take_answer($held[3])), '405 {"detail":"Method \"BREW\" not allowed."}', 'a method that nobody knows');
print {$held[4]} "POST /api/v1/identities/ HTTP/1.1\r\nHost: x\r\nX-Environment-Key: the-key\r\nTransfer-Encoding: chunked\r\n\r\n";
for my $chunk ('{"identifier":', '"chunked"}', '')
{
	printf {$held[4]} "%x\r\n%s\r\n", length $chunk, $chunk;
	sleep 0.02;
}
like((take_answer($held[4]))[1], qr/"identifier":"chunked"/, 'a body in chunks');
$api->signal('TERM');
ok($api->finish, 'it ends well again');
unlike($log, qr/the-key|chunked/, 'no key in the log');
done_testing();
