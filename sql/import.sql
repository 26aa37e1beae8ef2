--
-- import_environment(): what it stores, and what environments share
--

-- A feature state and an environment document, each with but the members of interest here.
CREATE FUNCTION pg_temp.state(feature_id int, name text, value text, VARIADIC shares jsonb[] DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object(
		'feature', jsonb_build_object('id', feature_id, 'name', name, 'type', CASE shares WHEN '{}' THEN 'STANDARD' ELSE 'MULTIVARIATE' END),
		'enabled', true, 'feature_state_value', value, 'django_id', 1000 + feature_id,
		'multivariate_feature_state_values', to_jsonb(shares))
$$;
CREATE FUNCTION pg_temp.share(id int, option_id int, value text, percentage numeric) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('id', id, 'percentage_allocation', percentage,
		'multivariate_feature_option', jsonb_build_object('id', option_id, 'value', value))
$$;
CREATE FUNCTION pg_temp.segment(id int, name text, plan text, VARIADIC states jsonb[] DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('id', id, 'name', name, 'rules', jsonb_build_array(jsonb_build_object('type', 'ALL', 'conditions',
		jsonb_build_array(jsonb_build_object('property_', 'plan', 'operator', 'EQUAL', 'value', plan)))),
		'feature_states', to_jsonb(states))
$$;
CREATE FUNCTION pg_temp.override(identifier text, VARIADIC states jsonb[] DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('identifier', identifier, 'identity_features', to_jsonb(states))
$$;
CREATE FUNCTION pg_temp.document(key text, project text, states jsonb[], segments jsonb[] DEFAULT '{}', overrides jsonb[] DEFAULT '{}', server_only int[] DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('id', 1, 'api_key', key, 'name', 'env ' || key,
		'project', jsonb_build_object('id', split_part(project, ' ', 1)::int, 'name', split_part(project, ' ', 2),
			'segments', to_jsonb(segments), 'server_key_only_feature_ids', to_jsonb(server_only)),
		'feature_states', to_jsonb(states), 'identity_overrides', to_jsonb(overrides))
$$;

-- what is stored, without the ids that the tables give
CREATE VIEW stored AS
	SELECT 1 AS n, 'project' AS kind, name AS "in", concat_ws(' ', document_id) AS what FROM flagsmith.project
	UNION ALL
	SELECT 2, 'environment', p.name, concat_ws(' ', e.api_key, e.document_id) FROM flagsmith.environment e JOIN flagsmith.project p ON p.id = project_id
	UNION ALL
	SELECT 3, 'feature', p.name, concat_ws(' ', f.name, f.document_id, f.type, CASE WHEN is_server_key_only THEN 'server only' END) FROM flagsmith.feature f JOIN flagsmith.project p ON p.id = project_id
	UNION ALL
	SELECT 4, 'option', f.name, concat_ws(' ', o.document_id, o.value) FROM flagsmith.multivariate_option o JOIN flagsmith.feature f ON f.id = feature_id
	UNION ALL
	SELECT 5, 'segment', p.name, concat_ws(' ', g.name, g.document_id, g.rules #>> '{0,conditions,0,value}') FROM flagsmith.segment g JOIN flagsmith.project p ON p.id = project_id
	UNION ALL
	SELECT 6, 'environment_segment', e.api_key, concat_ws(' ', position, g.name) FROM flagsmith.environment_segment s JOIN flagsmith.environment e ON e.id = environment_id JOIN flagsmith.segment g ON g.id = segment_id
	UNION ALL
	SELECT 7, 'state', e.api_key, concat_ws(' ', f.name, s.value, s.document_id, 'for ' || g.name) FROM flagsmith.feature_state s JOIN flagsmith.environment e ON e.id = environment_id JOIN flagsmith.feature f ON f.id = feature_id LEFT JOIN flagsmith.segment g ON g.id = segment_id
	UNION ALL
	SELECT 8, 'share', e.api_key, concat_ws(' ', v.position, o.value, v.percentage_allocation, v.document_id) FROM flagsmith.multivariate_feature_state_value v JOIN flagsmith.feature_state s ON s.id = feature_state_id JOIN flagsmith.environment e ON e.id = environment_id JOIN flagsmith.multivariate_option o ON o.id = option_id
	UNION ALL
	SELECT 9, 'identity', e.api_key, concat_ws(' ', identifier, traits) FROM flagsmith.identity i JOIN flagsmith.environment e ON e.id = environment_id
	UNION ALL
	SELECT 10, 'override', e.api_key, concat_ws(' ', identifier, f.name, o.value, o.document_id) FROM flagsmith.identity_override o JOIN flagsmith.environment e ON e.id = environment_id JOIN flagsmith.feature f ON f.id = feature_id;
CREATE FUNCTION pg_temp.stored() RETURNS TABLE (kind text, "in" text, what text)
LANGUAGE sql AS $$
	SELECT kind, "in", what FROM stored ORDER BY n, "in" COLLATE "C", what COLLATE "C"
$$;

-- an environment with all there is
CREATE TEMP TABLE document (name text, json jsonb);
INSERT INTO document VALUES ('prod', pg_temp.document('prod', '3 shop',
	ARRAY[pg_temp.state(1, 'banner', 'hello'), pg_temp.state(2, 'price', '10', pg_temp.share(6, 72, '30', 20), pg_temp.share(5, 71, '20', 12.5)), pg_temp.state(4, 'secret', 's')],
	ARRAY[pg_temp.segment(11, 'pros', 'pro', pg_temp.state(1, 'banner', 'hello pro')), pg_temp.segment(10, 'staff', 'staff')],
	ARRAY[pg_temp.override('ann', pg_temp.state(1, 'banner', 'bye'), pg_temp.state(5, 'only ann', 'x')), pg_temp.override('bob')],
	'{4,99}'));
SELECT flagsmith.import_environment(json) FROM document;
SELECT * FROM pg_temp.stored();

-- again: nothing is different, and what was not in the document is kept
SELECT flagsmith.set_traits('prod', 'ann', '{"plan": "pro"}'), flagsmith.set_traits('prod', 'carl', '{"plan": "staff"}');
INSERT INTO flagsmith.environment_key (environment_id, key) SELECT id, 'ser.prod' FROM flagsmith.environment;
CREATE TEMP TABLE before AS SELECT 'row' AS kind, what FROM (SELECT concat(kind, "in", what) AS what FROM stored) s
	UNION ALL SELECT 'id', id::text FROM flagsmith.environment
	UNION ALL SELECT 'id', id || name FROM flagsmith.feature
	UNION ALL SELECT 'id', id || name FROM flagsmith.segment;
SELECT flagsmith.import_environment(json) FROM document;
SELECT flagsmith.import_environment(flagsmith.environment_document('prod')::jsonb);
SELECT count(*) FROM before;
(SELECT 'row' AS kind, concat(kind, "in", what) FROM stored
	UNION ALL SELECT 'id', id::text FROM flagsmith.environment
	UNION ALL SELECT 'id', id || name FROM flagsmith.feature
	UNION ALL SELECT 'id', id || name FROM flagsmith.segment)
EXCEPT ALL SELECT * FROM before;
SELECT count(*) - (SELECT count(*) FROM before WHERE kind = 'row') AS difference FROM stored;
SELECT flagsmith.get_feature_value('ser.prod', 'secret'), (SELECT traits FROM flagsmith.identity WHERE identifier = 'ann');

-- another environment of the project: it has the features and segments in common, and its own states
INSERT INTO document VALUES ('dev', pg_temp.document('dev', '3 shop',
	ARRAY[pg_temp.state(1, 'banner', 'hello dev'), pg_temp.state(6, 'new', 'n')],
	ARRAY[pg_temp.segment(10, 'staff', 'staff', pg_temp.state(1, 'banner', 'hello staff'))], '{}', '{4,99}'));
SELECT flagsmith.import_environment(json) FROM document WHERE name = 'dev';
-- an unrelated project with the very ids and names
INSERT INTO document SELECT 'other', pg_temp.document('other', '4 shop',
	ARRAY[pg_temp.state(1, 'banner', 'hello other'), pg_temp.state(2, 'price', '11', pg_temp.share(6, 72, '33', 100))],
	ARRAY[pg_temp.segment(11, 'pros', 'PRO', pg_temp.state(1, 'banner', 'hello other pro'))]);
SELECT flagsmith.import_environment(json) FROM document WHERE name = 'other';
SELECT * FROM pg_temp.stored() WHERE kind NOT IN ('share', 'identity', 'override');

-- each answers as if it were alone
CREATE VIEW answers AS
	SELECT key, given.traits ->> 'plan' AS plan, string_agg(format('%s=%s', feature, value #>> '{}'), ' ' ORDER BY place) AS flags,
		(SELECT array_agg(format('%s %s', id, name) ORDER BY place) FROM flagsmith.get_identity_segments(key, 'u', given.traits) WITH ORDINALITY g (id, name, place)) AS segments
	FROM (SELECT api_key AS key FROM flagsmith.environment) e,
		(VALUES ('{}'::jsonb), ('{"plan": "pro"}'), ('{"plan": "PRO"}'), ('{"plan": "staff"}')) given (traits),
		flagsmith.get_identity_flags(key, 'u', given.traits) WITH ORDINALITY f (feature, enabled, value, variant, reason, feature_id, place)
	GROUP BY key, given.traits;
SELECT * FROM answers ORDER BY key, plan COLLATE "C" NULLS FIRST;
CREATE TEMP TABLE together AS SELECT * FROM answers;
DO $$
DECLARE
	alone text;
BEGIN
	FOREACH alone IN ARRAY '{prod,dev,other}'::text[] LOOP
		BEGIN
			DELETE FROM flagsmith.project;
			PERFORM flagsmith.import_environment(json) FROM document WHERE name = alone;
			IF EXISTS (SELECT FROM ((TABLE together EXCEPT TABLE answers) UNION ALL (TABLE answers EXCEPT TABLE together)) d WHERE key = alone) THEN
				RAISE NOTICE '% answers differently alone', alone;
			END IF;
			RAISE EXCEPTION 'undo' USING ERRCODE = 'XX999';
		EXCEPTION WHEN SQLSTATE 'XX999' THEN NULL;
		END;
	END LOOP;
END
$$;

-- what one environment does not use any more stays for the other; what none uses goes
SELECT flagsmith.import_environment(pg_temp.document('dev', '3 shop', ARRAY[pg_temp.state(6, 'new', 'n')], '{}', '{}', '{4}'));
SELECT * FROM pg_temp.stored() WHERE kind IN ('feature', 'segment', 'option', 'environment_segment');
SELECT flagsmith.import_environment(pg_temp.document('prod', '3 shop', ARRAY[pg_temp.state(1, 'banner', 'hello')],
	ARRAY[pg_temp.segment(12, 'newcomers', 'new')], ARRAY[pg_temp.override('ann', pg_temp.state(5, 'only ann', 'x'))]));
SELECT * FROM pg_temp.stored() WHERE kind <> 'environment' AND "in" <> 'other';

-- a definition that both share is the one imported last: rules by id, type and visibility by name
SELECT flagsmith.import_environment(pg_temp.document('dev', '3 shop', ARRAY[pg_temp.state(1, 'banner', 'hello dev')],
	ARRAY[pg_temp.segment(12, 'renamed', 'brand new')], '{}', '{1}'));
SELECT * FROM pg_temp.stored() WHERE kind IN ('feature', 'segment') AND what ~ '12|banner';
SELECT id, name FROM flagsmith.get_identity_segments('prod', 'u', '{"plan": "brand new"}');

-- under the name of a project: documents of several projects in one
SELECT flagsmith.import_environment(json, 'all of them') FROM document;
SELECT * FROM pg_temp.stored() WHERE kind IN ('project', 'environment', 'feature', 'segment');
-- they stay there when they come without the name
SELECT flagsmith.import_environment(json) FROM document;
SELECT * FROM pg_temp.stored() WHERE kind IN ('project', 'environment', 'segment');
-- identities belong to the environment, wherever it moves
SELECT traits FROM flagsmith.identity i JOIN flagsmith.environment e ON e.id = environment_id WHERE api_key = 'prod' ORDER BY identifier;

-- the id of a project changes with its document, and so does the project
SELECT flagsmith.import_environment(json || '{"api_key": "moved"}') FROM document WHERE name = 'other';
SELECT * FROM pg_temp.stored() WHERE kind IN ('project', 'environment');
SELECT flagsmith.import_environment(jsonb_set(json || '{"api_key": "moved"}', '{project,id}', '5')) FROM document WHERE name = 'other';
SELECT * FROM pg_temp.stored() WHERE kind IN ('project', 'environment');

-- an aborted import was never there
BEGIN;
SELECT flagsmith.import_environment(pg_temp.document('prod', '3 shop', '{}'));
SELECT count(*) FROM flagsmith.get_environment_flags('prod');
ROLLBACK;
SELECT count(*) FROM flagsmith.get_environment_flags('prod');

-- without any feature, and without what a document may leave out
SELECT flagsmith.import_environment('{"api_key": "least", "name": "", "project": {"id": 9, "name": "", "segments": []}, "feature_states": []}');
SELECT flagsmith.environment_document('least')::jsonb - 'updated_at';
SELECT count(*) FROM flagsmith.get_identity_flags('least', 'u');

DROP VIEW stored, answers;
DELETE FROM flagsmith.project;
DELETE FROM flagsmith.identity;
