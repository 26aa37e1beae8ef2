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
