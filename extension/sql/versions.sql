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
