-- Attaching: what attach() looks at, what its triggers note, what detach() leaves behind.
\getenv abs_srcdir PG_ABS_SRCDIR
\set fixture :abs_srcdir '/test/fixtures/flagsmith.sql'
CREATE SCHEMA app;
SET search_path = app;
SET client_min_messages = warning;
\set ECHO none
\o /dev/null
\i :fixture
\o
\set ECHO all
RESET search_path;
RESET client_min_messages;

-- what Flagsmith's schema is made of: it must be the same again in the end
CREATE VIEW pg_temp.app_object AS
SELECT 'relation' AS kind, concat_ws(' ', relname, relkind, relacl, relhasrules, relrowsecurity) AS object FROM pg_class WHERE relnamespace = 'app'::regnamespace
UNION ALL SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'app'::regnamespace) AND NOT tgisinternal
UNION ALL SELECT 'constraint', pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'app'::regnamespace
UNION ALL SELECT 'column', concat_ws(' ', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull) FROM pg_attribute WHERE NOT attisdropped AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'app'::regnamespace)
UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = 'app'::regnamespace;
CREATE TABLE pg_temp.before AS SELECT * FROM pg_temp.app_object;

---- refusals
SELECT flagsmith.attach('nowhere');
SELECT flagsmith.attach('app', 'coin');
SELECT flagsmith.attach('app', NULL);
\set VERBOSITY sqlstate
SELECT flagsmith.attach();
\set VERBOSITY default
DO $$
BEGIN
	PERFORM flagsmith.attach();
EXCEPTION WHEN object_not_in_prerequisite_state THEN
	DECLARE
		hint text;
	BEGIN
		GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
		RAISE NOTICE '%, %', SQLERRM, hint;
	END;
END
$$;
SELECT * FROM flagsmith.attach_status();
BEGIN;
ALTER TABLE app.environments_trait DROP CONSTRAINT environments_trait_trait_key_identity_id_key;
ALTER TABLE app.environments_trait ALTER COLUMN float_value TYPE text;
ALTER TABLE app.features_featurestate RENAME COLUMN mv_hashing_salt TO salt;
DROP TABLE app.app_analytics_featureevaluationraw;
ALTER TABLE app.segments_condition RENAME TO condition;
CREATE VIEW app.segments_condition AS SELECT * FROM app.condition;
SELECT flagsmith.attach('app');
ROLLBACK;
BEGIN;
DROP TABLE app.django_migrations;
ALTER TABLE app.environments_environmentapikey DROP COLUMN active;
SELECT flagsmith.attach('app');
ROLLBACK;
BEGIN;
TRUNCATE app.django_migrations;
ALTER TABLE app.environments_environmentapikey DROP COLUMN active;
SELECT flagsmith.attach('app');
ROLLBACK;
-- a view is not read, whose function would have the rights of whoever attaches
BEGIN;
CREATE FUNCTION app.run() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'run by %', current_user; RETURN 'x'; END $$;
DROP TABLE app.django_migrations;
CREATE VIEW app.django_migrations AS SELECT 'features' AS app, app.run() AS name;
ALTER TABLE app.environments_environmentapikey DROP COLUMN active;
SELECT flagsmith.attach('app');
ROLLBACK;
-- tables of two owners
BEGIN;
CREATE ROLE regress_attach;
ALTER TABLE app.segments_condition OWNER TO regress_attach;
SELECT flagsmith.attach('app');
ROLLBACK;
SELECT count(*) FROM pg_temp.app_object WHERE kind = 'trigger';

---- attached
SELECT flagsmith.attach('app');
SELECT object, regexp_replace(state, 'since .*', 'since …') AS state, consequence FROM flagsmith.attach_status();
SELECT schema, priority_ties, attached_at <= clock_timestamp() AS attached FROM flagsmith.attachment;
SELECT tgrelid::regclass, count(*), min(tgenabled::text) AS enabled FROM pg_trigger WHERE tgname ~ '^flagsmith' GROUP BY 1 ORDER BY tgrelid::regclass::text COLLATE "C";
SELECT feature, enabled, value, variant FROM flagsmith.get_environment_flags('env');
SELECT feature, enabled, value, variant FROM flagsmith.get_identity_flags('env', 'ann');
SELECT feature, enabled, value, variant FROM flagsmith.get_identity_flags('other', 'ann');

-- safe to repeat: nothing is made anew
SELECT attached_at AS since FROM flagsmith.attachment \gset
SELECT max(oid) AS last FROM pg_trigger \gset
SELECT flagsmith.attach('app');
SELECT attached_at = :'since' AS same, (SELECT max(oid) FROM pg_trigger) = :last AS same_triggers FROM flagsmith.attachment;
SELECT flagsmith.attach('app', 'engine');
SELECT priority_ties, attached_at > :'since' AS later, (SELECT max(oid) FROM pg_trigger) = :last AS same_triggers FROM flagsmith.attachment;
SELECT flagsmith.attach('app');

---- what is noted
-- whose each statement's change is: those that an answer or a document depends on, and no others
CREATE FUNCTION pg_temp.noted(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	old text;
	new text;
BEGIN
	BEGIN
		SELECT string_agg(environment_id::text, ', ' ORDER BY environment_id) INTO old FROM flagsmith.attached_change WHERE xact = pg_current_xact_id();
		EXECUTE statement;
		SELECT string_agg(environment_id::text, ', ' ORDER BY environment_id) INTO new FROM flagsmith.attached_change WHERE xact = pg_current_xact_id();
		RAISE EXCEPTION USING ERRCODE = 'RB000', MESSAGE = concat(old, '→', coalesce(new, 'nothing'));
	EXCEPTION WHEN SQLSTATE 'RB000' THEN
		RETURN SQLERRM;
	END;
END
$$;
SELECT statement, pg_temp.noted(statement) FROM unnest(ARRAY[
	'UPDATE app.organisations_organisation SET force_2fa = true',
	'UPDATE app.organisations_organisation SET stop_serving_flags = true',
	'UPDATE app.projects_project SET stale_flags_limit_days = 3',
	'UPDATE app.projects_project SET hide_disabled_flags = true',
	'UPDATE app.environments_environment SET first_evaluated_at = now(), description = ''x'' WHERE id = 1',
	'UPDATE app.environments_environment SET updated_at = now() WHERE id = 1',
	'UPDATE app.environments_environment SET hide_disabled_flags = true WHERE id = 2',
	'UPDATE app.environments_environmentapikey SET active = false',
	'UPDATE app.features_feature SET is_archived = true, id = id, name = name WHERE id = 1',
	'UPDATE app.features_feature SET name = ''ad'' WHERE id = 1',
	'UPDATE app.multivariate_multivariatefeatureoption SET string_value = ''lower''',
	'UPDATE app.multivariate_multivariatefeaturestatevalue SET percentage_allocation = 50',
	'UPDATE app.features_featurestate SET updated_at = now(), enabled = enabled, version = version WHERE id = 1',
	'UPDATE app.features_featurestate SET enabled = false WHERE id = 2',
	'UPDATE app.features_featurestatevalue SET string_value = ''x'' WHERE id = 2',
	'UPDATE app.features_featurestatevalue SET string_value = string_value',
	'UPDATE app.features_featuresegment SET priority = 7',
	'UPDATE app.features_featuresegment SET enabled = true',
	'INSERT INTO app.feature_versioning_environmentfeatureversion (uuid, environment_id, feature_id, updated_at) VALUES (gen_random_uuid(), 2, 1, now())',
	'UPDATE app.segments_segment SET description = ''x''',
	'UPDATE app.segments_segment SET name = ''x''',
	'UPDATE app.segments_segmentrule SET type = ''NONE'' WHERE id = 2',
	'UPDATE app.segments_condition SET description = ''x'', updated_at = now()',
	'UPDATE app.segments_condition SET value = ''x''',
	'DELETE FROM app.segments_condition',
	'UPDATE app.features_featurestate SET environment_id = 2 WHERE id = 1',
	'INSERT INTO app.environments_identity (identifier, created_date, environment_id, system_traits) VALUES (''bob'', now(), 1, ''{}'')',
	'UPDATE app.environments_trait SET string_value = ''x''',
	'DELETE FROM app.features_featurestatevalue WHERE id = 5; DELETE FROM app.features_featurestate WHERE id = 5',
	-- parents go first: whose it was can no longer be told
	'DELETE FROM app.features_featurestate WHERE id = 4; DELETE FROM app.multivariate_multivariatefeaturestatevalue',
	'TRUNCATE app.multivariate_multivariatefeaturestatevalue']) statement;

-- of many rows, one change
BEGIN;
INSERT INTO app.segments_condition (operator, property, value, rule_id) SELECT 'EQUAL', 'n', n::text, 2 FROM generate_series(1, 1000) n;
UPDATE app.segments_condition SET value = value || '0';
SELECT environment_id, sets_updated_at, count(*) FROM flagsmith.attached_change WHERE xact = pg_current_xact_id() GROUP BY 1, 2 ORDER BY 1;
UPDATE app.environments_environment SET updated_at = '2026-02-01' WHERE id = 1;
SELECT environment_id, sets_updated_at, count(*) FROM flagsmith.attached_change WHERE xact = pg_current_xact_id() GROUP BY 1, 2 ORDER BY 1;
ROLLBACK;

---- what is seen: a change at once, an aborted one never
BEGIN;
SELECT flagsmith.get_feature_value('env', 'banner');
UPDATE app.features_featurestatevalue SET string_value = 'one' WHERE id = 1;
SELECT flagsmith.get_feature_value('env', 'banner');
UPDATE app.features_featurestatevalue SET string_value = 'two' WHERE id = 1;
SELECT flagsmith.get_feature_value('env', 'banner');
SAVEPOINT s;
UPDATE app.features_featurestatevalue SET string_value = 'three' WHERE id = 1;
SELECT flagsmith.get_feature_value('env', 'banner');
ROLLBACK TO s;
SELECT flagsmith.get_feature_value('env', 'banner');
ROLLBACK;
SELECT flagsmith.get_feature_value('env', 'banner');
UPDATE app.segments_condition SET value = 'basic';
SELECT flagsmith.get_feature_value('env', 'banner', 'ann');
UPDATE app.segments_condition SET value = 'pro';
SELECT flagsmith.get_feature_value('env', 'banner', 'ann');
-- what no row trigger tells
BEGIN;
SELECT flagsmith.get_feature_value('env', 'price', 'bob');
TRUNCATE app.multivariate_multivariatefeaturestatevalue;
SELECT flagsmith.get_feature_value('env', 'price', 'bob');
ROLLBACK;
SELECT flagsmith.get_feature_value('env', 'price', 'bob');
BEGIN;
ALTER TABLE app.features_featurestatevalue ALTER COLUMN string_value TYPE text USING string_value || '!';
SELECT flagsmith.get_feature_value('env', 'banner');
ROLLBACK;
-- a later version for each change, updated_at or not
CREATE TABLE pg_temp.version AS SELECT * FROM flagsmith.environments_updated_at('{env,other}');
UPDATE app.features_featurestatevalue SET string_value = 'hey' WHERE id = 1;
SELECT environment_key, n.updated_at > o.updated_at AS later FROM pg_temp.version o JOIN flagsmith.environments_updated_at('{env,other}') n USING (environment_key) ORDER BY 1;
TRUNCATE app.multivariate_multivariatefeaturestatevalue;
SELECT environment_key, n.updated_at > o.updated_at AS later FROM pg_temp.version o JOIN flagsmith.environments_updated_at('{env,other}') n USING (environment_key) ORDER BY 1;

---- migrations while attached
ALTER TABLE app.features_feature ADD COLUMN colour text NOT NULL DEFAULT 'red';
ALTER TABLE app.features_featurestate ALTER COLUMN id TYPE bigint;
ALTER TABLE app.features_featurestatevalue ALTER COLUMN string_value TYPE varchar(40000);
CREATE TABLE app.features_new (id integer);
DROP TABLE app.features_new;
SELECT flagsmith.get_feature_value('env', 'banner', 'ann');
UPDATE app.features_featurestatevalue SET string_value = 'hello again' WHERE id = 1;
SELECT flagsmith.get_feature_value('env', 'banner');
SELECT count(*) FROM flagsmith.attach_status();
-- one that takes away what is needed
BEGIN;
ALTER TABLE app.features_featurestate DROP COLUMN mv_hashing_salt;
SAVEPOINT s;
\set VERBOSITY sqlstate
SELECT flagsmith.get_feature_value('env', 'banner');
\set VERBOSITY default
ROLLBACK TO s;
UPDATE app.features_featurestate SET enabled = false;
SELECT object, state, consequence FROM flagsmith.attach_status() WHERE consequence IS NOT NULL;
ROLLBACK;
BEGIN;
DROP TABLE app.segments_condition;
SAVEPOINT s;
\set VERBOSITY sqlstate
SELECT flagsmith.get_feature_value('env', 'banner', 'ann');
\set VERBOSITY default
ROLLBACK TO s;
SELECT object, state FROM flagsmith.attach_status() WHERE consequence IS NOT NULL;
ROLLBACK;
SELECT flagsmith.get_feature_value('env', 'banner', 'ann');
-- triggers that have gone are told, and made again
BEGIN;
DROP TRIGGER flagsmith_note_change ON app.features_feature;
ALTER TABLE app.projects_project DISABLE TRIGGER flagsmith_note_truncate;
DROP TRIGGER flagsmith_note_change ON app.segments_condition;
CREATE TRIGGER flagsmith_note_change AFTER UPDATE ON app.segments_condition FOR EACH ROW EXECUTE FUNCTION flagsmith.note_attached_change('rule', 'rule_id');
SELECT object, state, consequence FROM flagsmith.attach_status() WHERE consequence IS NOT NULL;
SELECT flagsmith.attach('app');
SELECT count(*) FROM flagsmith.attach_status() WHERE consequence IS NOT NULL;
ROLLBACK;
SELECT flagsmith.note_attached_change();
CREATE TRIGGER t AFTER INSERT ON pg_temp.before FOR EACH STATEMENT EXECUTE FUNCTION flagsmith.note_attached_change();
INSERT INTO pg_temp.before SELECT;
DROP TRIGGER t ON pg_temp.before;

---- two with one key: what is attached counts
SELECT flagsmith.import_environment('{"id": 1, "api_key": "env", "name": "Own", "project": {"id": 1, "name": "own", "segments": []},
	"feature_states": [{"feature": {"id": 1, "name": "banner"}, "enabled": true, "feature_state_value": "own"}]}');
SELECT flagsmith.get_feature_value('env', 'banner');
-- a copy out: what is attached, as the extension's own, under the same key
SELECT flagsmith.import_environment(flagsmith.environment_document('ser.env')::jsonb);

---- detached
SELECT flagsmith.detach();
SELECT count(*) FROM flagsmith.attachment;
SELECT count(*) FROM flagsmith.attached_change;
SELECT * FROM flagsmith.attach_status();
SELECT feature, enabled, value FROM flagsmith.get_environment_flags('env') ORDER BY feature;
SELECT flagsmith.get_feature_value('other', 'banner');
ALTER TABLE app.features_feature DROP COLUMN colour;
ALTER TABLE app.features_featurestate ALTER COLUMN id TYPE integer;
ALTER TABLE app.features_featurestatevalue ALTER COLUMN string_value TYPE varchar(20000);
SELECT * FROM pg_temp.app_object EXCEPT SELECT * FROM pg_temp.before;
SELECT * FROM pg_temp.before EXCEPT SELECT * FROM pg_temp.app_object;
SELECT flagsmith.detach();

---- another schema takes the place of the first
SELECT flagsmith.attach('app');
CREATE SCHEMA second;
SET search_path = second;
SET client_min_messages = warning;
\set ECHO none
\o /dev/null
\i :fixture
\o
\set ECHO all
RESET client_min_messages;
RESET search_path;
SELECT flagsmith.attach('second');
SELECT schema FROM flagsmith.attachment;
SELECT relnamespace::regnamespace, count(*) FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid WHERE tgname ~ '^flagsmith' GROUP BY 1;
-- a schema that goes takes its triggers along
SET client_min_messages = warning;
DROP SCHEMA second CASCADE;
RESET client_min_messages;
SELECT flagsmith.get_feature_value('env', 'banner');
SELECT flagsmith.detach();
SELECT flagsmith.get_feature_value('env', 'banner');

DELETE FROM flagsmith.project;
SET client_min_messages = warning;
DROP SCHEMA app CASCADE;
