# Through pgbouncer in transaction mode, with the project's own configuration: consecutive
# transactions of a client run on different backends, and nothing depends on which.

use strict;
use warnings;

use FindBin;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($pgbouncer) = grep { -f && -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin';
plan skip_all => 'pgbouncer is not installed' unless defined $pgbouncer;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION flagsmith');

# The socket lies beside the server's, whose folder no other user can enter.
my ($dir, $host, $port) = (PostgreSQL::Test::Utils::tempdir(), $node->host, PostgreSQL::Test::Cluster::get_free_port());
my $user = getpwuid($>);
append_to_file("$dir/users", qq{"$user" ""\n});
append_to_file("$dir/pgbouncer.ini", <<"INI");
%include $FindBin::RealBin/../../pgbouncer/pgbouncer.ini
unix_socket_dir = $host
listen_addr =
listen_port = $port
auth_type = trust
auth_file = $dir/users
admin_users = $user
logfile = $dir/log
pidfile = $dir/pgbouncer.pid
[databases]
* = host=$host port=@{[$node->port]}
INI
my $bouncer = IPC::Run::start([ $pgbouncer, '-q', "$dir/pgbouncer.ini" ], '<', \undef, '>', "$dir/output", '2>&1');

END
{
	my $status = $?;
	$bouncer->kill_kill(grace => 5) if defined $bouncer;
	$? = $status;
}

# Runs SQL through pgbouncer; dies of an error.
sub through
{
	my ($sql, $database) = @_;
	my ($output, $errors) = ('', '');

	IPC::Run::run([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', $host, '-p', $port, '-d', $database // 'postgres' ], '<', \$sql, '>', \$output, '2>', \$errors,
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default))
	  or die "$errors\n$sql";
	chomp $output;
	return $output;
}

for (1 .. 100)
{
	last if eval { through('SELECT 1') };
	select(undef, undef, undef, 0.1);
}
is(through('SELECT 1'), '1', 'pgbouncer answers') or diag(slurp_file("$dir/log"));
like(through('SHOW CONFIG', 'pgbouncer'), qr/^pool_mode\|transaction\|/m, 'in transaction mode');

# the whole work of an API, each call a transaction of its own
is(through(<<'SQL'), 'client', 'import_environment()');
SELECT flagsmith.import_environment('{"api_key": "client", "name": "env", "project": {"id": 1, "name": "p", "server_key_only_feature_ids": [2], "segments": [
	{"id": 1, "name": "pros", "rules": [{"type": "ALL", "conditions": [{"property_": "plan", "operator": "EQUAL", "value": "pro"}]}],
		"feature_states": [{"feature": {"id": 1, "name": "banner"}, "enabled": true, "feature_state_value": "pro"}]}]},
	"feature_states": [{"feature": {"id": 1, "name": "banner"}, "enabled": true, "feature_state_value": "free"}, {"feature": {"id": 2, "name": "secret"}, "enabled": true}]}');
SQL
my $key = through(q{SELECT flagsmith.create_server_key('client')});
like($key, qr/^ser\./, 'create_server_key()');
my $answers = through(<<"SQL");
SELECT flagsmith.set_traits('client', 'u', '{"plan": "pro", "n": 7.0}');
SELECT feature, value, reason FROM flagsmith.get_identity_flags('client', 'u');
SELECT feature FROM flagsmith.get_environment_flags('$key');
SELECT flagsmith.is_feature_enabled('client', 'banner'), flagsmith.get_feature_value('client', 'banner', 'u'), flagsmith.get_feature_value('client', 'banner', 'v');
SELECT * FROM flagsmith.get_identity_segments('client', 'u');
SELECT flagsmith.is_in_segment('client', 'pros', 'v', '{"plan": "pro"}');
SELECT flagsmith.identity_document('client', 'u') ->> 'identifier';
SELECT flagsmith.environment_document('client') ->> 'name';
SELECT flagsmith.evaluate('{}');
SELECT flagsmith.delete_identity('client', 'u');
SELECT flagsmith.revoke_server_key('$key');
SQL
is($answers . "\n", <<'OUTPUT', 'one client, one call after the other');
{"n": 7.0, "plan": "pro"}
banner|"pro"|TARGETING_MATCH; segment=pros
banner
secret
t|"pro"|"free"
1|pros
t
u
env
{"flags": {}, "segments": []}
t
t
OUTPUT

# what an error leaves behind, in whatever backend
for my $error (
	q{SELECT flagsmith.get_feature_value('nobody', 'banner')},
	q{SELECT flagsmith.evaluate('{"features": 1}')},
	q{SELECT flagsmith.set_traits('client', 'u', '[]')},
	q{SELECT flagsmith.import_environment('{}')})
{
	ok(!eval { through($error) }, "$error fails");
	is(join(' ', map { through(q{SELECT flagsmith.get_feature_value('client', 'banner')}) } 1 .. 5), join(' ', ('"free"') x 5), 'and all goes on');
}

# Many clients on few backends: each sees its own change in its next transaction, and that of
# the environment, wherever it runs.
$node->safe_psql('postgres', 'CREATE SEQUENCE number; CREATE TABLE used (pid int)');
append_to_file("$dir/clients.sql", <<'SQL');
SELECT nextval('number') AS n \gset
SELECT flagsmith.set_traits('client', 'c' || :client_id, jsonb_build_object('t' || :n, :n, 'plan', CASE WHEN :n % 2 = 0 THEN 'pro' END));
SELECT 1 / (flagsmith.get_feature_value('client', 'banner', 'c' || :client_id) #>> '{}' = CASE WHEN :n % 2 = 0 THEN 'pro' ELSE 'free' END)::int;
SELECT flagsmith.set_traits('client', 'shared', jsonb_build_object('t' || :n, :client_id));
INSERT INTO used VALUES (pg_backend_pid());
SQL
command_like(
	[ 'pgbench', '-n', '-c', '20', '-j', '2', '-t', '20', '-M', 'simple', '-h', $host, '-p', $port, '-f', "$dir/clients.sql", 'postgres' ],
	qr{processed: 400/400}, 'twenty clients');
is($node->safe_psql('postgres', q{SELECT count(*) FROM flagsmith.identity, jsonb_object_keys(traits) WHERE identifier = 'shared'}), '400', 'no trait is lost');
my ($backends) = $node->safe_psql('postgres', 'SELECT count(DISTINCT pid) FROM used');
cmp_ok($backends, '>', 1, 'several backends');
cmp_ok($backends, '<', 20, 'fewer than clients');

# an import by one client is there for all of them
through(q{SELECT flagsmith.import_environment(jsonb_set(flagsmith.environment_document('client')::jsonb, '{feature_states,0,feature_state_value}', '"changed"'))});
append_to_file("$dir/changed.sql", q{SELECT 1 / (flagsmith.get_feature_value('client', 'banner') = '"changed"')::int;} . "\n");
command_like(
	[ 'pgbench', '-n', '-c', '20', '-j', '2', '-t', '10', '-M', 'simple', '-h', $host, '-p', $port, '-f', "$dir/changed.sql", 'postgres' ],
	qr{processed: 200/200}, 'a change is seen through every backend');

$bouncer->kill_kill(grace => 5);
undef $bouncer;
$node->stop;
done_testing();
