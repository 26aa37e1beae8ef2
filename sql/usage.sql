-- API usage: what requests count as, recording them, for environments of either source

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

SELECT flagsmith.import_environment('{
	"id": 3, "api_key": "client", "name": "Production", "project": {"id": 1, "name": "shop", "segments": []},
	"feature_states": [{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": true, "feature_state_value": "hello", "django_id": 11}]}');
SELECT flagsmith.create_server_key('client') AS server_key \gset
INSERT INTO flagsmith.environment_key (environment_id, key, active) SELECT id, 'ser.inactive', false FROM flagsmith.environment WHERE api_key = 'client';

---- what a request counts as: whatever its answer is, if its key opens an environment
SELECT target, CASE key WHEN :'server_key' THEN 'server' ELSE key END AS key, status, headers ->> 'X-Flagsmith-Resource' AS resource
FROM unnest('{/api/v1/flags/,/api/v1/flags?feature=banner,//api/v1/flags/?feature=nope,/api/v1/identities/?identifier=u1,/api/v1/identities/,/api/v1/traits/,/api/v1/environment-document/,/api/v1/nothing/}'::text[]) WITH ORDINALITY t (target, n),
	unnest(ARRAY['client', :'server_key', 'ser.inactive', 'unknown', '']) WITH ORDINALITY k (key, m),
	flagsmith.http_get(target, jsonb_build_object('x-environment-key', key))
WHERE status <> 403 OR headers ? 'X-Flagsmith-Resource'
ORDER BY n, m;
SELECT target, text, status, headers ->> 'X-Flagsmith-Resource' AS resource
FROM (VALUES (1, '/api/v1/identities/', '{"identifier": "u1"}'), (2, '/api/v1/identities/', '{'), (3, '/api/v1/identities/', '[]'), (4, '/api/v1/flags/', '{}'),
	(5, '/api/v1/traits/', '{"identity": {"identifier": "u1"}, "trait_key": "age", "trait_value": 1}'), (6, '/api/v1/traits/bulk/', '[]'),
	(7, '/api/v1/traits/increment-value/', '{"identifier": "u1", "trait_key": "age", "increment_by": 1}'),
	(8, '/api/v1/analytics/flags/', '{}'), (9, '/ofrep/v1/evaluate/flags', '{"context": {"targetingKey": "u1"}}'), (10, '/ofrep/v1/evaluate/flags/banner', '{}')) r (n, target, text),
	flagsmith.http_post(target, '{"x-environment-key": "client"}', text)
ORDER BY n;
BEGIN;
UPDATE flagsmith.project SET organisation = '{"id": 1, "name": "o", "stop_serving_flags": true}' WHERE name = 'shop';
SELECT status, headers -> 'X-Flagsmith-Resource' AS resource FROM flagsmith.http_get('/api/v1/flags/', '{"x-environment-key": "client"}');
ROLLBACK;

---- the extension's own environments
CREATE FUNCTION pg_temp.item(resource text, count bigint, key text DEFAULT 'client', host text DEFAULT 'api.example', headers jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('resource', resource, 'count', count, 'host', host, 'headers', jsonb_build_object('x-environment-key', key) || headers)
$$;
-- both kinds of key are of one environment; of many items of one kind there is one row
BEGIN;
SELECT flagsmith.record_api_usage(jsonb_build_array(pg_temp.item('flags', 2), pg_temp.item('flags', 3, :'server_key'), pg_temp.item('traits', 1)));
SELECT flagsmith.record_api_usage(jsonb_build_array(pg_temp.item('flags', 5), pg_temp.item('identities', 7)));
SELECT resource, hour = date_trunc('hour', now(), 'UTC') AS is_now, labels, count FROM flagsmith.api_usage ORDER BY resource;
SELECT resource, start = date_trunc('day', now(), 'UTC') AS is_today, count FROM flagsmith.api_usage('client');
INSERT INTO flagsmith.api_usage SELECT environment_id, resource, hour - interval '1 hour', labels, 77, count FROM flagsmith.api_usage;
INSERT INTO flagsmith.api_usage SELECT environment_id, resource, hour, labels, 78, count FROM flagsmith.api_usage WHERE writer <> 77;
SELECT resource, count(*), sum(count) FROM flagsmith.api_usage('client', 'hour') GROUP BY resource ORDER BY resource;
COMMIT;
TRUNCATE flagsmith.api_usage;
SELECT * FROM flagsmith.api_usage('unknown');

-- labels: what Flagsmith's charts know, at most 100 bytes of each
SELECT flagsmith.record_api_usage(jsonb_agg(pg_temp.item('flags', 1, headers => headers)))
FROM unnest(ARRAY['{"user-agent": "Mozilla/5.0", "flagsmith-sdk-user-agent": "flagsmith-js-sdk/9.3.1"}', '{"user-agent": "flagsmith-go-sdk/4"}', '{"user-agent": "curl/8", "accept": "x"}', '{"flagsmith-sdk-user-agent": "flagsmith-"}',
	'{"flagsmith-application-name": " the \"app\" ", "flagsmith-application-version": "1é"}', '{"flagsmith-application-name": 7, "user-agent": ["flagsmith-x"]}']::jsonb[]) headers;
SELECT labels, count FROM flagsmith.api_usage ORDER BY labels::text COLLATE "C";
TRUNCATE flagsmith.api_usage;
SELECT flagsmith.record_api_usage(jsonb_build_array(pg_temp.item('flags', 1, headers => jsonb_build_object('flagsmith-application-name', repeat('é', 60), 'user-agent', 'flagsmith-' || repeat('x', 100000)))));
SELECT key, octet_length(value) FROM flagsmith.api_usage, jsonb_each_text(labels) ORDER BY key;
TRUNCATE flagsmith.api_usage;

-- what is unknown, or makes no sense, is left out; the rest counts
SELECT flagsmith.record_api_usage(jsonb_build_array(pg_temp.item('flags', 1), pg_temp.item('flags', 1, 'unknown'), pg_temp.item('flags', 1, ''), pg_temp.item('flags', 1, 'ser.inactive'), pg_temp.item('flags', 1, repeat('k', 100000)),
	pg_temp.item('flags', 0), pg_temp.item('flags', -1), pg_temp.item('flags', 2147483648), pg_temp.item('Flags', 1), pg_temp.item(NULL, 1), pg_temp.item('', 1), pg_temp.item('analytics', 1)));
SELECT flagsmith.record_api_usage(list) FROM unnest(ARRAY['[]', '[1, null, "x", [], {}]', '[{"resource": "flags", "count": 1}, {"resource": "flags", "headers": {"x-environment-key": "client"}}]',
	'[{"resource": "flags", "count": 1, "headers": 7}, {"resource": "flags", "count": 1, "headers": {"x-environment-key": ["client"]}}]',
	'[{"resource": "flags", "count": "1", "headers": {"x-environment-key": "client"}}, {"resource": "flags", "count": 1.5, "headers": {"x-environment-key": "client"}}, {"resource": ["flags"], "count": 1, "headers": {"x-environment-key": "client"}}]']::jsonb[]) list;
SELECT flagsmith.record_api_usage(NULL);
SELECT resource, count FROM flagsmith.api_usage('client');
SELECT flagsmith.record_api_usage('{}');
SELECT flagsmith.record_api_usage('"x"');
SELECT flagsmith.record_api_usage((repeat('[', 5000) || repeat(']', 5000))::jsonb);
BEGIN READ ONLY;
SELECT flagsmith.record_api_usage('[]');
SELECT flagsmith.record_api_usage(jsonb_build_array(pg_temp.item('flags', 1)));
ROLLBACK;
TRUNCATE flagsmith.api_usage;

---- an attached environment, beside own ones
SELECT flagsmith.attach('app');
SELECT flagsmith.record_api_usage(jsonb_build_array(pg_temp.item('flags', 1, 'env', 'a.example'), pg_temp.item('flags', 2, 'env', 'a.example'), pg_temp.item('flags', 3, 'env', 'b.example', '{"user-agent": "flagsmith-go-sdk/4"}'),
	pg_temp.item('identities', 4, 'env', NULL), pg_temp.item('traits', 5, 'other') - 'host', pg_temp.item('environment-document', 6, 'other'), pg_temp.item('flags', 7, 'nobody'), pg_temp.item('flags', 8)));
SELECT environment_id, created_at <= now() AND created_at > now() - interval '1 minute' AS is_now, host, resource, count, labels FROM app.app_analytics_apiusageraw ORDER BY environment_id, resource, host;
SELECT resource, count FROM flagsmith.api_usage('client');
SELECT * FROM flagsmith.api_usage('env');
TRUNCATE app.app_analytics_apiusageraw;
-- more than the columns take
SELECT flagsmith.record_api_usage(jsonb_build_array(pg_temp.item('flags', 2147483647, 'env', repeat('é', 70000) || 'a'), pg_temp.item('flags', 1, 'env', repeat('é', 70000) || 'b')));
SELECT length(host), count FROM app.app_analytics_apiusageraw;
-- all or nothing
BEGIN;
ALTER TABLE app.app_analytics_apiusageraw RENAME TO away;
\set VERBOSITY sqlstate
SELECT flagsmith.record_api_usage(jsonb_build_array(pg_temp.item('flags', 1), pg_temp.item('flags', 1, 'env')));
\set VERBOSITY default
ROLLBACK;
SELECT resource, count FROM flagsmith.api_usage('client');
-- with the rights of the tables' owner, for whoever may call it
CREATE ROLE regress_usage_owner;
CREATE ROLE regress_usage_api;
DO $$
DECLARE
	t regclass;
BEGIN
	FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('ALTER TABLE %s OWNER TO regress_usage_owner', t);
	END LOOP;
	GRANT USAGE ON SCHEMA app TO regress_usage_owner;
END
$$;
SET ROLE regress_usage_api;
SELECT flagsmith.record_api_usage('[]');
RESET ROLE;
SELECT flagsmith.grant_api('regress_usage_api');
SET ROLE regress_usage_api;
SELECT flagsmith.record_api_usage('[{"resource": "identities", "count": 9, "headers": {"x-environment-key": "env"}}]');
SELECT count(*) FROM app.app_analytics_apiusageraw;
SELECT * FROM flagsmith.api_usage('client');
RESET ROLE;
SELECT resource, count FROM app.app_analytics_apiusageraw WHERE resource = 2;
SELECT flagsmith.revoke_api('regress_usage_api');

SELECT flagsmith.detach();
SET client_min_messages = warning;
DROP SCHEMA app CASCADE;
DROP ROLE regress_usage_owner;
DROP ROLE regress_usage_api;
TRUNCATE flagsmith.api_usage;
DELETE FROM flagsmith.project WHERE name = 'shop';
