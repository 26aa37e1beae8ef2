# pgbouncer as the project ships it, before a node: pgbouncer.ini with nothing changed but
# places and ports, the roles and the password look-up of pgbouncer/*.sql, SCRAM on both
# sides, started by pgbouncer/start.
package Bouncer;

use strict;
use warnings;

use FindBin;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;

our $scripts = "$FindBin::RealBin/../../pgbouncer";
our $password = 'not a secret';
my @started;

# The program that FLAGSMITH_PGBOUNCER names, or the installed one; undef if there is none.
sub program
{
	return $ENV{FLAGSMITH_PGBOUNCER} if defined $ENV{FLAGSMITH_PGBOUNCER};
	my ($found) = grep { -f && -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin';
	return $found;
}

# A node with the database flagsmith and its roles.
sub node
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	my $user = getpwuid($>);

	$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
	unlink($node->data_dir . '/pg_hba.conf');
	$node->append_conf('pg_hba.conf', "local all $user trust\nlocal all all scram-sha-256\n");
	$node->start;
	$node->safe_psql('postgres', 'CREATE DATABASE flagsmith');
	$node->safe_psql('flagsmith', 'CREATE EXTENSION flagsmith');
	set_up($node);
	$node->safe_psql('postgres', "ALTER ROLE $_ PASSWORD '$password'") for qw(pgbouncer_auth flagsmith_api flagsmith_admin);
	return $node;
}

# What a DBA runs, once or again.
sub set_up
{
	my ($node) = @_;

	system_or_bail('psql', '-Xq', '-d', $node->connstr('flagsmith'), '-f', "$scripts/$_") for 'auth_query.sql', 'roles.sql';
}

# Options: program; processes; settings, lines that go first; tcp, whether to listen there too.
sub new
{
	my ($class, $node, %options) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir_short();
	my $server = 'host=' . $node->host . ' port=' . $node->port . ' dbname=flagsmith auth_user=pgbouncer_auth';
	my $self = bless { program => program(), processes => 1, settings => '', %options, dir => $dir, port => PostgreSQL::Test::Cluster::get_free_port() }, $class;

	append_to_file("$dir/users", qq{"pgbouncer_auth" "$password"\n});
	append_to_file("$dir/local.ini", <<"INI" . $self->{settings} . <<"INI");
listen_addr = @{[$self->{tcp} ? '127.0.0.1' : '']}
listen_port = $self->{port}
auth_file = $dir/users
INI
[databases]
flagsmith = $server
flagsmith_read = $server
flagsmith_admin = $server pool_size=2 reserve_pool=0
INI
	push @started, $self;
	$self->start;
	return $self;
}

sub start
{
	my ($self) = @_;

	local $ENV{FLAGSMITH_PGBOUNCER} = $self->{program};
	system_or_bail("$scripts/start", '-n', $self->{processes}, $self->{dir});
}

sub stop
{
	my ($self) = @_;

	system_or_bail("$scripts/stop", $self->{dir});
}

# The minor version: 18 of 1.18.0.
sub version
{
	my ($self) = @_;
	my ($minor) = `$self->{program} --version` =~ /^PgBouncer 1\.(\d+)/;

	return $minor;
}

# The folder of a process, its socket too.
sub folder
{
	my ($self, $process) = @_;

	return $self->{processes} == 1 ? $self->{dir} : "$self->{dir}/" . ($process // 1);
}

# As the API role, unless another is named; by TCP if it listens there.
sub connstr
{
	my ($self, $database, $role) = @_;
	my $host = $self->{tcp} ? '127.0.0.1' : $self->folder;

	return "host=$host port=$self->{port} dbname=$database user=" . ($role // 'flagsmith_api') . " password='" . ($self->{password} // $password) . "'";
}

sub psql
{
	my ($connstr, $sql) = @_;
	my ($output, $errors) = ('', '');
	my $good = IPC::Run::run([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $connstr ], '<', \$sql, '>', \$output, '2>', \$errors,
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));

	chomp($output, $errors);
	return ($good, $output, $errors);
}

# Runs SQL through pgbouncer; dies of an error.
sub through
{
	my ($self, $sql, $database, $role) = @_;
	my ($good, $output, $errors) = psql($self->connstr($database // 'flagsmith', $role), $sql);

	die "$errors\n$sql" unless $good;
	return $output;
}

# A session (Session.pm) that stays.
sub client
{
	my ($self, $database, $role) = @_;
	my $connstr = $self->connstr($database // 'flagsmith', $role);

	return session(bless \$connstr, 'Bouncer::Address');
}

sub Bouncer::Address::connstr
{
	my ($self) = @_;

	return $$self;
}

# The error of a connection or of SQL.
sub refusal
{
	my ($self, $role, $database, $sql) = @_;
	my ($good, $output, $errors) = psql($self->connstr($database // 'flagsmith', $role), $sql // 'SELECT 1');

	return $good ? "not refused: $output" : $errors;
}

# A command on the console, which is open to the Unix user that pgbouncer runs as.
sub console
{
	my ($self, $command, $process) = @_;
	my ($good, $output, $errors) = psql('host=' . $self->folder($process) . " port=$self->{port} user=pgbouncer dbname=pgbouncer", $command);

	die "$errors\n$command" unless $good;
	return $output;
}

# pgbench with a script as clients of the API, or the options given; its output.
sub pgbench
{
	my ($self, $script, @options) = @_;
	my $file = "$self->{dir}/script" . ++$self->{scripts};
	my ($output, $errors) = ('', '');

	append_to_file($file, $script);
	IPC::Run::run([ 'pgbench', '-n', '-j', '2', @options, '-f', $file, $self->connstr('flagsmith') ], '>', \$output, '2>', \$errors,
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return "$output$errors";
}

sub log_of
{
	my ($self, $process) = @_;

	return slurp_file($self->folder($process) . '/log');
}

END
{
	my $status = $?;

	$_->stop for @started;
	$? = $status;
}

1;
