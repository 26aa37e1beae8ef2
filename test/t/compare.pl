# flagsmith-compare between two API instances on two databases: nothing differs until a flag does.
use strict;
use warnings;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $python = (grep { -x "$_/python3" } split /:/, $ENV{PATH})[0];
plan skip_all => 'python3 is not installed' unless defined $python;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE api LOGIN');

my (@api, @url);
for my $database ('theirs', 'ours')
{
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, q(
		CREATE EXTENSION flagsmith;
		SELECT flagsmith.grant_api('api');
		SELECT flagsmith.import_environment('{"id": 1, "api_key": "first-secret", "name": "env", "updated_at": "2026-01-02T03:04:05+00:00",
			"project": {"id": 1, "name": "p", "segments": []}, "feature_states": [
				{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": true, "feature_state_value": "hello", "django_id": 1},
				{"feature": {"id": 2, "name": "price", "type": "STANDARD"}, "enabled": true, "feature_state_value": 10, "django_id": 2}]}');
		SELECT flagsmith.set_traits('first-secret', 'ann', '{"plan": "pro", "age": 40}');
		INSERT INTO flagsmith.environment_key (environment_id, key) SELECT id, 'ser.second-secret' FROM flagsmith.environment));
	my $log = '';
	my $run = IPC::Run::start([ 'api/flagsmith-api', '--port', '0', '--database', $node->connstr($database) . ' user=api' ],
		'<', '/dev/null', '>', '/dev/null', '2>', \$log, IPC::Run::timeout(120));
	$run->pump until $log =~ /"listening","port":(\d+)/;
	push @url, "http://127.0.0.1:$1";
	$run->pump until $log =~ /database_connected.*write/s;
	push @api, $run;
}

my $dir = PostgreSQL::Test::Utils::tempdir();

sub compare
{
	my ($requests, @options) = @_;
	my ($out, $error) = ('', '');

	open my $file, '>', "$dir/requests" or die $!;
	print $file $requests;
	close $file;
	IPC::Run::run([ 'api/flagsmith-compare', @options, @url, "$dir/requests" ], '<', \'', '>', \$out, '2>', \$error, IPC::Run::timeout(60));
	return ($? >> 8, $out, $error);
}

my $requests = <<'LINES';
{"path": "/api/v1/flags/", "key": "first-secret"}
{"path": "/api/v1/flags/", "key": "first-secret"}
{"method": "GET", "path": "/api/v1/identities/?identifier=ann", "key": "first-secret"}
{"request": {"method": "GET", "path": "/api/v1/environment-document/", "headers": [["X-Environment-Key", "ser.second-secret"]]}}
{"path": "/api/v1/flags/", "key": "wrong"}
{"path": "/api/v1/nowhere/", "key": "first-secret"}
{"method": "POST", "path": "/api/v1/identities/", "key": "first-secret", "body": {"identifier": "bob", "traits": [{"trait_key": "plan", "trait_value": "x"}]}}
LINES
my $log = <<'LINES';
10.0.0.1 - - [25/Nov/2026:10:00:00 +0000] "GET /api/v1/flags/?feature=banner HTTP/1.1" 200 512 "-" "flagsmith-python-sdk/3.8"
10.0.0.1 - - [25/Nov/2026:10:00:01 +0000] "GET /api/v1/flags/?feature=banner HTTP/1.1" 200 512 "-" "curl"
10.0.0.1 - - [25/Nov/2026:10:00:01 +0000] "POST /api/v1/identities/ HTTP/1.1" 200 512 "-" "curl"
10.0.0.1 - - [25/Nov/2026:10:00:02 +0000] "GET /assets/logo.png HTTP/1.1" 200 512 "-" "curl"
LINES

# ---- the same
my ($status, $out, $error) = compare($requests);
is($out, '', 'nothing differs');
like($error, qr/^5 equal, 0 different, 1 not sent, 0 other lines$/m, 'each is sent once, and nothing that writes');
like($error, qr/^Flagsmith: median [\d.]+ ms, 95 % [\d.]+ ms; instance: median/m, 'with times');
is($status, 0, 'which is told');
is($node->safe_psql($_, 'SELECT count(*) FROM flagsmith.identity'), 1, "nothing was written to $_") for 'theirs', 'ours';
($status, $out, $error) = compare($requests, '--allow-writes');
like($error, qr/^6 equal, 0 different, 0 not sent/m, 'unless it may');
is($status, 0, 'equal, too');
is($node->safe_psql($_, 'SELECT count(*) FROM flagsmith.identity'), 2, "then it was written to $_") for 'theirs', 'ours';

# ---- one flag differs
$node->safe_psql('ours', q{UPDATE flagsmith.feature_state s SET value = '"goodbye"', enabled = false FROM flagsmith.feature f WHERE f.id = s.feature_id AND f.name = 'banner'});
append_to_file("$dir/keys", "first-secret\n\nser.second-secret\n");
($status, $out, $error) = compare($requests);
is($status, 1, 'one flag differs');
my @lines = grep { !/document.*updated_at/ } split /\n/, $out;
is_deeply(\@lines, [
	'GET /api/v1/flags/ <key 1>: $[banner].feature_state_value: "hello" / "goodbye"',
	'GET /api/v1/flags/ <key 1>: $[banner].enabled: true / false',
	'GET /api/v1/identities/?identifier=ann <key 1>: $.flags[banner].feature_state_value: "hello" / "goodbye"',
	'GET /api/v1/identities/?identifier=ann <key 1>: $.flags[banner].enabled: true / false',
	'GET /api/v1/environment-document/ <key 2>: $.feature_states[banner].enabled: true / false',
	'GET /api/v1/environment-document/ <key 2>: $.feature_states[banner].feature_state_value: "hello" / "goodbye"' ],
	'each place is told') or diag $out;
like($error, qr/^2 equal, 3 different/m, 'and counted');
unlike($out . $error, qr/secret/, 'no key is shown');
($status, $out, $error) = compare($requests, '--show-keys');
like($out, qr/^GET \/api\/v1\/flags\/ first-secret: /m, 'unless asked for');

($status, $out, $error) = compare($log, '--keys', "$dir/keys");
is($status, 1, 'an access log');
is_deeply([ split /\n/, $out ], [
	'GET /api/v1/flags/?feature=banner <key 1>: $.feature_state_value: "hello" / "goodbye"',
	'GET /api/v1/flags/?feature=banner <key 1>: $.enabled: true / false',
	'GET /api/v1/flags/?feature=banner <key 2>: $.feature_state_value: "hello" / "goodbye"',
	'GET /api/v1/flags/?feature=banner <key 2>: $.enabled: true / false' ], 'each request with each key') or diag $out;
like($error, qr/^0 equal, 2 different, 1 not sent, 1 other lines$/m, 'and what was left out');
($status, $out, $error) = compare($requests, '--limit', 1);
like($error, qr/^0 equal, 1 different/m, 'no more than asked for');

# ---- a number of another kind, an order of another kind
$node->safe_psql('ours', q{UPDATE flagsmith.feature_state SET value = '"hello"', enabled = true WHERE value = '"goodbye"';
	UPDATE flagsmith.feature_state SET position = -position});
($status, $out) = compare(qq({"path": "/api/v1/flags/", "key": "first-secret"}\n));
is("$status $out", '0 ', 'flags have no order');
$node->safe_psql('ours', q{UPDATE flagsmith.feature_state SET value = '10.0' WHERE value = '10'});
($status, $out) = compare(qq({"path": "/api/v1/flags/", "key": "first-secret"}\n));
is("$status $out", qq(1 GET /api/v1/flags/ <key 1>: \$[price].feature_state_value: 10 / 10.0\n), '10 and 10.0 differ');
$node->safe_psql('ours', q{DELETE FROM flagsmith.feature_state WHERE value = '10.0'});
($status, $out) = compare(qq({"path": "/api/v1/flags/", "key": "first-secret"}\n));
like($out, qr/^GET \S+ <key 1>: \$\[price\]: \{.*\} \/ nothing$/, 'one that is missing');
$node->safe_psql('ours', q{DELETE FROM flagsmith.environment_key});
($status, $out) = compare(qq({"path": "/api/v1/flags/", "key": "ser.second-secret"}\n));
is("$status $out", "1 GET /api/v1/flags/ <key 1>: status: 200 / 403\n", 'a status');

# ---- what cannot be
($status, $out, $error) = compare("{\"method\": \"GET\"}\n");
is($status, 2, 'a line that is no request');
like($error, qr/^flagsmith-compare: line 1 is no request/, 'is named');
$api[1]->kill_kill;
($status, $out, $error) = compare(qq({"path": "/api/v1/flags/", "key": "first-secret"}\n));
like($out, qr/^GET \/api\/v1\/flags\/ <key 1>: status: 200 \/ ConnectionRefusedError/, 'no answer is a difference');
is($status, 1, 'of course');

$api[0]->kill_kill;
$node->stop;
done_testing();
