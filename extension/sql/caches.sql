---------------------------------------------------------------------------------------
-- Caches
--
-- Row triggers, because a logical subscriber fires no others; ALWAYS, because it applies
-- changes as a replica.
---------------------------------------------------------------------------------------

CREATE FUNCTION invalidate()
RETURNS trigger
AS 'MODULE_PATHNAME', 'flagsmith_invalidate'
LANGUAGE C
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION invalidate() IS 'Tells all sessions, at the end of the transaction, that configuration has changed';

DO $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY '{project,environment,environment_key,feature,multivariate_option,segment,'
		'environment_segment,feature_state,multivariate_feature_state_value,identity_override}'::text[]
	LOOP
		EXECUTE pg_catalog.format('CREATE TRIGGER invalidate AFTER INSERT OR UPDATE OR DELETE'
			' ON flagsmith.%I FOR EACH ROW EXECUTE FUNCTION flagsmith.invalidate()', name);
		EXECUTE pg_catalog.format('CREATE TRIGGER invalidate_all AFTER TRUNCATE'
			' ON flagsmith.%I FOR EACH STATEMENT EXECUTE FUNCTION flagsmith.invalidate()', name);
		EXECUTE pg_catalog.format('ALTER TABLE flagsmith.%I ENABLE ALWAYS TRIGGER invalidate', name);
		EXECUTE pg_catalog.format('ALTER TABLE flagsmith.%I ENABLE ALWAYS TRIGGER invalidate_all', name);
	END LOOP;
END
$$;

CREATE FUNCTION cache_stats(OUT environments bigint, OUT bytes bigint, OUT hits bigint, OUT misses bigint,
	OUT builds bigint, OUT invalidations bigint, OUT build_time double precision)
RETURNS record
AS 'MODULE_PATHNAME', 'flagsmith_cache_stats'
LANGUAGE C VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION cache_stats() IS
'What the cache of this backend holds and has done; build_time in milliseconds';

CREATE FUNCTION environment_stamp(environment_id bigint)
RETURNS bigint
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- Of all row versions that the environment is made of. The seed tells tables apart, and by
	-- cmin the rows of tables that one transaction rewrites twice: same place, same xmin.
	SELECT bit_xor(hashtidextended(version.id, version.xid # (version.cid << 32) # (version.tab::bigint << 59)))
		# EXISTS (SELECT FROM flagsmith.identity_override o WHERE o.environment_id = $1)::int
	FROM (
		SELECT e.ctid, e.xmin::text::bigint, e.cmin::text::bigint, 1 FROM flagsmith.environment e WHERE e.id = $1
		UNION ALL
		SELECT p.ctid, p.xmin::text::bigint, p.cmin::text::bigint, 2
		FROM flagsmith.project p JOIN flagsmith.environment e ON e.project_id = p.id
		WHERE e.id = $1
		UNION ALL
		SELECT es.ctid, es.xmin::text::bigint, es.cmin::text::bigint, 3 FROM flagsmith.environment_segment es WHERE es.environment_id = $1
		UNION ALL
		SELECT g.ctid, g.xmin::text::bigint, g.cmin::text::bigint, 4
		FROM flagsmith.segment g JOIN flagsmith.environment_segment es ON es.segment_id = g.id
		WHERE es.environment_id = $1
		UNION ALL
		SELECT s.ctid, s.xmin::text::bigint, s.cmin::text::bigint, 5 FROM flagsmith.feature_state s WHERE s.environment_id = $1
		UNION ALL
		SELECT f.ctid, f.xmin::text::bigint, f.cmin::text::bigint, 6
		FROM flagsmith.feature f
		WHERE f.id IN (SELECT s.feature_id FROM flagsmith.feature_state s WHERE s.environment_id = $1)
		UNION ALL
		SELECT v.ctid, v.xmin::text::bigint, v.cmin::text::bigint, 7
		FROM flagsmith.multivariate_feature_state_value v
		JOIN flagsmith.feature_state s ON s.id = v.feature_state_id
		WHERE s.environment_id = $1
		UNION ALL
		SELECT o.ctid, o.xmin::text::bigint, o.cmin::text::bigint, 8
		FROM flagsmith.multivariate_option o
		WHERE o.id IN (
			SELECT v.option_id
			FROM flagsmith.multivariate_feature_state_value v
			JOIN flagsmith.feature_state s ON s.id = v.feature_state_id
			WHERE s.environment_id = $1)
	) version (id, xid, cid, tab)
$$;

COMMENT ON FUNCTION environment_stamp(bigint) IS
'A number that changes with every change of what an environment is made of';
