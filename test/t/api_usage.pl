# What the API instance counts: each request that it answers for a known key, once, whatever
# goes away meanwhile, in the tables of whoever has the environment.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Api;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session qw(session end_session);
use Test::More;
use Time::HiRes qw(sleep time);

my $node = PostgreSQL::Test::Cluster->new('api_usage');
$node->init;
$node->start;
$node->safe_psql('postgres', "CREATE EXTENSION flagsmith; CREATE ROLE api LOGIN; SELECT flagsmith.grant_api('api'); $Api::environment");
my $database = $node->connstr('postgres') . ' user=api';
my $server_key = $node->safe_psql('postgres', q(SELECT flagsmith.create_server_key('the-key')));

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

# How often each resource is recorded as used; then forgets it.
sub recorded
{
	my $recorded = sql(q(SELECT string_agg(concat(resource, ' ', count), ', ' ORDER BY resource COLLATE "C")
		FROM (SELECT resource, sum(count) AS count FROM flagsmith.api_usage GROUP BY resource) u));

	sql('TRUNCATE flagsmith.api_usage');
	return $recorded;
}

# Sends a request so many times, over one connection; returns how often the answer is this status.
sub ask
{
	my ($api, $times, $status, $request) = @_;
	my ($socket, $bytes, $right) = ($api->connect, '', 0);

	for (1 .. $times)
	{
		syswrite $socket, ref $request ? $request->($_) : $request;
		$right++ if Api::take($socket, \$bytes) =~ /^$status/;
	}
	return $right;
}

my $flags = Api::request('GET', '/api/v1/flags/');

# ---- what counts

my $api = Api->new('--analytics-seconds', '3600', '--database', $database);
my @requests = (
	[ 7, 200, $flags ],
	[ 1, 404, Api::request('GET', '/api/v1/flags/?feature=nope') ],
	[ 2, 405, Api::request('POST', '/api/v1/flags/', '{}') ],
	[ 5, 200, Api::request('GET', '/api/v1/identities/?identifier=u1') ],
	[ 3, 200, Api::request('POST', '/api/v1/identities/', '{"identifier":"u1"}') ],
	[ 1, 400, Api::request('POST', '/api/v1/identities/', '{') ],
	[ 2, 200, Api::request('POST', '/api/v1/traits/increment-value/', '{"identifier":"u1","trait_key":"n","increment_by":1}') ],
	[ 1, 200, Api::request('PUT', '/api/v1/traits/bulk/', '[]') ],
	[ 4, 200, Api::request('GET', '/api/v1/environment-document/') =~ s/the-key/$server_key/r ],
	# these do not
	[ 3, 403, Api::request('GET', '/api/v1/flags/') =~ s/the-key/wrong/r ],
	[ 3, 403, Api::request('GET', '/api/v1/environment-document/') ],
	[ 3, 404, Api::request('GET', '/api/v1/nothing/') ],
	[ 3, 204, Api::request('OPTIONS', '/api/v1/flags/') ],
	[ 3, 405, Api::request('DELETE', '/api/v1/flags/') ],
	[ 3, 200, Api::request('POST', '/api/v1/analytics/flags/', '{"banner":1}') ],
	[ 3, 200, Api::request('POST', '/ofrep/v1/evaluate/flags', '{"context":{"targetingKey":"u1"}}') ],
	[ 3, 200, Api::request('GET', '/health') ],
);
is(ask($api, @$_), $_->[0], "$_->[1]: " . $_->[2] =~ s/ HTTP.*//sr) for @requests;
is(sql('SELECT count(*) FROM flagsmith.api_usage'), 0, 'nothing is recorded before it is time');
like($api->ask('GET', '/metrics'), qr/^flagsmith_api_usage_counted_total 26\n.*^flagsmith_api_usage_sent_total 0\n.*^flagsmith_api_usage_dropped_total 0$/ms, 'metrics');
ok($api->end, 'SIGTERM');
is(recorded(), 'environment-document 4, flags 10, identities 9, traits 3', 'sends all counts');

# a HEAD is a use, too
$api = Api->new('--analytics-seconds', '3600', '--database', $database);
my $socket = $api->connect;
syswrite $socket, Api::request('HEAD', '/api/v1/flags/', undef, 'Connection: close');
like(do { local $/; <$socket> }, qr/^HTTP\/1\.1 200/, 'HEAD');
close $socket;
$api->end;
is(recorded(), 'flags 1', 'counts as a GET');

# ---- of whom

$api = Api->new('--analytics-seconds', '3600', '--database', $database);
ask($api, 2, 200, Api::request('GET', '/api/v1/flags/', undef, 'User-Agent: Mozilla/5.0', 'Flagsmith-SDK-User-Agent: flagsmith-js-sdk/9.3.1'));
ask($api, 3, 200, Api::request('GET', '/api/v1/flags/', undef, 'User-Agent: flagsmith-go-sdk/4.0.0', "Flagsmith-Application-Name: \"a\xff\\", 'Flagsmith-Application-Version: 1'));
ask($api, 1, 200, Api::request('GET', '/api/v1/flags/', undef, 'User-Agent: curl/8'));
$api->end;
is(sql('SELECT count, labels FROM flagsmith.api_usage ORDER BY count'),
	"1|{}\n2|{\"user_agent\": \"flagsmith-js-sdk/9.3.1\"}\n3|{\"user_agent\": \"flagsmith-go-sdk/4.0.0\", \"client_application_name\": \"\\\"a\x{c3}\x{bf}\\\\\", \"client_application_version\": \"1\"}",
	'SDKs and applications are told apart');
recorded();

# as many clients as anybody likes to invent: the memory is bounded, the numbers are right
$api = Api->new('--analytics-seconds', '3600', '--database', $database);
my $before = $api->memory;
is(ask($api, 12_000, 200, sub { Api::request('GET', '/api/v1/flags/', undef, "User-Agent: flagsmith-x-sdk/$_[0]") }), 12_000, '12000 clients');
is(ask($api, 200, 200, sub { Api::request('GET', '/api/v1/flags/', undef, "User-Agent: $_[0]" . 'x' x 60_000) }), 200, '200 with long names');
cmp_ok($api->memory - $before, '<', 15, sprintf 'take %.1f MB', $api->memory - $before);
$api->end;
is(sql('SELECT count(*) FROM flagsmith.api_usage'), 10_001, 'the first 10000 are recorded by name, the others together');
is(recorded(), 'flags 12200', 'and all are counted');
$api = Api->new('--analytics-seconds', '3600', '--database', $database);
is(ask($api, 200, 200, sub { Api::request('GET', '/api/v1/flags/', undef, "User-Agent: flagsmith-$_[0]" . 'x' x 60_000) }), 200, '200 with long names alone');
$api->end;
is(recorded(), 'flags 200', 'are counted');

$api = Api->new('--analytics-seconds', '0', '--database', $database);
ask($api, 3, 200, $flags);
ok($api->end && recorded() eq '', '--analytics-seconds 0: nothing is counted');

# ---- where, and what may be away

# reads are answered where nothing can be written; a transaction that has recorded and does
# not end holds up nobody
my $other = session($node);
Session::ask($other, q(BEGIN; SELECT flagsmith.record_api_usage('[{"resource": "flags", "count": 1000, "headers": {"x-environment-key": "the-key"}}]')));
$api = Api->new('--analytics-seconds', '1', '--database', $database, '--replica', "$database options='-c default_transaction_read_only=on'");
my $sum = ask($api, 50, 200, $flags);
my $start = time;
sleep 0.1 until sql('SELECT coalesce(sum(count), 0) FROM flagsmith.api_usage') == $sum || time - $start > 10;
is(sql('SELECT sum(count) FROM flagsmith.api_usage'), 50, 'reads from a replica are recorded on the primary, in time');
Session::ask($other, 'ROLLBACK');
end_session($other);

# the database goes away and comes back
$sum += ask($api, 50, 200, $flags);
$node->stop('fast');
$sum += ask($api, 5, 200, $flags);
sleep 2.5;
$node->start;
$api->seconds_until_well('GET', '/api/v1/flags/');
$sum += 1 + ask($api, 50, 200, $flags);
sleep 1.5;
$sum += ask($api, 50, 200, $flags);
ok($api->end, 'it ends well');
is($sum, 201, 'the database was away');
is(recorded(), "flags $sum", 'nothing is lost, nothing is recorded twice');

# it refuses them
$api = Api->new('--analytics-seconds', '1', '--database', $database);
sql('REVOKE EXECUTE ON FUNCTION flagsmith.record_api_usage FROM api');
$sum = ask($api, 10, 200, $flags);
$api->wait_for(qr/"usage_refused","sqlstate":"42501"/);
$sum += ask($api, 10, 200, $flags);
sleep 2.2;
sql('GRANT EXECUTE ON FUNCTION flagsmith.record_api_usage TO api');
$start = time;
sleep 0.1 until sql('SELECT coalesce(sum(count), 0) FROM flagsmith.api_usage') == $sum || time - $start > 10;
is(recorded(), 'flags 20', 'what was refused is sent again');
is(scalar(() = $api->{log} =~ /usage_refused/g), 1, 'the log tells once');
sql('REVOKE EXECUTE ON FUNCTION flagsmith.record_api_usage FROM api');
ask($api, 10, 200, $flags);
$start = time;
ok($api->end, 'an end while it refuses them');
cmp_ok(time - $start, '<', 3, 'does not wait');
like($api->{log}, qr/"usage_dropped","requests":10,"reason":"refused"/, 'and tells how many are lost');
sql('GRANT EXECUTE ON FUNCTION flagsmith.record_api_usage TO api');
recorded();

# ---- an attached Flagsmith, beside an own environment

sql('CREATE SCHEMA app');
sql('SET search_path = app; ' . slurp_file("$FindBin::Bin/../fixtures/flagsmith.sql"));
sql(q(SELECT flagsmith.attach('app')));
$api = Api->new('--analytics-seconds', '3600', '--database', $database);
my $attached = Api::request('GET', '/api/v1/flags/', undef, 'User-Agent: flagsmith-go-sdk/4') =~ s/the-key/env/r =~ s/Host: x/Host: api.example:8000/r;
ask($api, 4, 200, $attached);
ask($api, 2, 200, $attached =~ s/flags/identities/r =~ s/ HTTP/?identifier=ann HTTP/r);
ask($api, 3, 200, $flags);
ok($api->end, 'an attached Flagsmith');
is(sql('SELECT environment_id, host, resource, count, labels FROM app.app_analytics_apiusageraw ORDER BY resource'),
	qq(1|api.example:8000|1|4|{"user_agent": "flagsmith-go-sdk/4"}\n1|api.example:8000|2|2|{"user_agent": "flagsmith-go-sdk/4"}), 'has the counts of its environments');
is(recorded(), 'flags 3', 'and the own environment its own');

$node->stop;
done_testing();
