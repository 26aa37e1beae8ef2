/* flagsmith 0.2.0 to 0.3.0: HTTP in SQL, versions of environments, attaching */

-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION flagsmith UPDATE TO '0.3.0'" to load this file. \quit

---------------------------------------------------------------------------------------
-- Attaching
--
-- Evaluation next to the tables of a live Flagsmith, which stay as they are but for a row
-- trigger on each of those that configuration is read from. The trigger's function knows
-- columns by name: a WHEN condition, a view or a policy would keep Flagsmith's migrations
-- from altering them.
---------------------------------------------------------------------------------------

CREATE TABLE attachment (
	schema name PRIMARY KEY,
	priority_ties text NOT NULL DEFAULT 'core' CHECK (priority_ties IN ('core', 'engine')),
	attached_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE UNIQUE INDEX attachment_one ON attachment ((true));

COMMENT ON TABLE attachment IS 'The schema that is attached; one row, or none';
COMMENT ON COLUMN attachment.schema IS 'Where the tables of Flagsmith are';
COMMENT ON COLUMN attachment.priority_ties IS
'Which of two segments'' overrides with equal priority counts: core, as Flagsmith''s API has it, that of the latest feature state; engine, as SDKs that evaluate locally have it, that of the first segment';
COMMENT ON COLUMN attachment.attached_at IS 'Since when';
COMMENT ON INDEX attachment_one IS 'One schema at a time';

CREATE TRIGGER invalidate AFTER INSERT OR UPDATE OR DELETE ON attachment
FOR EACH ROW EXECUTE FUNCTION invalidate();
ALTER TABLE attachment ENABLE ALWAYS TRIGGER invalidate;
CREATE TRIGGER invalidate_all AFTER TRUNCATE ON attachment
FOR EACH STATEMENT EXECUTE FUNCTION invalidate();
ALTER TABLE attachment ENABLE ALWAYS TRIGGER invalidate_all;

REVOKE ALL ON attachment FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('flagsmith.attachment', '');

-- Written by Flagsmith's transactions, which must not wait for each other here: a row is
-- inserted, never shared, and goes when a later one tells as much. A transaction writes it
-- once, whatever else it changes: as many versions of one row as a bulk update has rows would
-- take time by their square. Environment 0 stands for all.
CREATE TABLE attached_change (
	environment_id bigint NOT NULL,
	xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
	snapshot pg_snapshot NOT NULL,
	changed_at timestamptz NOT NULL,
	sets_updated_at boolean NOT NULL,
	PRIMARY KEY (environment_id, xact)
);

COMMENT ON TABLE attached_change IS 'The latest changes of attached environments, by transaction';
COMMENT ON COLUMN attached_change.snapshot IS 'What it saw then: it may have missed others that were under way';
COMMENT ON COLUMN attached_change.environment_id IS 'Of Flagsmith''s environments_environment; 0: all of them';
COMMENT ON COLUMN attached_change.xact IS 'The transaction';
COMMENT ON COLUMN attached_change.changed_at IS 'When it made its first change';
COMMENT ON COLUMN attached_change.sets_updated_at IS 'Whether Flagsmith has said so in the environment''s updated_at';

REVOKE ALL ON attached_change FROM PUBLIC;

CREATE FUNCTION note_attached_changes(environment_ids bigint[], sets_updated_at boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	INSERT INTO flagsmith.attached_change AS c (environment_id, snapshot, changed_at, sets_updated_at)
	SELECT id, pg_current_snapshot(), clock_timestamp(), $2
	FROM unnest($1) id
	ON CONFLICT (environment_id, xact) DO UPDATE SET sets_updated_at = true
	WHERE excluded.sets_updated_at AND NOT c.sets_updated_at;

	-- what this transaction has seen is told by its own row, but when updated_at was set
	IF FOUND AND current_setting('transaction_isolation') = 'read committed' THEN
		DELETE FROM flagsmith.attached_change WHERE ctid = ANY (ARRAY(
			SELECT c.ctid FROM flagsmith.attached_change c
			WHERE c.environment_id = ANY ($1) AND c.xact <> pg_current_xact_id()
				AND pg_visible_in_snapshot(c.xact, pg_current_snapshot())
				AND ($2 OR NOT c.sets_updated_at)
			FOR UPDATE SKIP LOCKED));
	END IF;
END
$$;

COMMENT ON FUNCTION note_attached_changes(bigint[], boolean) IS
'Notes that the transaction changes environments, and whether it sets their updated_at';

CREATE FUNCTION attached_changes(environment_ids bigint[], OUT environment_id bigint, OUT stamp bigint,
	OUT changed_at timestamptz, OUT is_later boolean)
RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH change AS (
		SELECT id, c.xact, c.snapshot, c.changed_at, c.sets_updated_at
		FROM unnest($1) id
		JOIN flagsmith.attached_change c ON c.environment_id IN (id, 0)
	), latest AS (
		SELECT DISTINCT ON (id) id, xact, snapshot FROM change ORDER BY id, changed_at DESC, xact DESC
	)
	SELECT g.id,
		-- to the transaction that makes a change, each look is another: it may have made more
		bit_xor(hashtextextended(concat(c.xact, '/', c.changed_at, '/',
			CASE WHEN c.xact = pg_current_xact_id_if_assigned() THEN clock_timestamp() END), 0))
			# (SELECT coalesce(flagsmith.attached_tables_stamp(), 0)),
		-- who comes to be seen after a later change raises the time all the same
		max(c.changed_at) + count(*) FILTER (WHERE c.xact <> l.xact
			AND NOT pg_visible_in_snapshot(c.xact, l.snapshot)) * interval '1 microsecond',
		count(c.id) > 0 AND NOT EXISTS (
			SELECT FROM change t
			WHERE t.id = g.id AND t.sets_updated_at
				AND NOT EXISTS (
					SELECT FROM change o
					WHERE o.id = g.id AND o.xact <> t.xact
						AND NOT pg_visible_in_snapshot(o.xact, t.snapshot)))
	FROM unnest($1) g (id)
	LEFT JOIN change c ON c.id = g.id
	LEFT JOIN latest l ON l.id = g.id
	GROUP BY g.id
$$;

COMMENT ON FUNCTION attached_changes(bigint[]) IS
'Of environments: a number that differs after each change, when the last one was made if any is known, and whether that was after updated_at was set';

CREATE FUNCTION note_attached_change()
RETURNS trigger
AS 'MODULE_PATHNAME', 'flagsmith_note_attached_change'
LANGUAGE C SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION note_attached_change() IS
'Tells all sessions, at the end of the transaction, that attached configuration has changed, and notes whose; arguments: what the row belongs to, the column that says to which, and the columns that count (all, if none are given)';

CREATE FUNCTION note_attached_truncate()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM flagsmith.note_attached_changes('{0}', false);
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION note_attached_truncate() IS
'Notes that all attached environments have changed; sessions are told by the truncation itself';

CREATE FUNCTION attached_updated_at(environment_keys text[])
RETURNS TABLE (environment_key text, updated_at double precision)
AS 'MODULE_PATHNAME', 'flagsmith_attached_updated_at'
LANGUAGE C STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION attached_updated_at(text[]) IS
'The part of environments_updated_at that is attached';

CREATE FUNCTION attached_columns(OUT table_name name, OUT column_name name, OUT types regtype[])
RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT given.table_name::name, column_name::name, types::regtype[]
	FROM (VALUES
		('organisations_organisation', '{int4,int8}', 'id'),
		('organisations_organisation', '{varchar,text}', 'name'),
		('organisations_organisation', '{bool}', 'stop_serving_flags persist_trait_data feature_analytics'),
		('projects_project', '{int4,int8}', 'id organisation_id'),
		('projects_project', '{varchar,text}', 'name'),
		('projects_project', '{bool}', 'hide_disabled_flags enable_realtime_updates'),
		('environments_environment', '{int4,int8}', 'id project_id'),
		('environments_environment', '{varchar,text}', 'name api_key'),
		('environments_environment', '{timestamptz}', 'updated_at deleted_at'),
		('environments_environment', '{bool}', 'hide_disabled_flags hide_sensitive_data allow_client_traits use_mv_v2_evaluation use_v2_feature_versioning use_identity_overrides_in_local_eval'),
		('environments_environmentapikey', '{int4,int8}', 'environment_id'),
		('environments_environmentapikey', '{varchar,text}', 'key'),
		('environments_environmentapikey', '{bool}', 'active'),
		('environments_environmentapikey', '{timestamptz}', 'expires_at'),
		('features_feature', '{int4,int8}', 'id project_id'),
		('features_feature', '{varchar,text}', 'name description initial_value type'),
		('features_feature', '{bool}', 'default_enabled is_server_key_only'),
		('features_feature', '{timestamptz}', 'created_date deleted_at'),
		('multivariate_multivariatefeatureoption', '{int4,int8}', 'id feature_id integer_value'),
		('multivariate_multivariatefeatureoption', '{varchar,text}', 'type string_value key'),
		('multivariate_multivariatefeatureoption', '{bool}', 'boolean_value'),
		('multivariate_multivariatefeaturestatevalue', '{int4,int8}', 'id feature_state_id multivariate_feature_option_id'),
		('multivariate_multivariatefeaturestatevalue', '{float8,numeric}', 'percentage_allocation'),
		('multivariate_multivariatefeaturestatevalue', '{uuid}', 'uuid'),
		('features_featurestate', '{int4,int8}', 'id feature_id environment_id identity_id feature_segment_id version mv_hashing_salt'),
		('features_featurestate', '{bool}', 'enabled'),
		('features_featurestate', '{timestamptz}', 'live_from deleted_at'),
		('features_featurestate', '{uuid}', 'uuid environment_feature_version_id'),
		('features_featurestatevalue', '{int4,int8}', 'feature_state_id integer_value'),
		('features_featurestatevalue', '{varchar,text}', 'type string_value'),
		('features_featurestatevalue', '{bool}', 'boolean_value'),
		('features_featuresegment', '{int4,int8}', 'id segment_id environment_id priority'),
		('feature_versioning_environmentfeatureversion', '{uuid}', 'uuid'),
		('feature_versioning_environmentfeatureversion', '{int4,int8}', 'environment_id feature_id'),
		('feature_versioning_environmentfeatureversion', '{timestamptz}', 'published_at live_from deleted_at'),
		('segments_segment', '{int4,int8}', 'id project_id feature_id version_of_id'),
		('segments_segment', '{varchar,text}', 'name'),
		('segments_segment', '{jsonb,json}', 'rules_data'),
		('segments_segment', '{timestamptz}', 'deleted_at'),
		('segments_segmentrule', '{int4,int8}', 'id segment_id rule_id'),
		('segments_segmentrule', '{varchar,text}', 'type'),
		('segments_segmentrule', '{timestamptz}', 'deleted_at'),
		('segments_condition', '{int4,int8}', 'id rule_id'),
		('segments_condition', '{varchar,text}', 'operator property value'),
		('segments_condition', '{timestamptz}', 'deleted_at'),
		('environments_identity', '{int4,int8}', 'id environment_id'),
		('environments_identity', '{varchar,text}', 'identifier'),
		('environments_identity', '{timestamptz}', 'created_date'),
		('environments_identity', '{jsonb}', 'system_traits'),
		('environments_trait', '{int4,int8}', 'id identity_id integer_value'),
		('environments_trait', '{varchar,text}', 'trait_key value_type string_value'),
		('environments_trait', '{bool}', 'boolean_value'),
		('environments_trait', '{float8}', 'float_value'),
		('environments_trait', '{timestamptz}', 'created_date'),
		('app_analytics_featureevaluationraw', '{int4,int8}', 'environment_id evaluation_count'),
		('app_analytics_featureevaluationraw', '{varchar,text}', 'feature_name identity_identifier'),
		('app_analytics_featureevaluationraw', '{bool}', 'enabled_when_evaluated'),
		('app_analytics_featureevaluationraw', '{timestamptz}', 'created_at'),
		('app_analytics_featureevaluationraw', '{jsonb}', 'labels'),
		('app_analytics_apiusageraw', '{int4,int8}', 'environment_id resource count'),
		('app_analytics_apiusageraw', '{varchar,text}', 'host'),
		('app_analytics_apiusageraw', '{timestamptz}', 'created_at'),
		('app_analytics_apiusageraw', '{jsonb}', 'labels')
	) given (table_name, types, columns), unnest(string_to_array(columns, ' ')) column_name
$$;

COMMENT ON FUNCTION attached_columns() IS 'What of Flagsmith''s tables is read or written, and of what types it may be';

CREATE FUNCTION attached_triggers(OUT table_name name, OUT arguments text[])
RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT given.table_name::name, string_to_array(given.arguments, ' ')
	FROM (VALUES
		('organisations_organisation', 'organisation id name stop_serving_flags persist_trait_data feature_analytics deleted_at'),
		('projects_project', 'project id name organisation_id hide_disabled_flags enable_realtime_updates'),
		('environments_environment', 'environment id name project_id api_key updated_at hide_disabled_flags hide_sensitive_data allow_client_traits use_mv_v2_evaluation use_v2_feature_versioning use_identity_overrides_in_local_eval deleted_at'),
		('environments_environmentapikey', 'nothing id'),
		('features_feature', 'project project_id name type description initial_value default_enabled created_date is_server_key_only deleted_at'),
		('multivariate_multivariatefeatureoption', 'feature feature_id'),
		('multivariate_multivariatefeaturestatevalue', 'state feature_state_id'),
		('features_featurestate', 'environment environment_id feature_id identity_id feature_segment_id enabled live_from version environment_feature_version_id mv_hashing_salt uuid deleted_at'),
		('features_featurestatevalue', 'state feature_state_id type boolean_value integer_value string_value'),
		('features_featuresegment', 'environment environment_id feature_id segment_id priority'),
		('feature_versioning_environmentfeatureversion', 'environment environment_id feature_id published_at live_from deleted_at'),
		('segments_segment', 'project project_id name feature_id version_of_id rules_data deleted_at'),
		('segments_segmentrule', 'rule id segment_id rule_id type deleted_at'),
		('segments_condition', 'rule rule_id operator property value deleted_at')
	) given (table_name, arguments)
$$;

COMMENT ON FUNCTION attached_triggers() IS 'Which of Flagsmith''s tables have triggers while attached, with what arguments';

CREATE FUNCTION attached_relation(schema name, relation name)
RETURNS regclass
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2
$$;

COMMENT ON FUNCTION attached_relation(name, name) IS 'What has this name in a schema, which need not be open to whoever asks';

CREATE FUNCTION attached_faults(schema name, OUT object text, OUT problem text)
RETURNS SETOF record
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH wanted AS (
		SELECT w.table_name, w.column_name, w.types, c.oid AS relation, c.relkind, c.relowner
		FROM flagsmith.attached_columns() w
		LEFT JOIN pg_class c ON c.oid = flagsmith.attached_relation($1, w.table_name)
	)
	SELECT DISTINCT format('table %I.%I', $1, table_name),
		CASE WHEN relation IS NULL THEN 'is missing'
			WHEN relkind NOT IN ('r', 'p') THEN 'is no table'
			ELSE format('belongs to another role than environments_environment does, to %I', pg_get_userbyid(relowner)) END
	FROM wanted
	WHERE relation IS NULL OR relkind NOT IN ('r', 'p')
		-- they are read with the rights of one role
		OR relowner <> (SELECT e.relowner FROM wanted e WHERE e.table_name = 'environments_environment' LIMIT 1)
	UNION ALL
	SELECT format('column %I.%I.%I', $1, table_name, column_name),
		CASE WHEN a.attname IS NULL THEN 'is missing'
			ELSE format('has the type %s, expected %s', format_type(a.atttypid, NULL), array_to_string(types, ' or ')) END
	FROM wanted w
	LEFT JOIN pg_attribute a ON a.attrelid = relation AND a.attname = column_name AND NOT a.attisdropped
	WHERE relation IS NOT NULL AND (a.attname IS NULL OR a.atttypid <> ALL (types))
	UNION ALL
	SELECT format('table %I.%I', $1, k.table_name), format('has no unique index on (%s)', array_to_string(k.columns, ', '))
	FROM (VALUES ('environments_identity', '{environment_id,identifier}'::name[]),
		('environments_trait', '{trait_key,identity_id}')) k (table_name, columns)
	WHERE flagsmith.attached_relation($1, k.table_name) IS NOT NULL AND NOT EXISTS (
		SELECT FROM pg_index i
		WHERE i.indrelid = flagsmith.attached_relation($1, k.table_name) AND i.indisunique AND i.indimmediate
			AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid AND i.indnkeyatts = cardinality(k.columns)
			AND ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = i.indrelid
				AND a.attnum = ANY (i.indkey)) <@ k.columns)
	UNION ALL
	-- by which rows of an identity are found
	SELECT format('table %I.%I', $1, k.table_name), 'has no index on (identity_id)'
	FROM (VALUES ('environments_trait'::name), ('features_featurestate')) k (table_name)
	WHERE flagsmith.attached_relation($1, k.table_name) IS NOT NULL AND NOT EXISTS (
		SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
		WHERE i.indrelid = flagsmith.attached_relation($1, k.table_name) AND a.attname = 'identity_id'
			AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid)
	UNION ALL
	SELECT format('table %I.%I', $1, c.relname), 'has row security for its owner'
	FROM (VALUES ('environments_identity'::name), ('environments_trait'), ('features_featurestate')) k (table_name)
	JOIN pg_class c ON c.oid = flagsmith.attached_relation($1, k.table_name)
	WHERE c.relforcerowsecurity
	ORDER BY 1, 2
$$;

COMMENT ON FUNCTION attached_faults(name) IS 'What keeps a schema from being read as Flagsmith''s';

CREATE FUNCTION attached_tables_stamp()
RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT bit_xor(hashtextextended(concat(c.relname, '/', c.relfilenode, '/', a.attname, '/', a.atttypid), 0))
	FROM flagsmith.attachment t
	JOIN pg_namespace n ON n.nspname = t.schema
	JOIN pg_class c ON c.relnamespace = n.oid
	JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE c.relname = ANY (ARRAY(SELECT table_name FROM flagsmith.attached_triggers()))
		AND a.attnum > 0 AND NOT a.attisdropped
$$;

COMMENT ON FUNCTION attached_tables_stamp() IS
'A number that changes as the attached tables are altered, rewritten or truncated: no row trigger tells of that';

CREATE FUNCTION attached_trigger_faults(schema name, OUT relation regclass, OUT trigger_name name, OUT definition text,
	OUT is_there boolean, OUT problem text)
RETURNS SETOF record
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH wanted AS (
		SELECT flagsmith.attached_relation($1, w.table_name) AS relation, x.*
		FROM flagsmith.attached_triggers() w,
			LATERAL (VALUES
				('flagsmith_note_change'::name, 29::int2, 'AFTER INSERT OR UPDATE OR DELETE', 'ROW',
					'flagsmith.note_attached_change()'::regprocedure, w.arguments),
				('flagsmith_note_truncate', 32, 'AFTER TRUNCATE', 'STATEMENT',
					'flagsmith.note_attached_truncate()', '{}')) x (name, type, event, level, function, arguments)
	)
	SELECT w.relation, w.name,
		format('CREATE TRIGGER %I %s ON %s FOR EACH %s EXECUTE FUNCTION %s(%s)', w.name, w.event, w.relation, w.level,
			w.function::regproc, (SELECT string_agg(quote_literal(a), ', ' ORDER BY n) FROM unnest(w.arguments) WITH ORDINALITY x (a, n))),
		t.oid IS NOT NULL,
		CASE WHEN t.oid IS NULL THEN 'is missing' WHEN t.tgenabled <> 'A' THEN 'is not enabled always'
			ELSE 'is of another version' END
	FROM wanted w
	LEFT JOIN pg_trigger t ON t.tgrelid = w.relation AND t.tgname = w.name
	WHERE w.relation IS NOT NULL AND NOT coalesce(t.tgenabled = 'A' AND t.tgfoid = w.function AND t.tgtype = w.type
		AND t.tgargs = (SELECT coalesce(string_agg(convert_to(a, getdatabaseencoding()) || '\x00'::bytea, '' ORDER BY n), '')
			FROM unnest(w.arguments) WITH ORDINALITY x (a, n)), false)
	ORDER BY w.relation::text COLLATE "C", w.name
$$;

COMMENT ON FUNCTION attached_trigger_faults(name) IS
'The triggers that Flagsmith''s tables lack while attached, or have otherwise than they should';

CREATE FUNCTION attached_migrations(schema name)
RETURNS text
LANGUAGE plpgsql STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation regclass := flagsmith.attached_relation(schema, 'django_migrations');
	state text;
BEGIN
	IF relation IS NULL THEN
		RETURN 'there is no table django_migrations';
	END IF;
	-- a view would run whatever its owner likes, with the rights of whoever calls
	EXECUTE format('LOCK TABLE ONLY %s IN ACCESS SHARE MODE', relation);
	IF (SELECT relkind FROM pg_class WHERE oid = relation) <> 'r' THEN
		RETURN 'django_migrations is no table';
	END IF;
	EXECUTE format('SELECT string_agg(concat(app, '' '', name), '', '' ORDER BY app) FROM ('
		'SELECT app, max(name) AS name FROM %s WHERE app = ANY ($1) GROUP BY app) m', relation)
	INTO state
	USING '{organisations,projects,environments,features,feature_versioning,multivariate,segments,identities,traits,app_analytics}'::text[];
	RETURN coalesce(state, 'none of Flagsmith''s');
EXCEPTION WHEN insufficient_privilege OR undefined_column OR undefined_table THEN
	RETURN format('unknown: %s', SQLERRM);
END
$$;

COMMENT ON FUNCTION attached_migrations(name) IS 'Up to which migration Flagsmith''s tables are, by app';

CREATE FUNCTION lock_to_attach(relations regclass[], exclusively boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '50ms'
AS $$
BEGIN
	IF coalesce(cardinality(relations), 0) = 0 THEN
		RETURN;
	END IF;
	-- all at once, soon or not at all: who waits here keeps all of Flagsmith waiting, and two
	-- who wait for each other are told apart by the deadlock detector, which takes either
	FOR try IN 1 .. 100 LOOP
		BEGIN
			EXECUTE format('LOCK TABLE %s IN %s MODE',
				(SELECT string_agg(r::text, ', ' ORDER BY r::text COLLATE "C") FROM unnest(relations) r),
				CASE WHEN exclusively THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END);
			RETURN;
		EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
			NULL; -- its end has let go of what it had
		END;
		PERFORM pg_sleep(0.01 + random() * 0.05);
	END LOOP;
	RAISE lock_not_available USING
		MESSAGE = 'Flagsmith''s tables are in use',
		DETAIL = 'Some transaction kept one of them locked for all of several seconds.',
		HINT = 'Try again when no migration, dump or other long transaction runs.';
END
$$;

COMMENT ON FUNCTION lock_to_attach(regclass[], boolean) IS
'Locks tables for as long as it takes to change their triggers, without standing in Flagsmith''s way';

CREATE FUNCTION detach()
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	functions constant oid[] := '{flagsmith.note_attached_change(),flagsmith.note_attached_truncate()}'::regprocedure[];
	trigger record;
BEGIN
	PERFORM flagsmith.lock_to_attach(ARRAY(SELECT DISTINCT tgrelid FROM pg_trigger WHERE tgfoid = ANY (functions))::regclass[], true);
	FOR trigger IN
		SELECT tgname, tgrelid::regclass AS relation FROM pg_trigger WHERE tgfoid = ANY (functions) ORDER BY 2, 1
	LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', trigger.tgname, trigger.relation);
	END LOOP;
	DELETE FROM flagsmith.attachment;
	DELETE FROM flagsmith.attached_change;
END
$$;

COMMENT ON FUNCTION detach() IS
'Ends the attachment: takes the triggers away and leaves Flagsmith''s tables as they were';

CREATE FUNCTION attach(schema name DEFAULT 'public', priority_ties text DEFAULT 'core')
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	faults text;
	elsewhere name;
	trigger record;
	changed boolean := false;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = schema) THEN
		RAISE invalid_schema_name USING MESSAGE = format('schema "%s" does not exist', schema);
	END IF;
	IF priority_ties IS NULL OR priority_ties NOT IN ('core', 'engine') THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'ties of priority are broken as "core" or as "engine"',
			HINT = '"core" is what Flagsmith''s API answers, "engine" what SDKs evaluate locally.';
	END IF;
	SELECT string_agg(concat(object, ' ', problem, '.'), E'\n') INTO faults FROM flagsmith.attached_faults(schema);
	IF faults IS NOT NULL THEN
		SELECT min(relnamespace::regnamespace::text COLLATE "C") INTO elsewhere FROM pg_class
		WHERE relname = 'environments_environment' AND relkind IN ('r', 'p')
			AND flagsmith.attached_relation(schema, 'environments_environment') IS NULL;
		RAISE object_not_in_prerequisite_state USING
			MESSAGE = format('the tables in schema "%s" are not those of a Flagsmith that can be attached', schema),
			DETAIL = concat(faults, E'\nMigrations: ', flagsmith.attached_migrations(schema), '.'),
			HINT = coalesce('A table environments_environment is in schema "' || elsewhere || '".',
				'Flagsmith 2.265 is known to have all that is needed: migrate to it, and attach again.');
	END IF;

	IF EXISTS (SELECT FROM flagsmith.attachment a WHERE a.schema <> $1) THEN
		PERFORM flagsmith.detach();
	END IF;
	PERFORM flagsmith.lock_to_attach(array_agg(DISTINCT f.relation), bool_or(f.is_there))
	FROM flagsmith.attached_trigger_faults(schema) f;
	FOR trigger IN SELECT * FROM flagsmith.attached_trigger_faults(schema) LOOP
		IF trigger.is_there THEN
			EXECUTE format('DROP TRIGGER %I ON %s', trigger.trigger_name, trigger.relation);
		END IF;
		EXECUTE trigger.definition;
		EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', trigger.relation, trigger.trigger_name);
		EXECUTE format('ALTER TRIGGER %I ON %s DEPENDS ON EXTENSION flagsmith', trigger.trigger_name, trigger.relation);
		changed := true;
	END LOOP;
	-- what happened while a trigger was missing was not noted
	DELETE FROM flagsmith.attachment a WHERE changed OR a.priority_ties <> $2;
	INSERT INTO flagsmith.attachment (schema, priority_ties) VALUES (schema, priority_ties)
	ON CONFLICT DO NOTHING;
END
$$;

COMMENT ON FUNCTION attach(name, text) IS
'Evaluates from now on with the tables that a Flagsmith has in this schema, and its environment keys; called again, it mends what is missing';

CREATE FUNCTION attach_status(OUT object text, OUT state text, OUT consequence text)
RETURNS SETOF record
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	attached flagsmith.attachment;
BEGIN
	SELECT * INTO attached FROM flagsmith.attachment;
	IF NOT FOUND THEN
		RETURN QUERY SELECT 'attachment', 'there is none', NULL;
		RETURN;
	END IF;
	RETURN QUERY SELECT format('schema %I', attached.schema), format('attached since %s', attached.attached_at), NULL;
	RETURN QUERY SELECT 'migrations', flagsmith.attached_migrations(attached.schema), NULL;
	RETURN QUERY
	SELECT f.object, f.problem,
		'What needs it fails, and changes nothing: migrate Flagsmith to a version that has it, or call flagsmith.detach().'
	FROM flagsmith.attached_faults(attached.schema) f;
	RETURN QUERY
	SELECT format('trigger %I on %s', f.trigger_name, f.relation), f.problem,
		'Changes of this table may be seen late: call flagsmith.attach() again.'
	FROM flagsmith.attached_trigger_faults(attached.schema) f;
END
$$;

COMMENT ON FUNCTION attach_status() IS
'What is attached, up to which migration; then a row for whatever is missing, with what follows from it';

---------------------------------------------------------------------------------------
-- Versions
--
-- When an environment's document last changed, whoever changed it and by which way. What
-- pg_dump's scripts restore, with check_function_bodies off, is no change. No foreign key:
-- it would keep a subscriber, who has this table for itself, from replaying TRUNCATE.
---------------------------------------------------------------------------------------

CREATE TABLE environment_change (
	environment_id bigint PRIMARY KEY,
	changed_at timestamptz NOT NULL,
	shares_second boolean NOT NULL DEFAULT false
);

COMMENT ON TABLE environment_change IS 'When environments last changed, if later than their updated_at says';
COMMENT ON COLUMN environment_change.changed_at IS 'When the last change was made';
COMMENT ON COLUMN environment_change.shares_second IS 'Whether the change before was made in the same second: then whole seconds do not tell the two apart';

REVOKE ALL ON environment_change FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('flagsmith.environment_change', '');

CREATE FUNCTION environment_version(environment_id bigint, OUT updated_at timestamptz, OUT shares_second boolean)
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT greatest(e.updated_at, c.changed_at, s.live_from),
		(c.shares_second AND c.changed_at >= greatest(e.updated_at, s.live_from))
		OR date_trunc('second', c.changed_at) = date_trunc('second', greatest(e.updated_at, s.live_from))
	FROM flagsmith.environment e
	LEFT JOIN flagsmith.environment_change c ON c.environment_id = e.id
	LEFT JOIN LATERAL (
		SELECT max(live_from) AS live_from FROM flagsmith.feature_state
		WHERE environment_id = e.id AND published AND live_from <= now()
	) s ON true
	WHERE e.id = $1
$$;

COMMENT ON FUNCTION environment_version(bigint) IS
'When the document of an environment last changed, scheduled changes that have come included, and whether it did so twice in that second';

CREATE FUNCTION record_change()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	of_id bigint := (to_jsonb(coalesce(NEW, OLD)) ->> TG_ARGV[1])::bigint;
	environments bigint[];
BEGIN
	IF TG_OP IN ('DELETE', 'TRUNCATE') AND TG_TABLE_NAME = 'environment' THEN
		DELETE FROM flagsmith.environment_change c
		WHERE NOT EXISTS (SELECT FROM flagsmith.environment e WHERE e.id = c.environment_id);
		DELETE FROM flagsmith.feature_evaluation c
		WHERE NOT EXISTS (SELECT FROM flagsmith.environment e WHERE e.id = c.environment_id);
		RETURN NULL;
	END IF;
	environments := CASE TG_ARGV[0]
		WHEN 'environment' THEN ARRAY[of_id]
		WHEN 'project' THEN ARRAY(SELECT e.id FROM flagsmith.environment e WHERE e.project_id = of_id)
		WHEN 'feature' THEN ARRAY(SELECT e.id FROM flagsmith.environment e
			JOIN flagsmith.feature f ON f.project_id = e.project_id WHERE f.id = of_id)
		WHEN 'feature_state' THEN ARRAY(SELECT s.environment_id FROM flagsmith.feature_state s WHERE s.id = of_id)
		ELSE ARRAY(SELECT e.id FROM flagsmith.environment e)
	END;
	-- once a transaction: others see all its changes at once
	INSERT INTO flagsmith.environment_change AS c (environment_id, changed_at)
	SELECT e.id, clock_timestamp() FROM flagsmith.environment e WHERE e.id = ANY (environments)
	ON CONFLICT (environment_id) DO UPDATE SET
		changed_at = excluded.changed_at,
		shares_second = date_trunc('second', c.changed_at) = date_trunc('second', excluded.changed_at)
	WHERE c.xmin <> pg_current_xact_id()::xid;
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION record_change() IS
'Notes that environments have changed: those that the row belongs to, by what the arguments say (environment, project, feature or feature_state, and the column of its id), or all';

DO $$
DECLARE
	-- table, whose change it is, the column of its id; definitions count when they are used
	kind text[];
	definitions constant text[] := '{project,feature,segment,multivariate_option}';
	not_restoring constant text := $condition$ pg_catalog.current_setting('check_function_bodies') OPERATOR(pg_catalog.=) 'on' $condition$;
BEGIN
	FOREACH kind SLICE 1 IN ARRAY ARRAY[
		['environment', 'environment', 'id'],
		['project', 'project', 'id'],
		['feature', 'project', 'project_id'],
		['segment', 'project', 'project_id'],
		['multivariate_option', 'feature', 'feature_id'],
		['environment_segment', 'environment', 'environment_id'],
		['feature_state', 'environment', 'environment_id'],
		['multivariate_feature_state_value', 'feature_state', 'feature_state_id'],
		['identity_override', 'environment', 'environment_id']]
	LOOP
		EXECUTE pg_catalog.format('CREATE TRIGGER record_change AFTER UPDATE ON flagsmith.%I FOR EACH ROW'
			' WHEN (OLD.* IS DISTINCT FROM NEW.* AND %s) EXECUTE FUNCTION flagsmith.record_change(%L, %L)',
			kind[1], not_restoring, kind[2], kind[3]);
		EXECUTE pg_catalog.format('CREATE TRIGGER record_truncate AFTER TRUNCATE ON flagsmith.%I FOR EACH STATEMENT'
			' WHEN (%s) EXECUTE FUNCTION flagsmith.record_change(%L)', kind[1], not_restoring, 'all');
		EXECUTE pg_catalog.format('ALTER TABLE flagsmith.%I ENABLE ALWAYS TRIGGER record_change', kind[1]);
		EXECUTE pg_catalog.format('ALTER TABLE flagsmith.%I ENABLE ALWAYS TRIGGER record_truncate', kind[1]);
		CONTINUE WHEN kind[1] = ANY (definitions);
		EXECUTE pg_catalog.format('CREATE TRIGGER record_rows AFTER %s ON flagsmith.%I FOR EACH ROW'
			' WHEN (%s) EXECUTE FUNCTION flagsmith.record_change(%L, %L)',
			CASE kind[1] WHEN 'environment' THEN 'DELETE' ELSE 'INSERT OR DELETE' END, kind[1], not_restoring, kind[2], kind[3]);
		EXECUTE pg_catalog.format('ALTER TABLE flagsmith.%I ENABLE ALWAYS TRIGGER record_rows', kind[1]);
	END LOOP;
END
$$;

CREATE FUNCTION environments_updated_at(environment_keys text[])
RETURNS TABLE (environment_key text, updated_at double precision)
LANGUAGE sql STABLE STRICT PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	WITH attached AS (
		SELECT * FROM flagsmith.attached_updated_at($1)
	)
	SELECT * FROM attached
	UNION ALL
	SELECT e.api_key, extract(epoch FROM v.updated_at)::double precision
	FROM flagsmith.environment e, flagsmith.environment_version(e.id) v
	WHERE e.api_key = ANY ($1) AND NOT EXISTS (SELECT FROM attached a WHERE a.environment_key = e.api_key)
$$;

COMMENT ON FUNCTION environments_updated_at(text[]) IS
'When the environments of client-side keys last changed, in seconds since 1970; keys that open none are left out';

CREATE OR REPLACE FUNCTION import_environment(document jsonb, project text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
#variable_conflict use_column
DECLARE
	new_project_id bigint;
	old_project_id bigint;
	old_name text;
	environment bigint;
	updated timestamptz;
	old_document json;
	old_change flagsmith.environment_change;
BEGIN
	PERFORM flagsmith.check_environment_document(document);
	BEGIN
		updated := document ->> 'updated_at';
	EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format
		OR invalid_time_zone_displacement_value OR invalid_parameter_value THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'invalid environment document: expected a date and time as ISO 8601 has it',
			DETAIL = 'At $.updated_at.';
	END;
	-- one import at a time, so that two of one environment succeed in some order
	PERFORM pg_advisory_xact_lock(hashtextextended('flagsmith.import_environment', 0));

	SELECT flagsmith.stored_document(e.id) INTO old_document
	FROM flagsmith.environment e WHERE e.api_key = document ->> 'api_key';
	IF FOUND THEN
		SELECT c.* INTO old_change
		FROM flagsmith.environment_change c JOIN flagsmith.environment e ON e.id = c.environment_id
		WHERE e.api_key = document ->> 'api_key';
	END IF;

	-- an environment that was imported under a project's name stays there
	SELECT e.project_id, CASE WHEN p.document_id IS NULL THEN p.name END INTO old_project_id, old_name
	FROM flagsmith.environment e JOIN flagsmith.project p ON p.id = e.project_id
	WHERE e.api_key = document ->> 'api_key';
	new_project_id := flagsmith.import_project(document, coalesce($2, old_name));

	INSERT INTO flagsmith.environment AS e (project_id, api_key, name, document_id, updated_at,
		hide_disabled_flags, hide_sensitive_data, allow_client_traits,
		use_identity_composite_key_for_hashing, use_identity_overrides_in_local_eval, extra)
	VALUES (new_project_id, document ->> 'api_key', document ->> 'name', (document ->> 'id')::bigint,
		coalesce(updated, now()),
		(document ->> 'hide_disabled_flags')::boolean,
		(document ->> 'hide_sensitive_data')::boolean,
		(document ->> 'allow_client_traits')::boolean,
		(document ->> 'use_identity_composite_key_for_hashing')::boolean,
		(document ->> 'use_identity_overrides_in_local_eval')::boolean,
		flagsmith.document_rest(document - '{project,feature_states,identity_overrides}'::text[],
			'{id,api_key,name,updated_at,hide_disabled_flags,hide_sensitive_data,allow_client_traits,'
			'use_identity_composite_key_for_hashing,use_identity_overrides_in_local_eval}'))
	ON CONFLICT (api_key) DO UPDATE SET
		project_id = excluded.project_id,
		name = excluded.name,
		document_id = excluded.document_id,
		updated_at = excluded.updated_at,
		hide_disabled_flags = excluded.hide_disabled_flags,
		hide_sensitive_data = excluded.hide_sensitive_data,
		allow_client_traits = excluded.allow_client_traits,
		use_identity_composite_key_for_hashing = excluded.use_identity_composite_key_for_hashing,
		use_identity_overrides_in_local_eval = excluded.use_identity_overrides_in_local_eval,
		extra = excluded.extra
	RETURNING e.id INTO environment;

	PERFORM flagsmith.import_features(document, new_project_id);

	DELETE FROM flagsmith.environment_segment WHERE environment_id = environment;
	INSERT INTO flagsmith.environment_segment (environment_id, segment_id, position)
	SELECT environment, g.id, given.ordinality
	FROM jsonb_array_elements(document #> '{project,segments}') WITH ORDINALITY given
	JOIN flagsmith.segment g ON g.project_id = new_project_id AND g.document_id = (given.value ->> 'id')::bigint;

	-- a document knows nothing of scheduled changes and drafts: they stay
	DELETE FROM flagsmith.feature_state
	WHERE environment_id = environment AND published AND live_from <= now();
	PERFORM flagsmith.import_feature_state(value, environment, new_project_id, NULL, ordinality)
	FROM jsonb_array_elements(document -> 'feature_states') WITH ORDINALITY;
	PERFORM flagsmith.import_feature_state(s.value, environment, new_project_id, g.id, s.ordinality)
	FROM jsonb_array_elements(document #> '{project,segments}') WITH ORDINALITY given
	JOIN flagsmith.segment g ON g.project_id = new_project_id AND g.document_id = (given.value ->> 'id')::bigint,
		jsonb_array_elements(nullif(given.value -> 'feature_states', 'null')) WITH ORDINALITY s;

	PERFORM flagsmith.import_identity_overrides(document, environment, new_project_id);
	PERFORM flagsmith.remove_unused(new_project_id);
	IF old_project_id <> new_project_id THEN
		PERFORM flagsmith.remove_unused(old_project_id);
	END IF;

	-- the document's own time holds, unless clients know a later one of another content
	IF old_document IS NULL OR updated > (old_document ->> 'updated_at')::timestamptz THEN
		DELETE FROM flagsmith.environment_change WHERE environment_id = environment;
	ELSIF old_document::jsonb - 'updated_at' = flagsmith.stored_document(environment)::jsonb - 'updated_at' THEN
		DELETE FROM flagsmith.environment_change WHERE environment_id = environment;
		INSERT INTO flagsmith.environment_change SELECT old_change.* WHERE old_change.environment_id IS NOT NULL;
	END IF;
	RETURN document ->> 'api_key';
END
$$;


CREATE FUNCTION stored_document(environment_id bigint)
RETURNS json
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT (flagsmith.document_object(e.extra, jsonb_build_object(
			'id', e.document_id, 'api_key', e.api_key, 'name', e.name,
			'updated_at', flagsmith.document_time((flagsmith.environment_version(e.id)).updated_at),
			'hide_disabled_flags', e.hide_disabled_flags,
			'hide_sensitive_data', e.hide_sensitive_data,
			'allow_client_traits', e.allow_client_traits,
			'use_identity_composite_key_for_hashing', e.use_identity_composite_key_for_hashing,
			'use_identity_overrides_in_local_eval', e.use_identity_overrides_in_local_eval))
		|| jsonb_build_object(
			'project', jsonb_build_object('id', coalesce(p.document_id, p.id), 'name', p.name)
				|| flagsmith.document_object(p.extra, jsonb_build_object(
					'hide_disabled_flags', p.hide_disabled_flags, 'organisation', p.organisation))
				|| jsonb_build_object(
					'segments', coalesce((
						SELECT jsonb_agg(flagsmith.document_object(g.extra, jsonb_build_object(
								'id', coalesce(g.document_id, g.id), 'name', g.name, 'rules', g.rules,
								'feature_states', flagsmith.document_feature_states(e.id, g.id)))
							ORDER BY eg.position, g.id)
						FROM flagsmith.environment_segment eg JOIN flagsmith.segment g ON g.id = eg.segment_id
						WHERE eg.environment_id = e.id), '[]'),
					'server_key_only_feature_ids', coalesce((
						SELECT jsonb_agg(coalesce(f.document_id, f.id) ORDER BY coalesce(f.document_id, f.id))
						FROM flagsmith.feature f
						WHERE f.project_id = p.id AND f.is_server_key_only AND (
							EXISTS (SELECT FROM flagsmith.feature_state s
								WHERE s.environment_id = e.id AND s.feature_id = f.id)
							OR EXISTS (SELECT FROM flagsmith.identity_override o
								WHERE o.environment_id = e.id AND o.feature_id = f.id))), '[]')),
			'feature_states', flagsmith.document_feature_states(e.id, NULL),
			'identity_overrides', flagsmith.document_identity_overrides(e.id)))::json
	FROM flagsmith.environment e JOIN flagsmith.project p ON p.id = e.project_id
	WHERE e.id = $1
$$;

COMMENT ON FUNCTION stored_document(bigint) IS 'The document of an environment of these tables';

CREATE OR REPLACE FUNCTION environment_document(environment_key text)
RETURNS json
AS 'MODULE_PATHNAME', 'flagsmith_environment_document'
LANGUAGE C STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;


---------------------------------------------------------------------------------------
-- HTTP
--
-- The Flagsmith SDK API and OFREP: an API tier in any language is a pipe to two functions.
---------------------------------------------------------------------------------------

CREATE FUNCTION http_get(target text, headers jsonb, OUT status integer, OUT headers jsonb, OUT body text)
RETURNS record
AS 'MODULE_PATHNAME', 'flagsmith_http_get'
LANGUAGE C STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION http_get(text, jsonb) IS
'Answers a GET of the Flagsmith SDK API: takes the path with its query and the headers by their names in lower case; writes nothing';

CREATE FUNCTION http_post(target text, headers jsonb, body text, OUT status integer, OUT headers jsonb, OUT body text)
RETURNS record
AS 'MODULE_PATHNAME', 'flagsmith_http_post'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION http_post(text, jsonb, text) IS
'Answers a POST of the Flagsmith SDK API (and the PUT of traits/bulk/) or OFREP, likewise; stores what it asks to store';

CREATE TABLE feature_evaluation (
	environment_id bigint NOT NULL,
	feature_id bigint NOT NULL,
	hour timestamptz NOT NULL,
	labels jsonb NOT NULL DEFAULT '{}',
	writer integer NOT NULL,
	count bigint NOT NULL,
	PRIMARY KEY (environment_id, feature_id, hour, labels, writer)
);

COMMENT ON TABLE feature_evaluation IS
'How often SDKs say that they have evaluated features. Each session that writes at the same time has rows of its own, so that none waits for another: sum them up';
COMMENT ON COLUMN feature_evaluation.hour IS 'The hour in which they said so';
COMMENT ON COLUMN feature_evaluation.labels IS 'What application and SDK say of themselves';
COMMENT ON COLUMN feature_evaluation.writer IS 'The slot of the session that has counted';

REVOKE ALL ON feature_evaluation FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('flagsmith.feature_evaluation', '');

CREATE FUNCTION feature_evaluations(environment_key text, unit text DEFAULT 'day',
	OUT feature text, OUT start timestamptz, OUT count bigint)
RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
	SELECT f.name, date_trunc($2, c.hour), sum(c.count)::bigint
	FROM flagsmith.feature_evaluation c JOIN flagsmith.feature f ON f.id = c.feature_id
	WHERE c.environment_id = flagsmith.environment_id($1)
	GROUP BY 1, 2
	ORDER BY 2, 1
$$;

COMMENT ON FUNCTION feature_evaluations(text, text) IS
'How often features of an environment were evaluated, added up by hour, day, week, ... in UTC';

CREATE TABLE api_usage (
	environment_id bigint NOT NULL,
	resource text NOT NULL,
	hour timestamptz NOT NULL,
	labels jsonb NOT NULL DEFAULT '{}',
	writer integer NOT NULL,
	count bigint NOT NULL,
	PRIMARY KEY (environment_id, resource, hour, labels, writer)
);

COMMENT ON TABLE api_usage IS
'How many requests API tiers say that they have answered. Each session that writes at the same time has rows of its own, so that none waits for another: sum them up';
COMMENT ON COLUMN api_usage.resource IS 'What was asked for: flags, identities, traits or environment-document';
COMMENT ON COLUMN api_usage.hour IS 'The hour in which they said so';
COMMENT ON COLUMN api_usage.labels IS 'What application and SDK say of themselves';
COMMENT ON COLUMN api_usage.writer IS 'The slot of the session that has counted';

REVOKE ALL ON api_usage FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('flagsmith.api_usage', '');

CREATE FUNCTION record_api_usage(usage jsonb)
RETURNS bigint
AS 'MODULE_PATHNAME', 'flagsmith_record_api_usage'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION record_api_usage(jsonb) IS
'Adds requests that an API tier has answered to the statistics: [{"resource": as X-Flagsmith-Resource of the answers said, "headers": as http_get had them, "host": which was asked, "count": how many}, ...]; returns how many were of known environments';

CREATE FUNCTION api_usage(environment_key text, unit text DEFAULT 'day',
	OUT resource text, OUT start timestamptz, OUT count bigint)
RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
	SELECT c.resource, date_trunc($2, c.hour), sum(c.count)::bigint
	FROM flagsmith.api_usage c
	WHERE c.environment_id = flagsmith.environment_id($1)
	GROUP BY 1, 2
	ORDER BY 2, 1
$$;

COMMENT ON FUNCTION api_usage(text, text) IS
'How many requests for an environment API tiers have answered, added up by hour, day, week, ... in UTC';

CREATE OR REPLACE FUNCTION api_functions()
RETURNS SETOF regprocedure
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT p.oid FROM pg_proc p
	WHERE p.pronamespace = 'flagsmith'::regnamespace AND p.proname = ANY (
		'{evaluate,get_environment_flags,get_identity_flags,is_feature_enabled,get_feature_value,get_identity_segments,'
		'is_in_segment,identity_document,environment_document,set_traits,delete_identity,cache_stats,'
		'http_get,http_post,record_api_usage,environments_updated_at}')
$$;

COMMENT ON FUNCTION api_functions() IS 'What an API tier calls';

COMMENT ON FUNCTION grant_api(name) IS 'Lets a role evaluate, set traits and answer HTTP requests, by functions alone: it can read no table';

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA flagsmith FROM PUBLIC;
