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
-- inserted, never shared, and goes when a later one tells as much.
CREATE TABLE attached_change (
	environment_id bigint NOT NULL,
	xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
	snapshot pg_snapshot NOT NULL,
	changed_at timestamptz NOT NULL,
	sets_updated_at boolean NOT NULL,
	PRIMARY KEY (environment_id, xact)
);

COMMENT ON TABLE attached_change IS 'The latest changes of attached environments, by transaction';
COMMENT ON COLUMN attached_change.snapshot IS 'What the transaction saw: it may have missed others that were under way';
COMMENT ON COLUMN attached_change.changed_at IS 'When it made the change';
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
	ON CONFLICT (environment_id, xact) DO UPDATE SET
		snapshot = excluded.snapshot,
		changed_at = excluded.changed_at,
		sets_updated_at = c.sets_updated_at OR excluded.sets_updated_at;

	-- what this transaction has seen is told by its own row, but when updated_at was set
	IF current_setting('transaction_isolation') = 'read committed' THEN
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
	-- who comes to be seen after a later change raises the time all the same
	SELECT c.environment_id,
		bit_xor(hashtextextended(concat(c.xact, '/', c.changed_at, '/', c.cmin), 0)),
		max(c.changed_at) + count(*) FILTER (WHERE c.xact <> l.xact
			AND NOT pg_visible_in_snapshot(c.xact, l.snapshot)) * interval '1 microsecond',
		NOT EXISTS (
			SELECT FROM flagsmith.attached_change t
			WHERE t.environment_id = c.environment_id AND t.sets_updated_at
				AND NOT EXISTS (
					SELECT FROM flagsmith.attached_change o
					WHERE o.environment_id = c.environment_id AND o.xact <> t.xact
						AND NOT pg_visible_in_snapshot(o.xact, t.snapshot)))
	FROM flagsmith.attached_change c
	CROSS JOIN LATERAL (
		SELECT l.xact, l.snapshot FROM flagsmith.attached_change l
		WHERE l.environment_id = c.environment_id
		ORDER BY l.changed_at DESC, l.xact DESC LIMIT 1
	) l
	WHERE c.environment_id = ANY ($1)
	GROUP BY c.environment_id
$$;

COMMENT ON FUNCTION attached_changes(bigint[]) IS
'Of environments that have changed: a number that differs after each change, when the last one was made, and whether that was after updated_at was set';

CREATE FUNCTION note_attached_change()
RETURNS trigger
AS 'MODULE_PATHNAME', 'flagsmith_note_attached_change'
LANGUAGE C SECURITY DEFINER
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION note_attached_change() IS
'Tells all sessions, at the end of the transaction, that attached configuration has changed, and notes whose; arguments: what the row belongs to, the column that says to which, and the columns that count (all, if none are given)';

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
		('app_analytics_featureevaluationraw', '{jsonb}', 'labels')
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

CREATE FUNCTION attached_faults(schema name, OUT object text, OUT problem text)
RETURNS SETOF record
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH wanted AS (
		SELECT w.table_name, w.column_name, w.types, to_regclass(format('%I.%I', $1, w.table_name)) AS relation
		FROM flagsmith.attached_columns() w
	)
	SELECT DISTINCT format('table %I.%I', $1, table_name), 'is missing' FROM wanted WHERE relation IS NULL
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
	WHERE to_regclass(format('%I.%I', $1, k.table_name)) IS NOT NULL AND NOT EXISTS (
		SELECT FROM pg_index i
		WHERE i.indrelid = to_regclass(format('%I.%I', $1, k.table_name)) AND i.indisunique AND i.indpred IS NULL
			AND i.indexprs IS NULL AND i.indisvalid AND i.indnkeyatts = cardinality(k.columns)
			AND ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = i.indrelid
				AND a.attnum = ANY (i.indkey)) <@ k.columns)
	ORDER BY 1
$$;

COMMENT ON FUNCTION attached_faults(name) IS 'What keeps a schema from being read as Flagsmith''s';

CREATE FUNCTION attached_migrations(schema name)
RETURNS text
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	state text;
BEGIN
	IF to_regclass(format('%I.django_migrations', schema)) IS NULL THEN
		RETURN 'there is no table django_migrations';
	END IF;
	EXECUTE format('SELECT string_agg(concat(app, '' '', name), '', '' ORDER BY app) FROM ('
		'SELECT app, max(name) AS name FROM %I.django_migrations WHERE app = ANY ($1) GROUP BY app) m', schema)
	INTO state
	USING '{organisations,projects,environments,features,feature_versioning,multivariate,segments,identities,traits,app_analytics}'::text[];
	RETURN coalesce(state, 'none of Flagsmith''s');
END
$$;

COMMENT ON FUNCTION attached_migrations(name) IS 'Up to which migration Flagsmith''s tables are, by app';

CREATE FUNCTION detach()
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation regclass;
BEGIN
	FOR relation IN
		SELECT tgrelid FROM pg_trigger
		WHERE tgname = 'flagsmith_note_change' AND tgfoid = 'flagsmith.note_attached_change()'::regprocedure
		ORDER BY tgrelid::regclass::text COLLATE "C"
	LOOP
		EXECUTE format('DROP TRIGGER flagsmith_note_change ON %s', relation);
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
-- whoever cannot lock the tables soon lets Flagsmith go on
SET lock_timeout = '5s'
AS $$
#variable_conflict use_variable
DECLARE
	faults text;
	trigger record;
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
		RAISE undefined_object USING
			MESSAGE = format('the tables in schema "%s" are not those of a Flagsmith that can be attached', schema),
			DETAIL = concat(faults, E'\nMigrations: ', flagsmith.attached_migrations(schema), '.'),
			HINT = 'Flagsmith 2.265 is known to have all that is needed: migrate to it, and attach again.';
	END IF;

	PERFORM flagsmith.detach();
	FOR trigger IN
		SELECT format('%I.%I', schema, table_name) AS relation,
			(SELECT string_agg(quote_literal(a), ', ' ORDER BY n) FROM unnest(arguments) WITH ORDINALITY x (a, n)) AS arguments
		FROM flagsmith.attached_triggers() ORDER BY table_name
	LOOP
		EXECUTE format('CREATE TRIGGER flagsmith_note_change AFTER INSERT OR UPDATE OR DELETE ON %s'
			' FOR EACH ROW EXECUTE FUNCTION flagsmith.note_attached_change(%s)', trigger.relation, trigger.arguments);
		EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER flagsmith_note_change', trigger.relation);
		EXECUTE format('ALTER TRIGGER flagsmith_note_change ON %s DEPENDS ON EXTENSION flagsmith', trigger.relation);
	END LOOP;
	INSERT INTO flagsmith.attachment (schema, priority_ties) VALUES (schema, priority_ties);
END
$$;

COMMENT ON FUNCTION attach(name, text) IS
'Evaluates from now on with the tables that a Flagsmith has in this schema, and its environment keys; called again, it renews the triggers';

CREATE FUNCTION attach_status(OUT object text, OUT state text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	attached flagsmith.attachment;
BEGIN
	SELECT * INTO attached FROM flagsmith.attachment;
	IF NOT FOUND THEN
		RETURN QUERY SELECT 'attachment', 'there is none';
		RETURN;
	END IF;
	RETURN QUERY SELECT format('schema %I', attached.schema), format('attached since %s', attached.attached_at);
	RETURN QUERY SELECT 'migrations', flagsmith.attached_migrations(attached.schema);
	RETURN QUERY SELECT f.object, f.problem FROM flagsmith.attached_faults(attached.schema) f;
	RETURN QUERY
	SELECT format('trigger on %I.%I', attached.schema, w.table_name),
		CASE WHEN t.tgname IS NULL THEN 'is missing: call flagsmith.attach() again'
			ELSE 'is not enabled always: call flagsmith.attach() again' END
	FROM flagsmith.attached_triggers() w
	LEFT JOIN pg_trigger t ON t.tgname = 'flagsmith_note_change'
		AND t.tgrelid = to_regclass(format('%I.%I', attached.schema, w.table_name))
	WHERE t.tgenabled IS DISTINCT FROM 'A'
		AND to_regclass(format('%I.%I', attached.schema, w.table_name)) IS NOT NULL
	ORDER BY 1;
END
$$;

COMMENT ON FUNCTION attach_status() IS
'What is attached, up to which migration, and whatever is missing of what is needed';
