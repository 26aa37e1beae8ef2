# An API instance, requests to it byte by byte, and a load that holds each answer against its
# request: clients() tells how many were right, told an error in JSON, or anything else.
package Api;

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use IPC::Run ();
use Time::HiRes qw(sleep time);

our $environment = q(SELECT flagsmith.import_environment('{"api_key": "the-key", "name": "env", "project": {"id": 1, "name": "p", "segments": []},
	"feature_states": [{"feature": {"id": 1, "name": "banner"}, "enabled": true, "django_id": 1}]}'));

# An error is told within this.
our $error_seconds = 4;

# Starts an instance with these settings, and waits until it listens and has its databases.
sub new
{
	my ($class, @settings) = @_;
	my $self = bless { log => '', timer => IPC::Run::timeout(120) }, $class;

	$self->{run} = IPC::Run::start([ 'api/flagsmith-api', '--port', '0', @settings ],
		'<', '/dev/null', '>', '/dev/null', '2>', \$self->{log}, $self->{timer});
	$self->wait_for(qr/"listening"/);
	$self->wait_for(qr/database_connected","database":"$_"/) for 'read', 'write';
	($self->{port}) = $self->{log} =~ /"port":(\d+)/;
	return $self;
}

# Waits until the log has a line.
sub wait_for
{
	my ($self, $line) = @_;

	$self->{run}->pump until $self->{log} =~ $line;
}

sub pid
{
	my ($self) = @_;

	return $self->{run}{KIDS}[0]{PID};
}

# Resident memory in megabytes.
sub memory
{
	my ($self) = @_;
	open my $file, '<', '/proc/' . $self->pid . '/status' or die;
	my ($kilobytes) = join('', <$file>) =~ /VmRSS:\s*(\d+)/;

	return $kilobytes / 1024;
}

sub end
{
	my ($self) = @_;

	$self->{run}->signal('TERM');
	return $self->{run}->finish;
}

sub connect
{
	my ($self) = @_;

	return IO::Socket::INET->new(PeerAddr => "127.0.0.1:$self->{port}", Timeout => 5);
}

# The bytes of a request; headers are lines.
sub request
{
	my ($method, $path, $body, @headers) = @_;
	my $length = defined $body ? 'Content-Length: ' . length($body) . "\r\n" : '';

	return "$method $path HTTP/1.1\r\nHost: x\r\nX-Environment-Key: the-key\r\nContent-Type: application/json\r\n"
		. $length . join('', map { "$_\r\n" } @headers) . "\r\n" . ($body // '');
}

# Takes an answer from the start of some bytes: status, body, whether the connection ends.
sub parse
{
	my ($bytes) = @_;

	return unless $$bytes =~ /\AHTTP\/1\.1 (\d+)[^\n]*\n(.*?)\r\n\r\n/s;
	my ($status, $head, $start) = ($1, $2, $+[0]);
	my ($length) = $head =~ /^Content-Length: (\d+)/mi;
	return if length($$bytes) < $start + ($length // 0);
	my $body = substr $$bytes, $start, $length // 0;
	substr($$bytes, 0, $start + ($length // 0)) = '';
	return ($status, $body, $head =~ /^Connection: close/m);
}

# Waits for an answer on a connection: "status body"; '' if it ends without one.
sub take
{
	my ($socket, $bytes) = @_;
	my $own = '';

	$bytes //= \$own;
	for (;;)
	{
		my ($status, $body) = parse($bytes);
		return "$status $body" if defined $status;
		return '' unless IO::Select->new($socket)->can_read(10) && sysread $socket, $$bytes, 65536, length $$bytes;
	}
}

# One request on a connection of its own.
sub ask
{
	my ($self, @request) = @_;
	my $socket = $self->connect or return '';

	syswrite $socket, request(@request);
	return take($socket);
}

# Waits until it answers 200; returns after how many seconds.
sub seconds_until_well
{
	my ($self, @request) = @_;
	my $start = time;

	sleep 0.05 until $self->ask(@request) =~ /^200/ || time - $start > 20;
	return time - $start;
}

# ---- load ----

sub next_request
{
	my ($client) = @_;
	my $name = "u$client->{number}." . ++$client->{count};

	if ($client->{number} % 4 == 0)
	{
		$client->{wanted} = qr/"trait_value":\d+/;
		return request('POST', '/api/v1/traits/increment-value/', '{"identifier":"counter","trait_key":"n","increment_by":1}');
	}
	$client->{wanted} = qr/"identifier":"\Q$name\E"/;
	return request('POST', '/api/v1/identities/', qq({"identifier":"$name","traits":[{"trait_key":"k","trait_value":"$name"}]}))
		if $client->{number} % 4 == 1;
	$client->{wanted} = qr/"feature":\{"id":1,"name":"banner"/;
	return request('GET', $client->{number} % 4 == 2 ? '/api/v1/flags/' : "/api/v1/identities/?identifier=$name");
}

sub judge
{
	my ($client, $counts, $status, $body) = @_;
	my $seconds = time - $client->{sent};
	my $is_told = $status =~ /^50[03]$/ && $body =~ /^\{"detail":"[^"]+"\}$/;

	$counts->{slowest} = $seconds if $seconds > $counts->{slowest};
	$counts->{counted}++ if $status == 200 && $client->{number} % 4 == 0;
	$counts->{perhaps_counted}++ if $status == 500 && $client->{number} % 4 == 0;
	if ($status == 200 && $body =~ $client->{wanted}) { $counts->{right}++; }
	elsif ($is_told && $seconds < $error_seconds) { $counts->{told}++; }
	else { $counts->{wrong} .= "$status $body after $seconds s\n"; }
}

# One client goes on: its socket has something.
sub go_on
{
	my ($self, $client, $counts, $is_over) = @_;
	my ($status, $body, $is_last);

	if (!sysread $client->{socket}, $client->{bytes}, 65536, length $client->{bytes})
	{
		$counts->{wrong} .= "no answer\n" if $client->{sent};
		return 0;
	}
	($status, $body, $is_last) = parse(\$client->{bytes}) or return 1;
	judge($client, $counts, $status, $body);
	$client->{sent} = 0;
	return 0 if $is_over || ($is_last && !($client->{socket} = $self->connect));
	syswrite $client->{socket}, next_request($client);
	$client->{sent} = time;
	return 1;
}

sub run_clients
{
	my ($self, $number, $seconds) = @_;
	my %counts = (right => 0, told => 0, wrong => '', slowest => 0, counted => 0, perhaps_counted => 0);
	my @clients = map { { number => $_, socket => $self->connect, bytes => '', count => 0 } } 1 .. $number;
	my $end = time + $seconds;

	for my $client (@clients)
	{
		syswrite $client->{socket}, next_request($client);
		$client->{sent} = time;
	}
	while (@clients && time < $end + 6)
	{
		my %ready = map { $_ => 1 } IO::Select->new(map { $_->{socket} } @clients)->can_read(1);
		@clients = grep { !$ready{ $_->{socket} } || go_on($self, $_, \%counts, time > $end) } @clients;
	}
	$counts{wrong} .= scalar(@clients) . " without an answer\n" if @clients;
	return \%counts;
}

# Starts so many clients for so long in a process of their own; results() waits for them.
sub clients
{
	my ($self, $number, $seconds) = @_;
	my $pid = open(my $pipe, '-|') // die;

	if ($pid == 0)
	{
		my $counts = run_clients($self, $number, $seconds);
		syswrite STDOUT, join("\0", %$counts);
		require POSIX;
		POSIX::_exit(0);
	}
	return $pipe;
}

sub results
{
	my ($pipe) = @_;
	local $/;
	my %counts = split /\0/, <$pipe>, -1;

	return \%counts;
}

1;
