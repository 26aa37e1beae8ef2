# The API instance and its clients' connections: many of them, idle ones, slow ones, half
# requests, pipelines, and what a hostile client could make it keep in memory.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Api;
use IO::Select;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = PostgreSQL::Test::Cluster->new('api_connections');
$node->init;
$node->append_conf('postgresql.conf', "log_statement = none\n");
$node->start;
$node->safe_psql('postgres', "CREATE EXTENSION flagsmith; $Api::environment");
$node->safe_psql('postgres', q(SELECT flagsmith.import_environment(jsonb_build_object('api_key', 'large', 'name', 'large',
	'project', '{"id": 2, "name": "p", "segments": []}'::jsonb, 'feature_states', (SELECT jsonb_agg(jsonb_build_object('feature',
	jsonb_build_object('id', i + 100, 'name', 'f' || i), 'enabled', true, 'django_id', i + 100, 'feature_state_value', repeat('v', 2000))) FROM generate_series(1, 60) i)))));
my $api = Api->new('--analytics-seconds', '60', '--stream-seconds', '0', '--database', $node->connstr('postgres'));
my $flags = Api::request('GET', '/api/v1/flags/');

# Answers on connections that each got a request, and how long the last took.
sub answers
{
	my @sockets = @_;
	my $start = time;
	my $good = grep { Api::take($_) =~ /^200.*"banner"/ } @sockets;

	return ($good, time - $start);
}

# many at once, again and again
for my $number (128, 256)
{
	my @sockets = map { $api->connect } 1 .. $number;
	my ($good, $slowest) = (0, 0);

	for (1 .. 10)
	{
		syswrite $_, $flags for @sockets;
		my ($round, $seconds) = answers(@sockets);
		$good += $round;
		$slowest = $seconds if $seconds > $slowest;
	}
	is($good, 10 * $number, "$number connections, ten times");
	cmp_ok($slowest, '<', 2, 'without a stall');
}

# half requests hold nobody up, and go on where they stopped
my @halves = map { $api->connect } 1 .. 200;
syswrite $_, substr($flags, 0, 30) for @halves;
like($api->ask('GET', '/api/v1/flags/'), qr/^200/, 'half requests hold nobody up');
syswrite $_, substr($flags, 30) for @halves;
is((answers(@halves))[0], 200, 'each is answered when it is whole');

# a pipeline, byte by byte: each answer in its place
my $socket = $api->connect;
my ($pipeline, $bytes) = ('', '');
$pipeline .= Api::request('GET', "/nothing/$_") . Api::request('POST', '/api/v1/identities/', qq({"identifier":"p$_","transient":true})) . Api::request('OPTIONS', '/') for 1 .. 20;
for (split //, $pipeline) { syswrite $socket, $_; }
my $right = 0;
for my $i (1 .. 20)
{
	$right++ if Api::take($socket, \$bytes) =~ /^404/;
	$right++ if Api::take($socket, \$bytes) =~ /^200 .*"identifier":"p$i"/;
	$right++ if Api::take($socket, \$bytes) =~ /^204/;
}
is($right, 60, 'a pipeline byte by byte is answered in order');

# a client that reads slowly gets all, and one that ends its side first too
$socket = $api->connect;
my $large = Api::request('GET', '/api/v1/flags/') =~ s/the-key/large/r;
syswrite $socket, $large x 20;
$bytes = '';
for (1 .. 40) { sysread $socket, $bytes, 2000, length $bytes; sleep 0.005; }
my $answered = 0;
for (1 .. 20) { $answered++ if Api::take($socket, \$bytes) =~ /^200 .*"f60"/; }
is($answered, 20, 'a slow reader gets large answers whole');
$socket = $api->connect;
syswrite $socket, $flags;
$socket->shutdown(1);
is((answers($socket))[0], 1, 'a client that ends its side is answered');

# sizes at the limits
like($api->ask('GET', '/api/v1/flags/', undef, 'X: ' . 'x' x 60_000), qr/^200/, 'headers below the limit');
like($api->ask('GET', '/api/v1/flags/', undef, map { "X$_: y" } 1 .. 5_000), qr/^200/, 'five thousand of them');
like($api->ask('POST', '/api/v1/identities/', '{"identifier":"' . 'x' x (1048576 - 17) . '"}'), qr/^4\d\d \{/, 'a body of the limit goes to the database');
like($api->ask('POST', '/api/v1/identities/', '{"identifier":"' . 'x' x 1048576 . '"}'), qr/^413 \{"detail"/, 'a larger one does not');

# what comes behind a body in chunks is no header
$socket = $api->connect;
syswrite $socket, "POST /api/v1/identities/ HTTP/1.1\r\nHost: x\r\nX-Environment-Key: the-key\r\nTransfer-Encoding: chunked\r\n\r\n"
	. "20\r\n{\"identifier\":\"t\",\"transient\":1}\r\n0\r\nX-Environment-Key: another\r\n\r\n";
unlike(Api::take($socket), qr/Invalid or missing Environment key|^403|^401/, 'a trailer replaces no header');

# 10,000 idle ones, in a process of their own, with as many files as it may have
my $wanted = 10_000;
my $limit = `sh -c 'ulimit -n \$(ulimit -Hn); ulimit -n'` + 0;
my $number = $limit > $wanted + 400 ? $wanted : $limit - 400;
diag("only $number idle connections: the limit of open files is $limit") if $number < $wanted;
my ($in, $out) = ('', '');
my $before = $api->memory;
my $idle = IPC::Run::start([ 'sh', '-c', 'ulimit -n $(ulimit -Hn); exec "$@"', 'sh', $^X, '-MIO::Socket::INET', '-e', <<'PERL', $api->{port}, $number, $flags ], '<', \$in, '>', \$out, IPC::Run::timeout(60));
my ($port, $number, $request) = @ARGV;
my @all = map { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Timeout => 5) // die $! } 1 .. $number;
$| = 1;
print "connected\n";
<STDIN>;
my $good = 0;
while (my @some = splice @all, 0, 1000)
{
	syswrite $_, $request for @some;
	for (@some)
	{
		my $answer = '';
		sysread $_, $answer, 65536;
		$answer =~ /^HTTP\/1.1 200/ ? $good++ : print substr($answer, 0, 80) =~ s/\s+/ /gr, "\n";
	}
}
print "$good answered\n";
PERL
$idle->pump until $out =~ /connected/ || !$idle->pumpable;
my $start = time;
like($api->ask('GET', '/api/v1/flags/'), qr/^200/, "beside $number idle connections");
cmp_ok(time - $start, '<', 0.5, 'as fast as ever');
cmp_ok($api->memory - $before, '<', 30, sprintf 'they take %.1f MB', $api->memory - $before);
$in = "\n";
$idle->finish;
like($out, qr/^\Q$number\E answered$/m, 'all of them are answered when they ask, a thousand at once') or diag($out);

# clients above the limit are told even if they have sent something
my $few = Api->new('--client-limit', '2', '--database', $node->connstr('postgres'));
my @held = map { $few->connect } 1 .. 2;
sleep 0.1;
my $told = 0;
for (1 .. 50)
{
	my $socket = $few->connect;
	syswrite $socket, $flags;
	$told++ if Api::take($socket) =~ /^503 \{"detail":"Too many connections/;
}
cmp_ok($told, '>', 45, "too many clients are told ($told of 50)");
ok($few->end, 'it ends well');

# keys that are none, and counts with long names, are not kept without bounds
$before = $api->memory;
$socket = $api->connect;
$bytes = '';
for my $i (1 .. 500)
{
	syswrite $socket, Api::request('POST', '/api/v1/analytics/flags/', '{}') =~ s/the-key/'k' x 50_000 . $i/er;
	Api::take($socket, \$bytes);
}
cmp_ok($api->memory - $before, '<', 15, sprintf '500 long keys that are none take %.1f MB', $api->memory - $before);
like($api->ask('POST', '/api/v1/analytics/flags/', '{"banner":1}'), qr/^200/, 'counts');
$before = $api->memory;
for my $i (1 .. 80)
{
	syswrite $socket, Api::request('POST', '/api/v1/analytics/flags/', '{"' . 'x' x 900_000 . $i . '":1}');
	Api::take($socket, \$bytes);
}
cmp_ok($api->memory - $before, '<', 40, sprintf '80 counts of long names take %.1f MB', $api->memory - $before);
ok($api->end, 'it ends well');

# a database whose functions leave requests out leaves no client without an answer
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', q(CREATE SCHEMA flagsmith; CREATE FUNCTION flagsmith.http_get(text, jsonb) RETURNS TABLE (status int, headers jsonb, body text)
	LANGUAGE sql AS $$SELECT 200, '{}'::jsonb, 'x' WHERE $1 NOT LIKE '%nothing%'$$));
$api = Api->new('--database', $node->connstr('other'));
is($api->ask('GET', '/api/something'), '200 x', 'another database');
is($api->ask('GET', '/api/nothing'), '500 {"detail":"The database could not answer this."}', 'which leaves requests out');
ok($api->end, 'it ends well');
done_testing();
