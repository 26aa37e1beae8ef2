# A psql that stays: ask() sends statements and returns all that they say; send_to() and
# answer_of() do the same in two steps, for statements that wait.
package Session;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run ();
use PostgreSQL::Test::Utils;

our @EXPORT = qw(session send_to answer_of ask end_session);

sub session
{
	my ($node) = @_;
	my %session = (in => '', out => '');

	$session{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'VERBOSITY=sqlstate', '-d', $node->connstr('postgres') ],
		'<', \$session{in}, '>&', \$session{out},
		$session{timer} = IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return \%session;
}

sub send_to
{
	my ($session, $sql) = @_;

	$session->{timer}->start($PostgreSQL::Test::Utils::timeout_default);
	$session->{out} = '';
	$session->{in} .= "$sql;\n\\echo that is all\n";
	$session->{run}->pump_nb;
}

sub answer_of
{
	my ($session) = @_;

	$session->{run}->pump until $session->{out} =~ s/^that is all\n\z//m;
	chomp $session->{out};
	return $session->{out};
}

sub ask
{
	my ($session, $sql) = @_;

	send_to($session, $sql);
	return answer_of($session);
}

sub end_session
{
	my ($session) = @_;

	$session->{in} .= "\\q\n";
	$session->{run}->finish;
}

1;
