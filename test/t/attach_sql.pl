# Attached to Flagsmith's tables: who may do what, sessions side by side, dump and restore,
# DROP EXTENSION, and that Flagsmith's statements never wait for us or fail.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $fixture = slurp_file("$FindBin::Bin/../fixtures/flagsmith.sql");
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 2');
$node->start;

# Flagsmith's tables belong to one role, Flagsmith itself connects as another
$node->safe_psql('postgres', qq(
	CREATE ROLE flagsmith_owner;
	CREATE ROLE flagsmith_app LOGIN;
	CREATE ROLE api LOGIN;
	CREATE ROLE admin LOGIN;
	CREATE SCHEMA app AUTHORIZATION flagsmith_owner;
	SET ROLE flagsmith_owner;
	SET search_path = app;
	$fixture;
	GRANT USAGE ON SCHEMA app TO flagsmith_app;
	GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA app TO flagsmith_app;
	GRANT USAGE ON ALL SEQUENCES IN SCHEMA app TO flagsmith_app;));
my $dump_before = dump_of('postgres', '--schema=app');

# The schema of a database, as pg_dump writes it; newer ones write a random word, too.
sub dump_of
{
	my ($database, @options) = @_;
	my ($out) = run_command([ 'pg_dump', '--schema-only', @options, $node->connstr($database) ]);

	return $out =~ s/^\\(un)?restrict .*\n//mgr;
}

# What a role gets, and with which error.
sub as_role
{
	my ($role, $sql) = @_;
	my ($status, $out, $error) = $node->psql('postgres', "SET ROLE $role; $sql");

	return $status == 0 ? $out : $error =~ /ERROR:  ([^\n]*)/ ? "ERROR: $1" : $error;
}

my $flag = q{SELECT flagsmith.get_feature_value('env', 'banner', 'ann') #>> '{}'};

# ---- roles

$node->safe_psql('postgres', q{
	CREATE EXTENSION flagsmith;
	SELECT flagsmith.grant_api('api'), flagsmith.grant_admin('admin')});
like(as_role($_, q{SELECT flagsmith.attach('app')}), qr/permission denied/, "$_ cannot attach") for qw(flagsmith_owner flagsmith_app api);
like(as_role('admin', q{SELECT flagsmith.attach('app')}), qr/permission denied for/, 'nor can an admin, whom the tables do not belong to');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_trigger WHERE tgname ~ '^flagsmith'}), 0, 'nothing was made');

$node->safe_psql('postgres', q{SELECT flagsmith.grant_admin('flagsmith_owner')});
is(as_role('flagsmith_owner', q{SELECT flagsmith.attach('app')}), '', 'an admin can, whom they belong to');
is(as_role('flagsmith_owner', q{SELECT count(*) FROM flagsmith.attach_status()}), 2, 'and is told that all is well');
like(as_role('admin', q{SELECT string_agg(state, ' ') FROM flagsmith.attach_status()}), qr/unknown: permission denied for/, 'another admin is told what he may know');
is(as_role('flagsmith_owner', q{SELECT flagsmith.detach()}), '', 'he can detach, too');
$node->safe_psql('postgres', q{SELECT flagsmith.revoke_admin('flagsmith_owner'); SELECT flagsmith.attach('app')});

is(as_role('api', $flag), 'hello, pro', 'the API role evaluates');
is(as_role('api', q{SELECT flagsmith.set_traits('env', 'bob', '{"plan": "pro", "age": 7}')}), '{"age": 7, "plan": "pro"}', 'and stores traits');
is($node->safe_psql('postgres', q{SELECT string_agg(concat_ws(' ', trait_key, value_type, integer_value, string_value), ', ' ORDER BY trait_key)
	FROM app.environments_trait t JOIN app.environments_identity i ON i.id = t.identity_id WHERE identifier = 'bob'}),
	'age int 7, plan unicode pro', 'where Flagsmith has them');
for my $table (qw(app.environments_identity app.environments_environmentapikey flagsmith.attachment flagsmith.attached_change))
{
	like(as_role('api', "SELECT * FROM $table"), qr/permission denied/, "but cannot read $table");
}
for my $call (q{attach('app')}, 'detach()', 'attach_status()', q{note_attached_changes('{1}', true)}, q{attached_changes('{1}')}, q{lock_to_attach('{}', true)})
{
	like(as_role('api', "SELECT flagsmith.$call"), qr/permission denied for function/, "nor call $call");
}

# Flagsmith's role has no right on anything of ours, and needs none
is(as_role('flagsmith_app', q{UPDATE app.features_featurestatevalue SET string_value = 'hi, pro' WHERE id = 3}), '', 'Flagsmith changes a value');
is(as_role('api', $flag), 'hi, pro', 'which is seen');
is(as_role('flagsmith_app', q{BEGIN; INSERT INTO app.features_featurestate (enabled, environment_id, feature_id, live_from, version, updated_at)
	VALUES (true, 2, 2, now(), 1, now()); DELETE FROM app.features_featurestate WHERE environment_id = 2 AND feature_id = 2;
	UPDATE app.segments_condition SET value = value; TRUNCATE app.environments_environmentapikey; ROLLBACK}), '', 'and whatever else it likes');
like(as_role('flagsmith_app', 'SELECT * FROM flagsmith.attached_change'), qr/permission denied/, 'while it sees nothing of ours');

# code that the tables' owner has put there runs with his rights, never with ours
$node->safe_psql('postgres', q{
	SET ROLE flagsmith_owner;
	CREATE TABLE app.witness (name text, role name);
	CREATE FUNCTION app.see(t text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.witness VALUES (t, current_user); RETURN t; END $$;
	CREATE FUNCTION app.see_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM app.see('trigger'); RETURN NULL; END $$;
	CREATE TRIGGER see AFTER INSERT ON app.environments_trait FOR EACH ROW EXECUTE FUNCTION app.see_row();
	ALTER TABLE app.organisations_organisation RENAME TO organisation;
	CREATE VIEW app.organisations_organisation AS SELECT o.*, app.see('view') FROM app.organisation o});
as_role('flagsmith_app', q{UPDATE app.projects_project SET name = name || '!'});
as_role('api', q{SELECT flagsmith.set_traits('env', 'eve', '{"plan": "pro"}')});
as_role('flagsmith_app', q{UPDATE app.segments_condition SET value = value || '!'});
$node->safe_psql('postgres', q{SELECT count(*) FROM flagsmith.attach_status()});
$node->safe_psql('postgres', $flag =~ s/'ann'/'eve'/r);
is($node->safe_psql('postgres', q{SELECT DISTINCT role FROM app.witness}), 'flagsmith_owner', 'code of the owner runs as the owner');
$node->safe_psql('postgres', q{
	DROP VIEW app.organisations_organisation;
	ALTER TABLE app.organisation RENAME TO organisations_organisation;
	DROP TRIGGER see ON app.environments_trait;
	DROP FUNCTION app.see_row, app.see;
	DROP TABLE app.witness;
	UPDATE app.segments_condition SET value = 'pro';
	UPDATE app.features_featurestatevalue SET string_value = 'hello, pro' WHERE id = 3});
is($node->safe_psql('postgres', q{SELECT count(*) FROM flagsmith.attach_status()}), 2, 'all is well again');

# ---- sessions side by side

my ($one, $two, $reader, $fixed) = map { session($node) } 1 .. 4;
is(ask($reader, $flag), 'hello, pro', 'what is there');
ask($fixed, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
is(ask($fixed, $flag), 'hello, pro', 'with a snapshot');
my $versions = q{SELECT string_agg(updated_at::text, ' ' ORDER BY environment_key) FROM flagsmith.environments_updated_at('{env,other}')};
my @first = split / /, ask($reader, $versions);

# two of Flagsmith's transactions on one environment do not wait for each other
ask($_, q{SET statement_timeout = '5s'; BEGIN}) for ($one, $two);
is(ask($one, q{UPDATE app.features_featurestatevalue SET string_value = 'one' WHERE id = 3}), '', 'one changes');
is(ask($two, q{UPDATE app.features_featurestatevalue SET string_value = 'two' WHERE id = 1}), '', 'another changes the same environment');
is(ask($one, q{UPDATE app.features_featurestatevalue SET string_value = 'uno' WHERE id = 4}), '', 'in turns');
is(ask($two, q{UPDATE app.environments_environment SET updated_at = now() WHERE id = 2}), '', 'and its neighbour');
is(ask($one, q{UPDATE app.segments_condition SET value = 'PRO'}), '', 'crosswise');
is(ask($one, $flag), 'hello', 'each sees its own');
is(ask($reader, $flag), 'hello, pro', 'nobody else does');
ask($two, 'COMMIT');
is(ask($reader, q{SELECT flagsmith.get_feature_value('env', 'banner') #>> '{}'}), 'two', 'the first that commits is seen');
my @second = split / /, ask($reader, $versions);
ok($second[0] > $first[0] && $second[1] > $first[1], 'with a later version');
is(ask($one, $flag), 'two', 'also by the other');
ask($one, 'COMMIT');
is(ask($reader, $flag), 'two', 'then the other is');
my @third = split / /, ask($reader, $versions);
ok($third[0] > $second[0], 'with a version that is later, though it began earlier');
is(ask($fixed, $flag), 'hello, pro', 'not before the end of a snapshot');
ask($fixed, 'COMMIT');
is(ask($fixed, $flag), 'two', 'and then');
ask($one, q{BEGIN; UPDATE app.features_featurestatevalue SET string_value = 'never' WHERE id = 1; ROLLBACK});
is(ask($reader, $flag), 'two', 'a rollback was never there');
is(ask($reader, $versions), "@third", 'nor has it a version');
ask($one, q{BEGIN; UPDATE app.features_featurestatevalue SET string_value = 'later' WHERE id = 1; PREPARE TRANSACTION 'later'});
is(ask($reader, $flag), 'two', 'prepared');
ask($one, q{COMMIT PREPARED 'later'});
is(ask($reader, $flag), 'later', 'and committed');
# rows of what has been told go
ask($two, qq{UPDATE app.features_featurestatevalue SET string_value = 'n$_' WHERE id = 1}) for 1 .. 20;
cmp_ok(ask($reader, q{SELECT count(*) FROM flagsmith.attached_change WHERE environment_id = 1}), '<=', 2, 'changes that later ones have seen are forgotten');

# attach and detach are seen by all at their next statement
ask($one, q{UPDATE app.segments_condition SET value = 'pro'; UPDATE app.features_featurestatevalue SET string_value = 'hello, pro' WHERE id = 3});
is(ask($reader, $flag), 'hello, pro', 'attached');
$node->safe_psql('postgres', 'SELECT flagsmith.detach()');
is(ask($reader, $flag), 'ERROR:  FS001', 'detached');
$node->safe_psql('postgres', q{SELECT flagsmith.attach('app')});
is(ask($reader, $flag), 'hello, pro', 'attached again');

# attach and detach wait for nobody long: who holds a table goes on, and is no deadlock's victim
ask($one, q{BEGIN; UPDATE app.features_featurestate SET enabled = enabled WHERE id = 1});
send_to($two, q{SET statement_timeout = 0; SELECT flagsmith.detach()});
is(ask($one, q{SELECT pg_sleep(0.5); UPDATE app.environments_environment SET description = 'x' WHERE id = 1}), '', 'Flagsmith goes on while we wait for its tables');
is(ask($reader, $flag), 'hello, pro', 'so does evaluation');
is(ask($one, q{SELECT pg_sleep(1.5); DELETE FROM app.segments_condition WHERE id = 0}), '', 'longer than it takes to find deadlocks');
is(ask($one, 'COMMIT'), '', 'and commits');
is(answer_of($two), '', 'then it is our turn');
ask($one, q{BEGIN; UPDATE app.features_featurestate SET enabled = enabled WHERE id = 1});
is(ask($two, q{SELECT flagsmith.attach('app')}), 'ERROR:  55P03', 'in the end we give up');
ask($one, 'COMMIT');
is(ask($two, q{SELECT flagsmith.attach('app')}), '', 'to try again');
end_session($_) for ($one, $two, $reader, $fixed);

# ---- dump and restore

my $dir = PostgreSQL::Test::Utils::tempdir();
my $answers = q{SELECT flagsmith.environment_document('env')::jsonb - 'identity_overrides', (SELECT array_agg(f) FROM flagsmith.get_identity_flags('env', 'ann') f)};
my $expected = $node->safe_psql('postgres', $answers);

sub check_restored
{
	my ($database) = @_;

	is($node->safe_psql($database, 'SELECT count(*) FROM flagsmith.attach_status()'), 2, "$database: attached, nothing is missing");
	is($node->safe_psql($database, $answers), $expected, "$database: the same answers");
	$node->safe_psql($database, q{SET ROLE flagsmith_app; UPDATE app.features_featurestatevalue SET string_value = 'restored' WHERE id = 3});
	is($node->safe_psql($database, $flag), 'restored', "$database: goes on");
	is($node->safe_psql($database, q{SELECT updated_at > extract(epoch FROM now() - interval '1 minute') FROM flagsmith.environments_updated_at('{env}')}),
		't', "$database: and notes changes");
}

$node->command_ok([ 'pg_dump', '-f', "$dir/plain.sql", $node->connstr('postgres') ], 'plain dump');
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('plain'), '-f', "$dir/plain.sql" ], 'plain restore');
check_restored('plain');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/custom", $node->connstr('postgres') ], 'custom dump');
$node->safe_psql('postgres', 'CREATE DATABASE custom');
$node->command_ok([ 'pg_restore', '-e', '-j', '3', '-d', $node->connstr('custom'), "$dir/custom" ], 'custom restore in parallel');
check_restored('custom');

# Flagsmith's schema alone: its tables and rows are there, its triggers need the extension
$node->command_ok([ 'pg_dump', '-Fc', '-n', 'app', '-f', "$dir/app", $node->connstr('postgres') ], 'dump of the schema');
$node->safe_psql('postgres', 'CREATE DATABASE alone');
$node->command_checks_all([ 'pg_restore', '-d', $node->connstr('alone'), "$dir/app" ], 1, [], [qr/errors ignored on restore: 28/], 'restored without the triggers');
is($node->safe_psql('alone', 'SELECT count(*) FROM app.features_featurestate'), 5, 'but with all rows');
$node->safe_psql('postgres', 'CREATE DATABASE after');
$node->safe_psql('after', 'CREATE EXTENSION flagsmith');
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('after'), "$dir/app" ], 'restored after the extension');
$node->safe_psql('after', q{SELECT flagsmith.attach('app')});
check_restored('after');

# ---- the way back: byte for byte

$node->safe_psql('postgres', 'SELECT flagsmith.detach()');
is(dump_of('postgres', '--schema=app'), $dump_before, 'detach() leaves the schema as it was');
$node->safe_psql('postgres', q{SELECT flagsmith.attach('app')});
isnt(dump_of('postgres', '--schema=app'), $dump_before, 'attached again');
my $session = session($node);
is(ask($session, $flag), 'hello, pro', 'a session evaluates');
$node->safe_psql('postgres', 'DROP EXTENSION flagsmith; DROP SCHEMA flagsmith');
is(dump_of('postgres', '--schema=app'), $dump_before, 'so does DROP EXTENSION, while attached');
is(ask($session, q{UPDATE app.features_featurestatevalue SET string_value = 'on my own' WHERE id = 3 RETURNING string_value}), 'on my own', 'and Flagsmith goes on');
is(ask($session, $flag), 'ERROR:  3F000', 'without us');
end_session($session);

SKIP:
{
	my $recorded = $ENV{FLAGSMITH_RECORDED};

	skip 'FLAGSMITH_RECORDED is not set: no tables of a real Flagsmith', 6 unless $recorded;
	$node->safe_psql('postgres', 'CREATE DATABASE real');
	$node->command_ok([ 'pg_restore', '--no-owner', '-d', $node->connstr('real'), "$recorded/flagsmith.dump" ], 'a real Flagsmith');
	my $before = dump_of('real');
	$node->safe_psql('real', 'CREATE EXTENSION flagsmith; SELECT flagsmith.attach()');
	is($node->safe_psql('real', 'SELECT count(*) FROM flagsmith.attach_status()'), 2, 'has all that is needed');
	cmp_ok($node->safe_psql('real', q{SELECT count(*) FROM environments_environment e, flagsmith.get_environment_flags(e.api_key) WHERE deleted_at IS NULL
		AND (SELECT NOT stop_serving_flags FROM organisations_organisation o JOIN projects_project p ON o.id = organisation_id WHERE p.id = project_id)}), '>', 300, 'evaluates');
	$node->safe_psql('real', 'SELECT flagsmith.detach(); DROP EXTENSION flagsmith; DROP SCHEMA flagsmith');
	is(dump_of('real'), $before, 'and is as it was after detach()');
	$node->safe_psql('real', 'CREATE EXTENSION flagsmith; SELECT flagsmith.attach(); DROP EXTENSION flagsmith; DROP SCHEMA flagsmith');
	is(dump_of('real'), $before, 'and after DROP EXTENSION');
}

$node->stop;
done_testing();
