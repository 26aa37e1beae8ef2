# Through pgbouncer in transaction mode, with the project's own configuration: consecutive
# transactions of a client run on different backends, and nothing depends on which.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Bouncer;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'pgbouncer is not installed' unless defined Bouncer::program();

my $node = Bouncer::node('main');
my $bouncer = Bouncer->new($node);

sub through
{
	return $bouncer->through(@_);
}

sub administer
{
	return $bouncer->through($_[0], 'flagsmith_admin', 'flagsmith_admin');
}

is(through('SELECT 1'), '1', 'pgbouncer answers');
like($bouncer->console('SHOW CONFIG'), qr/^pool_mode\|transaction\|/m, 'in transaction mode');

# the whole work of an API, each call a transaction of its own
is(administer(<<'SQL'), 'client', 'import_environment()');
SELECT flagsmith.import_environment('{"api_key": "client", "name": "env", "project": {"id": 1, "name": "p", "server_key_only_feature_ids": [2], "segments": [
	{"id": 1, "name": "pros", "rules": [{"type": "ALL", "conditions": [{"property_": "plan", "operator": "EQUAL", "value": "pro"}]}],
		"feature_states": [{"feature": {"id": 1, "name": "banner"}, "enabled": true, "feature_state_value": "pro"}]}]},
	"feature_states": [{"feature": {"id": 1, "name": "banner"}, "enabled": true, "feature_state_value": "free"}, {"feature": {"id": 2, "name": "secret"}, "enabled": true}]}');
SQL
my $key = administer(q{SELECT flagsmith.create_server_key('client')});
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
OUTPUT
is(administer("SELECT flagsmith.revoke_server_key('$key')"), 't', 'revoke_server_key()');

# what an error leaves behind, in whatever backend
for my $error (
	q{SELECT 1 / 0},
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
$node->safe_psql('flagsmith', 'CREATE SEQUENCE number; CREATE TABLE used (pid int); GRANT ALL ON number, used TO flagsmith_api');
like($bouncer->pgbench(<<'SQL', '-c', '20', '-t', '20', '-M', 'simple'), qr{processed: 400/400}, 'twenty clients');
SELECT nextval('number') AS n \gset
SELECT flagsmith.set_traits('client', 'c' || :client_id, jsonb_build_object('t' || :n, :n, 'plan', CASE WHEN :n % 2 = 0 THEN 'pro' END));
SELECT 1 / (flagsmith.get_feature_value('client', 'banner', 'c' || :client_id) #>> '{}' = CASE WHEN :n % 2 = 0 THEN 'pro' ELSE 'free' END)::int;
SELECT flagsmith.set_traits('client', 'shared', jsonb_build_object('t' || :n, :client_id));
INSERT INTO used VALUES (pg_backend_pid());
SQL
is($node->safe_psql('flagsmith', q{SELECT count(*) FROM flagsmith.identity, jsonb_object_keys(traits) WHERE identifier = 'shared'}), '400', 'no trait is lost');
my ($backends) = $node->safe_psql('flagsmith', 'SELECT count(DISTINCT pid) FROM used');
cmp_ok($backends, '>', 1, 'several backends');
cmp_ok($backends, '<=', 6, 'no more than the pool and its reserve');

# an import by one client is there for all of them
administer(q{SELECT flagsmith.import_environment(jsonb_set(flagsmith.environment_document('client')::jsonb, '{feature_states,0,feature_state_value}', '"changed"'))});
like($bouncer->pgbench(<<'SQL', '-c', '20', '-t', '10', '-M', 'simple'), qr{processed: 200/200}, 'a change is seen through every backend');
SELECT 1 / (flagsmith.get_feature_value('client', 'banner') = '"changed"')::int;
SQL

$bouncer->stop;
$node->stop;
done_testing();
