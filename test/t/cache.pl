# The cache where it could go wrong: its bound, errors and interrupts while it builds, the
# extension dropped under it, prepared transactions, a backend that is killed.

use strict;
use warnings;

use FindBin;
use IPC::Run ();
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', "max_prepared_transactions = 2\nrestart_after_crash = on\n");
$node->start;

# outside of the extension, so that it stays when that goes
my $document = <<'SQL';
CREATE FUNCTION document(key text, value text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('api_key', key, 'name', 'environment ' || key,
		'project', jsonb_build_object('id', 1, 'name', 'p ' || key, 'segments', '[{"id": 7, "name": "all", "rules": [{"type": "ALL"}]}]'::jsonb),
		'feature_states', (SELECT jsonb_agg(jsonb_build_object('feature', jsonb_build_object('name', 'f' || n), 'enabled', true, 'feature_state_value', value)) FROM generate_series(1, 20) n))
$$;
SQL
$node->safe_psql('postgres', 'CREATE EXTENSION flagsmith');
$node->safe_psql('postgres', $document);

my $value = sub { "SELECT flagsmith.get_feature_value('$_[0]', 'f1') #>> '{}'" };
my $held = q{SELECT string_agg(ident, ', ' ORDER BY ident COLLATE "C") FROM pg_backend_memory_contexts WHERE name = 'flagsmith environment'};

# ---- the bound ----

$node->safe_psql('postgres', q{SELECT count(flagsmith.import_environment(document(n::text, 'old'))) FROM generate_series(1, 30) n});
my $session = session($node);
ask($session, $value->(1));
my $bytes = ask($session, 'SELECT bytes FROM flagsmith.cache_stats()');
my $room = int($bytes * 4.5 / 1024);
ask($session, "SET flagsmith.cache_size = $room");
ask($session, $value->($_)) for (2 .. 4, 1, 5);
is(ask($session, $held), 'environment 1, environment 3, environment 4, environment 5', 'the least recently used leaves');
ask($session, $value->($_)) for (1 .. 30);
is(ask($session, $held), 'environment 27, environment 28, environment 29, environment 30', 'four are held where four have room');
is( ask($session, "SELECT environments, bytes <= 1024 * $room, (SELECT bytes BETWEEN 0.9 * sum(total_bytes) AND sum(total_bytes) FROM pg_backend_memory_contexts WHERE name = 'flagsmith environment') FROM flagsmith.cache_stats()"),
	'4|t|t', 'cache_stats() says what is held');
is(ask($session, 'SELECT misses = builds, invalidations FROM flagsmith.cache_stats()'), 't|0', 'to leave is no invalidation');
my $builds = ask($session, 'SELECT builds FROM flagsmith.cache_stats()');
ask($session, $value->($_)) for (27 .. 30);
is(ask($session, "SELECT builds - $builds FROM flagsmith.cache_stats()"), '0', 'those that are held are not built again');
is(ask($session, "SELECT count(*), min(flagsmith.get_feature_value(n::text, 'f1') #>> '{}') FROM generate_series(1, 30) n"), '30|old', 'thirty in one statement');

# several in use at once, of which all but one have no room
is( ask($session, q{SET flagsmith.cache_size = 0;
		SELECT count(*) FROM flagsmith.get_identity_flags('1', 'u') JOIN flagsmith.get_identity_flags('2', 'u') b USING (feature) JOIN flagsmith.get_identity_flags('3', 'u') c USING (feature)}),
	'20', 'three in use without room');
is(ask($session, 'SELECT environments FROM flagsmith.cache_stats()'), '1', 'one is held without room');
ask($session, 'RESET flagsmith.cache_size');

# ---- errors and interrupts ----

my $scraps = q{SELECT count(*) FROM pg_backend_memory_contexts WHERE name IN ('flagsmith build', 'flagsmith answers')};
ask($session, $value->($_)) for (1, 2);
my $before = ask($session, $held);
my $others = $before =~ s/environment 1, //r;
isnt($others, $before, 'the environment is held');
$node->safe_psql('postgres', <<'SQL');
ALTER TABLE flagsmith.segment DROP CONSTRAINT segment_rules_check;
UPDATE flagsmith.segment g SET rules = '{"type": "ALL"}' FROM flagsmith.project p WHERE p.id = g.project_id AND p.name = 'p 1';
SQL
for my $time ('first', 'second')
{
	is(ask($session, $value->(1)), 'ERROR:  22023', "rules that cannot be: the $time call says so");
}
is(ask($session, "SAVEPOINT s"), 'ERROR:  25P01', 'the session is in no transaction');
is(ask($session, "BEGIN; SAVEPOINT s; " . $value->(1)), 'ERROR:  22023', 'in a subtransaction too');
is(ask($session, "ROLLBACK TO s; " . $value->(2) . "; COMMIT"), 'old', 'another environment answers after it');
is(ask($session, $held), $others, 'nothing of it is kept');
is(ask($session, $scraps), '0', 'nor are scraps');
is( ask($session, 'SELECT environments = (SELECT count(*) FROM pg_backend_memory_contexts WHERE name = \'flagsmith environment\') FROM flagsmith.cache_stats()'),
	't', 'cache_stats() counts right after errors');
$node->safe_psql('postgres', <<'SQL');
UPDATE flagsmith.segment SET rules = '[]' WHERE jsonb_typeof(rules) = 'object';
ALTER TABLE flagsmith.segment ADD CONSTRAINT segment_rules_check CHECK (flagsmith.check_rules(rules));
SQL
is(ask($session, $value->(1)), 'old', 'repaired, it answers');
is(ask($session, $held), $before, 'and is held');

# the build waits for a lock until the statement's time is over
my $locker = session($node);
ask($locker, q{UPDATE flagsmith.feature_state s SET value = '"new"' FROM flagsmith.environment e WHERE e.id = s.environment_id AND api_key = '1'});
ask($locker, 'BEGIN; LOCK TABLE flagsmith.feature_state');
is(ask($session, "SET statement_timeout = '200ms'; " . $value->(1)), 'ERROR:  57014', 'statement_timeout while it builds');
ask($session, 'RESET statement_timeout');
is(ask($session, $scraps), '0', 'no scraps are left');
ask($locker, 'COMMIT');
is(ask($session, $value->(1)), 'new', 'the next call builds it');
is(ask($session, $held), $before, 'and it is held');

# ---- prepared transactions ----

ask($session, $value->(3));
is( ask($locker, q{BEGIN; UPDATE flagsmith.feature_state SET value = '"prepared"'; } . $value->(3)),
	'prepared', 'the session sees what it will prepare');
ask($locker, q{PREPARE TRANSACTION 'one'});
is(ask($_, $value->(3)), 'old', 'prepared, nobody sees it') for ($locker, $session);
ask($locker, q{COMMIT PREPARED 'one'});
is(ask($_, $value->(3)), 'prepared', 'committed, all see it') for ($locker, $session);
ask($locker, q{BEGIN; UPDATE flagsmith.feature_state SET value = '"never"'; PREPARE TRANSACTION 'two'});
# it stays over a restart, and another session than its own ends it
ask($session, q{BEGIN ISOLATION LEVEL REPEATABLE READ; } . $value->(3));
end_session($locker);
$locker = session($node);
ask($locker, q{ROLLBACK PREPARED 'two'});
is(ask($session, $value->(3)), 'prepared', 'rolled back, it never was');
ask($session, 'COMMIT');
is(ask($_, $value->(3)), 'prepared', 'for nobody') for ($locker, $session);
ask($locker, q{BEGIN; UPDATE flagsmith.feature_state SET value = '"late"'; PREPARE TRANSACTION 'three'});
ask($session, q{BEGIN ISOLATION LEVEL REPEATABLE READ; } . $value->(3));
ask($locker, q{COMMIT PREPARED 'three'});
is(ask($session, $value->(3)), 'prepared', 'a snapshot from before the commit stays');
ask($session, 'COMMIT');
is(ask($session, $value->(3)), 'late', 'to the end of its transaction');

# ---- the extension goes and comes again ----

is(ask($session, $value->(1)), 'late', 'cached');
ask($locker, 'DROP EXTENSION flagsmith');
is(ask($session, $value->(1)), 'ERROR:  42883', 'the extension is gone');
ask($locker, 'CREATE EXTENSION flagsmith');
is(ask($session, $value->(1)), 'ERROR:  FS001', 'it is there again, without the environment') or diag('SQLSTATE of an unknown key');
ask($locker, q{SELECT flagsmith.import_environment(document('1', 'anew'))});
is(ask($session, $value->(1)), 'anew', 'with the environment');
# all of it in one transaction, beside a transaction that has used the cache
is(ask($session, 'BEGIN; ' . $value->(1)), 'anew', 'in a transaction');
ask($locker, q{BEGIN; DROP EXTENSION flagsmith; CREATE EXTENSION flagsmith; SELECT flagsmith.import_environment(document('1', 'once more')); COMMIT});
is(ask($session, $value->(1) . '; COMMIT'), 'once more', 'which goes on with what is there');
is(ask($session, $value->(1)), 'once more', 'and nothing is stale');
ask($locker, q{UPDATE flagsmith.feature_state SET value = '"and again"'});
is(ask($session, $value->(1)), 'and again', 'the new tables tell of changes');
is(ask($locker, $value->(1)), 'and again', 'in the session that made them too');
end_session($_) for ($session, $locker);

# ---- a backend is killed in the middle of set_traits() ----

# each writer sets traits 1, 2, 3, ... of an identity of its own, and says which are set
my $dir = PostgreSQL::Test::Utils::tempdir();
for my $n (1 .. 3)
{
	append_to_file("$dir/writer$n.sql", join '', map { "SELECT flagsmith.set_traits('1', 'writer $n', '{\"t$_\": $_}') IS NOT NULL;\n\\echo $_\n" } 1 .. 20000);
}
my $holder = session($node);
ask($holder, q{SELECT flagsmith.set_traits('1', 'held', '{"a": 1}')});
ask($holder, q{BEGIN; SELECT FROM flagsmith.identity WHERE identifier = 'held' FOR UPDATE});
my $victim = session($node);
my $pid = ask($victim, 'SELECT pg_backend_pid()');
my @writers = map {
	my %writer = (out => '');
	$writer{run} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', "$dir/writer$_.sql" ],
		'<', \undef, '>', \$writer{out}, '2>', \my $errors, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	\%writer
} 1 .. 3;
for my $writer (@writers)
{
	$writer->{run}->pump until $writer->{out} =~ /^200$/m;
}
send_to($victim, q{SELECT flagsmith.set_traits('1', 'held', '{"b": 2}')});
$node->poll_query_until('postgres', "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid") or die 'the victim does not wait';
PostgreSQL::Test::Utils::system_or_bail('pg_ctl', 'kill', 'KILL', $pid);
$_->{run}->finish for @writers;
eval { $_->{run}->finish } for ($holder, $victim);

$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
for my $n (1 .. 3)
{
	my ($last) = reverse $writers[ $n - 1 ]->{out} =~ /^(\d+)$/mg;

	note("writer $n was told of $last");
	is( $node->safe_psql('postgres', qq{SELECT count(*) FROM flagsmith.identity, generate_series(1, $last) t WHERE identifier = 'writer $n' AND traits -> ('t' || t) = to_jsonb(t)}),
		$last, 'no trait is lost that a client was told of');
	is( $node->safe_psql('postgres', qq{SELECT count(*) - $last IN (0, 1) FROM flagsmith.identity, jsonb_object_keys(traits) WHERE identifier = 'writer $n'}),
		't', 'beside these there is at most the one that it was not yet told of');
}
is($node->safe_psql('postgres', q{SELECT flagsmith.set_traits('1', 'held', '{"c": 3}')}), '{"a": 1, "c": 3}', 'what the killed one had not done is not there');
is($node->safe_psql('postgres', $value->(1)), 'and again', 'flags are as before');

$node->stop;
done_testing();
