# The API instance: what a client sees, and what happens when database or instance go away.
use strict;
use warnings;
use HTTP::Tiny;
use IO::Socket::INET;
use IPC::Run ();
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session qw(session end_session);
use Test::More;
use Time::HiRes qw(sleep time);

my $node = PostgreSQL::Test::Cluster->new('api');
$node->init;
$node->start;
$node->safe_psql('postgres', q(
	CREATE EXTENSION flagsmith;
	CREATE ROLE api LOGIN;
	SELECT flagsmith.grant_api('api');
	SELECT flagsmith.import_environment('{"api_key": "the-key", "name": "env", "updated_at": "2026-01-02T03:04:05.678901+00:00",
		"project": {"id": 1, "name": "p", "segments": []},
		"feature_states": [{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": true, "feature_state_value": "' || 'x' || '", "django_id": 1}]}');
) =~ s/' \|\| 'x' \|\| '/x/r);

my ($port, $log) = (undef, '');
my $api = IPC::Run::start(
	[ 'api/flagsmith-api', '--port', '0', '--stream-seconds', '3', '--timeout', '1000', '--database', $node->connstr('postgres') . ' user=api' ],
	'<', '/dev/null', '>', '/dev/null', '2>', \$log, my $timer = IPC::Run::timeout(120));

# Waits until the log has a line, and returns what it captures.
sub logged
{
	my ($line) = @_;

	$api->pump until $log =~ $line;
	return $1;
}
$port = logged(qr/"listening","port":(\d+)/);
logged(qr/database_connected.*write/s);

my $http = HTTP::Tiny->new(timeout => 10);
my %key = ('X-Environment-Key' => 'the-key');

sub ask
{
	my ($method, $path, $headers, $body) = @_;
	return $http->request($method, "http://127.0.0.1:$port$path", { headers => $headers // \%key, defined $body ? (content => $body) : () });
}

# Sends bytes as they are, and returns all that comes until the server ends or time is up.
sub raw
{
	my ($bytes, $seconds) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die;
	my ($answer, $end) = ('', time + ($seconds // 2));

	print $socket $bytes;
	$socket->blocking(0);
	while (time < $end)
	{
		my $read = sysread $socket, my $piece, 65536;
		last if defined $read && $read == 0;
		$answer .= $piece if $read;
		sleep 0.02;
	}
	return $answer;
}

my $answer = ask('GET', '/api/v1/flags/');
is($answer->{status}, 200, 'flags');
is($answer->{content}, $node->safe_psql('postgres', q(SELECT body FROM flagsmith.http_get('/api/v1/flags/', '{"x-environment-key": "the-key"}'))), 'flags are what SQL says');
is($answer->{headers}{'content-type'}, 'application/json', 'JSON');
is($answer->{headers}{'cache-control'}, 'no-store', 'Cache-Control');
is($answer->{headers}{'x-flagsmith-document-updated-at'}, '1767323045.678901', 'the time of the last change');
is($answer->{headers}{'access-control-allow-origin'}, '*', 'any origin may read it');
is(ask('GET', '///api/v1/flags')->{status}, 200, 'slashes at the start, none at the end');
is(ask('GET', '/api/v1/flags/', { %key, 'Connection' => 'Upgrade, HTTP2-Settings', 'Upgrade' => 'h2c' })->{status}, 200, 'no upgrade');

$answer = ask('HEAD', '/api/v1/flags/');
is("$answer->{status} $answer->{content}", '200 ', 'HEAD');
cmp_ok($answer->{headers}{'content-length'}, '>', 100, 'HEAD tells the length');

$answer = ask('GET', '/api/v1/flags/', {});
is("$answer->{status} $answer->{content}", '403 {"detail":"Invalid or missing Environment key"}', 'no key');
is($answer->{headers}{'access-control-allow-origin'}, '*', 'errors may be read, too');
is(ask('DELETE', '/api/v1/flags/')->{status}, 405, 'a method that is not taken');
is(ask('PUT', '/api/v1/flags/')->{status}, 405, 'PUT elsewhere');
is(ask('GET', '/nothing')->{status}, 404, 'no such path');

$answer = ask('OPTIONS', '/api/v1/flags/', { 'Access-Control-Request-Headers' => 'x-own,x-environment-key' });
is("$answer->{status} $answer->{headers}{'access-control-allow-headers'}", '204 x-own,x-environment-key', 'a preflight allows what is asked');

my %json = (%key, 'Content-Type' => 'application/json');
$answer = ask('POST', '/api/v1/identities/', \%json, '{"identifier":"ann","traits":[{"trait_key":"a \"b\\\\","trait_value":"c\\\\ \"{,}"}]}');
like($answer->{content}, qr/"identifier":"ann","traits":\[\{"id":null,"trait_key":"a \\"b\\\\","trait_value":"c\\\\ \\"\{,\}"/, 'an identity with quotes and backslashes');
is($node->safe_psql('postgres', 'SELECT traits FROM flagsmith.identity'), '{"a \"b\\\\": "c\\\\ \"{,}"}', 'is stored');
is(ask('PUT', '/api/v1/traits/bulk/', \%json, '[]')->{content}, '[]', 'PUT of many traits');
is(ask('POST', '/api/v1/identities/', \%json, "{\"identifier\":\"\xff\"}")->{status}, 400, 'a body that is no UTF-8');
is(ask('POST', '/api/v1/identities/', \%json, "{}\0")->{status}, 400, 'a body with a NUL');
like(raw("POST /api/v1/identities/ HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n", 1), qr/^HTTP\/1\.1 413/, 'a body that is too large');
like(raw("GET / HTTP/1.1\r\nX: " . 'x' x 100_000 . "\r\n\r\n"), qr/^HTTP\/1\.1 (400|413|431)|^$/, 'headers that are too large');
is(raw('GET /api/v1/fl', 0.3), '', 'half a request gets no answer');
$answer = ask('POST', '/api/v1/identities/', { %json, 'Accept-Encoding' => 'gzip' }, '{"identifier":"z","transient":true,"traits":[{"trait_key":"t","trait_value":"' . 'x' x 1900 . '"}]}');
is($answer->{headers}{'content-encoding'}, 'gzip', 'gzip');
cmp_ok(length $answer->{content}, '<', 1000, 'makes it smaller');
my $request = "GET /api/v1/flags/ HTTP/1.1\r\nHost: x\r\nX-Environment-Key: the-key\r\n\r\n";
is(scalar(() = raw($request x 5, 1) =~ /HTTP\/1\.1 200/g), 5, 'five requests in one go');

# many at once travel together
my @sockets = map { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") } 1 .. 256;
print $_ $request for @sockets;
my $answered = 0;
for my $socket (@sockets)
{
	$answered++ if <$socket> =~ /200/;
}
is($answered, 256, '256 connections');
@sockets = ();

# events
my $stream = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port");
print $stream "GET /sse/environments/the-key/stream HTTP/1.1\r\nHost: x\r\n\r\n";
my $events = '';
while ($events !~ /data: .*\n/) { sysread $stream, my $piece, 4096; $events .= $piece; }
like($events, qr/event: environment_updated\ndata: \{"updated_at": 1767323045\.678901\}\n\n/, 'a stream begins with the last change');
$node->safe_psql('postgres', 'UPDATE flagsmith.feature_state SET enabled = false');
my $start = time;
while ($events !~ /data: .*data: /s) { sysread $stream, my $piece, 4096; $events .= $piece; }
cmp_ok(time - $start, '<', 2, 'and tells of the next in time');
like(raw("GET /sse/environments/unknown/stream HTTP/1.1\r\nHost: x\r\n\r\n", 1), qr/^HTTP\/1\.1 200.*text\/event-stream.*: connected/s, 'a stream of no environment is kept');
is($http->get("http://127.0.0.1:$port/health")->{status}, 200, 'healthy');
like($http->get("http://127.0.0.1:$port/metrics")->{content}, qr/^flagsmith_api_requests_total\{method="GET",status="200"\} \d+$/m, 'metrics');

# a statement that takes too long
my $block = session($node);
Session::ask($block, 'BEGIN; LOCK TABLE flagsmith.identity IN ACCESS EXCLUSIVE MODE');
$start = time;
$answer = ask('GET', '/api/v1/identities/?identifier=ann');
is($answer->{status}, 500, 'a time-out is an error');
like($answer->{content}, qr/^\{"detail":/, 'in JSON');
cmp_ok(time - $start, '<', 4, 'in time');
end_session($block);
$start = time;
sleep 0.1 until ask('GET', '/api/v1/flags/')->{status} == 200 || time - $start > 5;
is(ask('GET', '/api/v1/flags/')->{status}, 200, 'then it goes on');

# the database goes away and comes back
$node->stop('fast');
$answer = ask('GET', '/api/v1/flags/');
is($answer->{status}, 503, 'the database is away');
$start = time;
is(ask('GET', '/health')->{status}, 503, 'not healthy');
ask('GET', '/api/v1/flags/');
cmp_ok(time - $start, '<', 1, 'told at once');
$node->start;
$start = time;
sleep 0.05 until ask('GET', '/api/v1/flags/')->{status} == 200 || time - $start > 10;
cmp_ok(time - $start, '<', 2, 'it is back soon after the database');

# SIGTERM answers what was accepted
my $last = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port");
print $last $request;
like(scalar <$last>, qr/200/, 'a request before the end');
$api->signal('TERM');
ok($api->finish, 'it ends well');
like($log, qr/"event":"ended"/, 'and says so');
unlike($log, qr/the-key|ann|trait/, 'no key and no trait in the log');
is(scalar(grep { !/^\{"time":"[^"]+","level":"\w+","event":"\w+".*\}$/ } split /\n/, $log), 0, 'each line is JSON');
$node->stop;
done_testing();
