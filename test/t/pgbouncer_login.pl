# Who may log in through pgbouncer: the roles of the API and of administration with their
# passwords, in time, and nobody who could do more. The look-up gives its row to pgbouncer's
# own role alone, whatever that session has set.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Bouncer;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'pgbouncer is not installed' unless defined Bouncer::program();

my $node = Bouncer::node('login');
my $bouncer = Bouncer->new($node);
my $refused = qr/authentication failed|no such user/;

is($bouncer->through('SELECT current_user'), 'flagsmith_api', 'the API role logs in with SCRAM');
is($bouncer->through('SELECT current_user', 'flagsmith_admin', 'flagsmith_admin'), 'flagsmith_admin', 'so does the admin role');
is($bouncer->through('SELECT current_user', 'flagsmith_read'), 'flagsmith_api', 'each alias looks up');
{
	local $bouncer->{password} = 'a guess';
	like($bouncer->refusal, $refused, 'a wrong password is refused');
	local $bouncer->{password} = '';
	like($bouncer->refusal, qr/authentication failed|no such user|no password supplied/, 'and an empty one');
}

# a password's time
$node->safe_psql('flagsmith', q{ALTER ROLE flagsmith_api VALID UNTIL 'yesterday'});
like($bouncer->refusal, $refused, 'an expired password is refused');
$node->safe_psql('flagsmith', q{ALTER ROLE flagsmith_api VALID UNTIL 'tomorrow'});
is($bouncer->through('SELECT 1'), '1', 'one that will expire is good');
$node->safe_psql('flagsmith', q{ALTER ROLE flagsmith_api VALID UNTIL 'infinity' PASSWORD 'new'});
like($bouncer->refusal, $refused, 'a changed password: the old one is refused at once');
{
	local $bouncer->{password} = 'new';
	is($bouncer->through('SELECT 1'), '1', 'and the new one is good');
}
$node->safe_psql('flagsmith', "ALTER ROLE flagsmith_api PASSWORD '$Bouncer::password'");

# Each of these would log in without pgbouncer, but for the last two.
my %others = (
	boss => 'SUPERUSER',
	copier => 'REPLICATION',
	seer => 'BYPASSRLS',
	group_role => 'NOLOGIN',
	blank => 'PASSWORD NULL');
for my $role (sort keys %others)
{
	$node->safe_psql('flagsmith', "CREATE ROLE $role LOGIN PASSWORD '$Bouncer::password'; ALTER ROLE $role $others{$role}");
	my ($direct) = Bouncer::psql($node->connstr('flagsmith') . " user=$role password='$Bouncer::password'", 'SELECT 1');
	is(!!$direct, $others{$role} !~ /NOLOGIN|NULL/, "$others{$role}: without pgbouncer");
	like($bouncer->refusal($role), $refused, "$others{$role} is refused");
}
like($bouncer->refusal('nobody_at_all'), $refused, 'an unknown role is refused');
like($bouncer->refusal('flagsmith_api', 'postgres'), qr/authentication failed|no such database/, 'a database that is not listed is refused');

# The console, by roles that pgbouncer has not seen and by those that it has: some ways to
# configure the look-up let this end pgbouncer 1.18, or leave the client waiting for ever.
for my $role ('nobody_at_all', 'boss', 'flagsmith_api', 'flagsmith_admin')
{
	like($bouncer->refusal($role, 'pgbouncer', 'SHOW POOLS'), qr/authentication failed|not allowed/, "$role is refused on the console");
}
like($bouncer->console('SHOW CONFIG'), qr/^auth_type\|scram-sha-256\|/m, 'which goes on, for who may');

# the look-up itself
my $look = q{SELECT count(*) FROM pgbouncer.get_auth('flagsmith_api')};
like($bouncer->refusal('flagsmith_api', undef, $look), qr/permission denied/, 'no other role may look up');
like($bouncer->refusal('flagsmith_admin', undef, $look), qr/permission denied/, 'nor the admin role');
is($bouncer->through($look, undef, 'pgbouncer_auth'), '1', 'its own role may');
like($bouncer->refusal('pgbouncer_auth', undef, 'SELECT FROM pg_authid'), qr/permission denied/, 'but has no other way to the passwords');
$node->safe_psql('flagsmith', <<'SQL');
CREATE SCHEMA evil;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
CREATE FUNCTION evil.yes(name, name) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = name, FUNCTION = evil.yes);
SQL
is($bouncer->through(<<'SQL', undef, 'pgbouncer_auth'), "t\n0", 'a search_path of the session has no say in it');
BEGIN;
SET LOCAL search_path = evil, pg_catalog;
SELECT 'a'::name = 'b'::name;
SELECT count(*) FROM pgbouncer.get_auth('nobody_at_all');
COMMIT;
SQL

# the roles
is($bouncer->through(q{SELECT concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'))}), '3s 2s', "the API role's time limits");
{
	local $ENV{PGOPTIONS} = '-c statement_timeout=0';
	is($bouncer->through('SHOW statement_timeout'), '3s', 'are not for a client to change');
}
like($bouncer->refusal('flagsmith_api', undef, 'SELECT FROM flagsmith.environment'), qr/permission denied/, 'it reads no table');
is($bouncer->through('SELECT count(*) FROM flagsmith.environment', 'flagsmith_admin', 'flagsmith_admin'), '0', 'the admin role does');

Bouncer::set_up($node);
is($bouncer->through('SELECT 1'), '1', 'both files may be run again');
is($node->safe_psql('flagsmith', q{SELECT proacl FROM pg_proc WHERE proname = 'get_auth'}),
	join('', '{', join(',', map { "$_=X/" . getpwuid($>) } scalar getpwuid($>), 'pgbouncer_auth'), '}'), 'and give nobody more');
unlike($bouncer->log_of, qr/SCRAM-SHA-256\$|\Q$Bouncer::password\E/, 'no password in the log');

$bouncer->stop;
$node->stop;
done_testing();
