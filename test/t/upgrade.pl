# An upgraded extension is the same as a fresh one: every object, its definition, rights
# and comment, and what pg_dump keeps. Data and answers survive the upgrade.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('upgrade');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('postgres', 'CREATE DATABASE upgraded');

my $document = q({"api_key": "client", "name": "env",
	"project": {"id": 1, "name": "p", "segments": [{"id": 7, "name": "pro", "rules": [{"type": "ALL",
		"conditions": [{"property_": "plan", "operator": "EQUAL", "value": "pro"}], "rules": []}],
		"feature_states": [{"feature": {"id": 1, "name": "banner"}, "enabled": true,
			"feature_state_value": "for pros", "feature_segment": {"priority": 0}}]}]},
	"feature_states": [{"feature": {"id": 1, "name": "banner"}, "enabled": false, "feature_state_value": "hi"}],
	"identity_overrides": [{"identifier": "vip", "identity_features": [
		{"feature": {"id": 1, "name": "banner"}, "enabled": true, "feature_state_value": "for you"}]}]});

$node->safe_psql('upgraded', qq(
	CREATE EXTENSION flagsmith VERSION '0.1.0';
	SELECT flagsmith.import_environment('$document');
	SELECT flagsmith.set_traits('client', 'ann', '{"plan": "pro"}');
	ALTER EXTENSION flagsmith UPDATE;));
$node->safe_psql('fresh', 'CREATE EXTENSION flagsmith');

my $default = $node->safe_psql('fresh', "SELECT default_version FROM pg_available_extensions WHERE name = 'flagsmith'");
is($node->safe_psql('upgraded', "SELECT extversion FROM pg_extension WHERE extname = 'flagsmith'"),
	$default, 'the update leads to the default version');

is( $node->safe_psql('upgraded', q(
	SELECT string_agg(flagsmith.get_feature_value('client', 'banner', i) #>> '{}', ', ' ORDER BY i)
	FROM unnest(ARRAY['ann', 'bob', 'vip']) i)),
	'for pros, hi, for you', 'data and answers survive');

# Each query lists one kind of thing, by names and not by numbers.
my %kinds = (
	members => q(SELECT pg_describe_object(classid, objid, 0) FROM pg_depend
		WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'flagsmith') AND deptype = 'e' ORDER BY 1),
	functions => q(SELECT pg_get_functiondef(oid), proacl, obj_description(oid, 'pg_proc')
		FROM pg_proc WHERE pronamespace = 'flagsmith'::regnamespace ORDER BY 1),
	columns => q(SELECT attrelid::regclass::text, attnum, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
		pg_get_expr(adbin, adrelid), col_description(attrelid, attnum)
		FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef d ON (adrelid, adnum) = (attrelid, attnum)
		WHERE relnamespace = 'flagsmith'::regnamespace AND attnum > 0 ORDER BY 1, 2),
	relations => q(SELECT oid::regclass::text, relkind, relacl, relpersistence, obj_description(oid, 'pg_class'),
		CASE relkind WHEN 'v' THEN pg_get_viewdef(oid) END
		FROM pg_class WHERE relnamespace = 'flagsmith'::regnamespace ORDER BY 1),
	constraints => q(SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
		WHERE connamespace = 'flagsmith'::regnamespace ORDER BY 1, 2),
	indexes => q(SELECT pg_get_indexdef(indexrelid) FROM pg_index
		WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'flagsmith'::regnamespace) ORDER BY 1),
	triggers => q(SELECT pg_get_triggerdef(t.oid), tgenabled FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
		WHERE relnamespace = 'flagsmith'::regnamespace AND NOT tgisinternal ORDER BY 1),
	dumped => q(SELECT config::regclass::text FROM pg_extension, unnest(extconfig) config WHERE extname = 'flagsmith' ORDER BY 1),
);
for my $kind (sort keys %kinds)
{
	my $fresh = $node->safe_psql('fresh', $kinds{$kind});

	isnt($fresh, '', "there are $kind");
	is($node->safe_psql('upgraded', $kinds{$kind}), $fresh, "$kind are the same");
}

$node->stop;
done_testing();
