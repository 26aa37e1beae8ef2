--
-- The Flagsmith SDK API and OFREP in SQL: every route, status, header and body
--

SELECT flagsmith.import_environment('{
	"id": 3, "api_key": "client", "name": "Production", "updated_at": "2026-01-02T03:04:05.678901+00:00", "hide_sensitive_data": false,
	"project": {"id": 1, "name": "shop", "server_key_only_feature_ids": [4], "organisation": {"id": 1, "name": "o", "persist_trait_data": true}, "segments": [
		{"id": 10, "name": "pros", "rules": [{"type": "ALL", "conditions": [{"property_": "plan", "operator": "EQUAL", "value": "pro"}], "rules": []}],
			"feature_states": [{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": true, "feature_state_value": "for pros", "django_id": 20, "feature_segment": {"priority": 0}}]}]},
	"feature_states": [
		{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": true, "feature_state_value": "hello", "django_id": 11},
		{"feature": {"id": 2, "name": "Dark/mode é", "type": "STANDARD"}, "enabled": false, "feature_state_value": null, "django_id": 12},
		{"feature": {"id": 3, "name": "price", "type": "MULTIVARIATE"}, "enabled": true, "feature_state_value": 10, "django_id": 13, "multivariate_feature_state_values": [
			{"id": 1, "percentage_allocation": 100, "multivariate_feature_option": {"id": 1, "value": 7, "key": "cheap"}}]},
		{"feature": {"id": 4, "name": "secret", "type": "STANDARD"}, "enabled": true, "feature_state_value": "s", "django_id": 14}],
	"identity_overrides": [{"identifier": "vip", "identity_features": [{"feature": {"id": 1, "name": "banner", "type": "STANDARD"}, "enabled": true, "feature_state_value": "for you", "django_id": 30}]}]}');
SELECT flagsmith.create_server_key('client') AS server_key \gset
\set client '{"x-environment-key": "client"}'
SELECT jsonb_build_object('x-environment-key', :'server_key') AS server \gset

CREATE FUNCTION pg_temp.get(target text, headers jsonb DEFAULT '{"x-environment-key": "client"}') RETURNS text LANGUAGE sql AS $$
	SELECT status || ' ' || body FROM flagsmith.http_get(target, headers)
$$;
CREATE FUNCTION pg_temp.post(target text, body text, headers jsonb DEFAULT '{"x-environment-key": "client"}') RETURNS text LANGUAGE sql AS $$
	SELECT status || ' ' || a.body FROM flagsmith.http_post(target, headers, body) a
$$;
-- what an identity is told, without the flags
CREATE FUNCTION pg_temp.identify(body text, headers jsonb DEFAULT '{"x-environment-key": "client"}') RETURNS text LANGUAGE sql AS $$
	SELECT status || ' ' || CASE status WHEN 200 THEN ((a.body::jsonb - 'flags') || jsonb_build_object('banner', a.body::jsonb #> '{flags,0,feature_state_value}'))::text ELSE a.body END
	FROM flagsmith.http_post('/api/v1/identities/', headers, body) a
$$;
CREATE FUNCTION pg_temp.stored(identifier text) RETURNS text LANGUAGE sql AS $$
	SELECT traits::text FROM flagsmith.identity i WHERE i.identifier = $1
$$;

-- keys
SELECT pg_temp.get('/api/v1/flags/', '{}');
SELECT pg_temp.get('/api/v1/flags/', '{"x-environment-key": "  "}');
SELECT pg_temp.get('/api/v1/flags/', '{"x-environment-key": "CLIENT"}');
SELECT pg_temp.get('/api/v1/flags/', '{"x-environment-key": "ser.unknown"}');
SELECT pg_temp.get('/api/v1/flags/?feature=price', '{"x-environment-key": " client "}');
SELECT pg_temp.get('/api/v1/flags/?feature=secret'), pg_temp.get('/api/v1/flags/?feature=secret', :'server');
INSERT INTO flagsmith.environment_key (environment_id, key, active, expires_at)
SELECT id, key, active, expires_at FROM flagsmith.environment, (VALUES ('ser.inactive', false, NULL), ('ser.expired', true, timestamptz '2020-01-01'), ('ser.future', true, 'infinity')) k (key, active, expires_at);
SELECT key, pg_temp.get('/api/v1/flags/?feature=secret', jsonb_build_object('x-environment-key', key)) FROM flagsmith.environment_key WHERE key <> :'server_key' ORDER BY key;

-- routes and methods
SELECT pg_temp.get('/api/v1/nothing/'), pg_temp.get(''), pg_temp.get('/'), pg_temp.get('/api/v1/Flags/'), pg_temp.get(NULL);
SELECT target, left(pg_temp.get(target), 30) FROM unnest('{/api/v1/flags,//api/v1/flags/,///api/v1/flags/?x=1}'::text[]) target;
SELECT pg_temp.post('/api/v1/flags/', '{}');
SELECT pg_temp.get('/api/v1/traits/'), pg_temp.get('/ofrep/v1/evaluate/flags');
SELECT pg_temp.get('/api/v1/traits/', '{}');

-- headers
SELECT headers FROM flagsmith.http_get('/api/v1/flags/', :'client');
SELECT headers FROM flagsmith.http_get('/api/v1/flags/', '{}');
SELECT (SELECT jsonb_object_agg(key, CASE key WHEN 'ETag' THEN '"an entity tag"' ELSE value END) FROM jsonb_each(headers)) FROM flagsmith.http_get('/api/v1/environment-document/', :'server');

-- flags
SELECT pg_temp.get('/api/v1/flags/');
SELECT pg_temp.get('/api/v1/flags/', :'server') LIKE '%"secret"%' AS server_sees_all;
SELECT pg_temp.get('/api/v1/flags/?feature=BANNER'), pg_temp.get('/api/v1/flags/?feature='), pg_temp.get('/api/v1/flags/?feature=no&feature=Dark%2Fmode+%C3%A9'), pg_temp.get('/api/v1/flags/?feature=no');
UPDATE flagsmith.environment SET hide_disabled_flags = true;
SELECT pg_temp.get('/api/v1/flags/?feature=Dark%2Fmode+%C3%A9'), pg_temp.get('/api/v1/flags/') LIKE '%Dark%' AS shown;
UPDATE flagsmith.environment SET hide_disabled_flags = NULL;

-- GET identities: writes nothing
SELECT pg_temp.get('/api/v1/identities/?identifier=vip');
SELECT pg_temp.get('/api/v1/identities/'), pg_temp.get('/api/v1/identities/?identifier='), pg_temp.get('/api/v1/identities/?identifier=a%00b');
SELECT left(pg_temp.get('/api/v1/identities/?identifier=%C3%BC+%zz%FF%26&x'), 40);
SELECT pg_temp.get('/api/v1/identities/?identifier=' || repeat('%C3%A9', 2001)), left(pg_temp.get('/api/v1/identities/?identifier=' || repeat('%C3%A9', 2000)), 20);
SELECT pg_temp.get('/api/v1/identities/?identifier=vip&transient=false&feature=banner'), pg_temp.get('/api/v1/identities/?identifier=vip&feature=banner'), pg_temp.get('/api/v1/identities/?identifier=u&feature=Banner');
SELECT identifier FROM flagsmith.identity ORDER BY identifier;

-- POST identities: stores what is not transient
SELECT pg_temp.identify('{"identifier": "u1", "traits": [{"trait_key": "plan", "trait_value": "pro"}, {"trait_key": " int ", "trait_value": 7}, {"trait_key": "float", "trait_value": 1e21}, {"trait_key": "tiny", "trait_value": 1.50e-7}, {"trait_key": "list", "trait_value": [1, "a", null]}, {"trait_key": "t", "trait_value": true, "transient": true}, {"trait_key": 5, "trait_value": ""}]}');
SELECT pg_temp.stored('u1');
-- repeated, it writes nothing
CREATE TEMP TABLE before AS SELECT xmin AS version FROM flagsmith.identity WHERE identifier = 'u1';
SELECT pg_temp.identify('{"identifier": "u1", "traits": [{"trait_key": "plan", "trait_value": "pro"}, {"trait_key": "int", "trait_value": 7}]}') IS NOT NULL AS answered;
SELECT i.xmin = b.version AS unchanged FROM flagsmith.identity i, before b WHERE identifier = 'u1';
-- null removes, a missing value too, of a name the last counts, and 7.0 is not 7
SELECT pg_temp.identify('{"identifier": "u1", "traits": [{"trait_key": "list", "trait_value": null}, {"trait_key": "tiny"}, {"trait_key": "5", "trait_value": null}, {"trait_key": "float", "trait_value": 1}, {"trait_key": "float", "trait_value": 2}, {"trait_key": "int", "trait_value": 7.0}]}');
SELECT pg_temp.stored('u1');
-- a transient trait masks a stored one
SELECT pg_temp.identify('{"identifier": "u1", "traits": [{"trait_key": "plan", "trait_value": "free", "transient": true}, {"trait_key": "int", "trait_value": null, "transient": true}]}');
SELECT pg_temp.stored('u1');
-- a transient identity, known and unknown
SELECT pg_temp.identify('{"identifier": "u1", "transient": true, "traits": [{"trait_key": "int", "trait_value": 8}]}');
SELECT pg_temp.identify('{"identifier": "u2", "transient": "yes", "traits": [{"trait_key": "plan", "trait_value": "pro"}]}');
-- without an identifier
SELECT pg_temp.identify('{"traits": [{"trait_key": "plan", "trait_value": "pro"}, {"trait_key": "age", "trait_value": 3}]}');
SELECT encode(sha256('age3planpro'), 'hex') AS that_identifier;
SELECT regexp_replace(pg_temp.identify(body), '[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}', 'UUID') FROM unnest(ARRAY['', '{}', '{"identifier": null}', '{"identifier": "  ", "traits": []}']) body;
SELECT pg_temp.identify('{"identifier": 12345}'), pg_temp.identify('{"identifier": "new"}');
SELECT identifier, traits FROM flagsmith.identity ORDER BY identifier;

-- what is no such body
SELECT body, pg_temp.identify(body) FROM unnest(ARRAY['{', 'null', '[]', '"x"', '7', '{"identifier": true}', '{"identifier": []}', '{"identifier": "a\u0000b"}', '{"transient": null}', '{"transient": 2}',
	'{"traits": null}', '{"traits": {}}', '{"traits": [{"trait_key": "a", "trait_value": 1}, {}, 7, {"trait_key": null}, {"trait_key": " "}, {"trait_key": [], "transient": null}]}',
	'{"identifier": "u9", "traits": [{"trait_key": "a", "trait_value": 1e400}]}', '{"identifier": "u9", "traits": [{"trait_key": "a", "trait_value": NaN}]}']) WITH ORDINALITY b (body, n) ORDER BY n;
SELECT pg_temp.identify(format('{"identifier": "u9", "traits": [{"trait_key": "%s", "trait_value": "%s"}]}', repeat('é', 201), repeat('é', 2001)));
SELECT left(pg_temp.identify(format('{"identifier": "u8", "traits": [{"trait_key": "%s", "trait_value": "%s"}]}', repeat('é', 200), repeat('é', 2000))), 30);
SELECT pg_temp.identify(format('{"identifier": "%s"}', repeat('é', 2001)));
SELECT status, body FROM flagsmith.http_post('/api/v1/identities/', '{"x-environment-key": "client", "content-type": "text/html"}', '{}');
SELECT status, left(body, 15) FROM flagsmith.http_post('/api/v1/identities/', '{"x-environment-key": "client", "content-type": "Application/JSON; charset=utf-8"}', '{}');
SELECT count(*) FROM flagsmith.identity WHERE identifier = 'u9';

-- several requests in one statement see each other's writes
SELECT n, pg_temp.identify(format('{"identifier": "many", "traits": [{"trait_key": "n%s", "trait_value": %s}]}', n, n)) FROM generate_series(1, 3) n;

-- what settings say
UPDATE flagsmith.environment SET allow_client_traits = false;
SELECT pg_temp.identify('{"identifier": "u3", "traits": [{"trait_key": "plan", "trait_value": "pro"}]}'), pg_temp.identify('{"identifier": "u4", "traits": [{"trait_key": "plan", "trait_value": "pro"}]}', :'server');
SELECT pg_temp.post('/api/v1/traits/', '{"identity": {"identifier": "u3"}, "trait_key": "a", "trait_value": 1}');
UPDATE flagsmith.environment SET allow_client_traits = NULL, hide_sensitive_data = true;
SELECT pg_temp.get('/api/v1/identities/?identifier=u1&feature=banner'), pg_temp.identify('{"identifier": "u1"}');
UPDATE flagsmith.environment SET hide_sensitive_data = false;
UPDATE flagsmith.project SET organisation = '{"persist_trait_data": false}';
SELECT pg_temp.identify('{"identifier": "u5", "traits": [{"trait_key": "plan", "trait_value": "pro"}]}'), pg_temp.stored('u5');
SELECT pg_temp.post('/api/v1/traits/', '{"identity": {"identifier": "u5"}, "trait_key": "a", "trait_value": 1}');
UPDATE flagsmith.project SET organisation = '{"stop_serving_flags": true}';
SELECT pg_temp.get('/api/v1/flags/'), pg_temp.post('/ofrep/v1/evaluate/flags', '{}');
UPDATE flagsmith.project SET organisation = NULL;

-- traits
SELECT pg_temp.post('/api/v1/traits/', '{"identity": {"identifier": "u6"}, "trait_key": "a", "trait_value": 1.0}'), pg_temp.stored('u6');
SELECT body, pg_temp.post('/api/v1/traits/', body) FROM unnest(ARRAY['{}', '{"identity": 1, "trait_key": "a", "trait_value": 1}', '{"identity": {"identifier": ""}, "trait_key": "a", "trait_value": 1}', '{"identity": {"identifier": "u6"}, "trait_key": "a", "trait_value": null}']) WITH ORDINALITY b (body, n) ORDER BY n;
SELECT pg_temp.post('/api/v1/traits/bulk/', '[{"identity": {"identifier": "u7"}, "trait_key": "b", "trait_value": 2}, {"identity": {"identifier": "u6"}, "trait_key": "a", "trait_value": null}, {"identity": {"identifier": "u7"}, "trait_key": "c", "trait_value": "x"}]'), pg_temp.stored('u6'), pg_temp.stored('u7');
SELECT pg_temp.post('/api/v1/traits/bulk/', '{}'), pg_temp.post('/api/v1/traits/bulk/', '[1]'), pg_temp.post('/api/v1/traits/bulk/', '[]');
SELECT pg_temp.post('/api/v1/traits/bulk/', '[{"identity": {"identifier": "u7"}, "trait_key": "d", "trait_value": 2}, {"trait_key": "a", "trait_value": 1}]'), pg_temp.stored('u7');
SELECT pg_temp.post('/api/v1/traits/increment-value/', '{"identifier": "u7", "trait_key": "b", "increment_by": 40}'), pg_temp.post('/api/v1/traits/increment-value/', '{"identifier": "u7", "trait_key": "e", "increment_by": "-5"}'), pg_temp.stored('u7');
SELECT pg_temp.post('/api/v1/traits/increment-value/', '{"identifier": "u7", "trait_key": "c", "increment_by": 1}'), pg_temp.post('/api/v1/traits/increment-value/', '{"identifier": "u7", "trait_key": "b", "increment_by": 1.5}'), pg_temp.post('/api/v1/traits/increment-value/', '{"identifier": "u7", "trait_key": "b", "increment_by": 9223372036854775807}'), pg_temp.post('/api/v1/traits/increment-value/', '{}');
SELECT n, pg_temp.post('/api/v1/traits/increment-value/', '{"identifier": "u7", "trait_key": "n", "increment_by": 1}') FROM generate_series(1, 3) n;

-- the environment document
SELECT pg_temp.get('/api/v1/environment-document/'), pg_temp.get('/api/v1/environment-document/', '{"x-environment-key": "ser.no"}');
SELECT body::jsonb = flagsmith.environment_document('client')::jsonb AS same FROM flagsmith.http_get('/api/v1/environment-document/', :'server');
SELECT flagsmith.import_environment(flagsmith.environment_document('client')::jsonb || '{"updated_at": "2030-01-02T03:04:05.678901+00:00"}');
SELECT since, status, length(body) > 0 AS has_body, headers -> 'Last-Modified' AS last_modified, headers ? 'X-Flagsmith-Document-Updated-At' AS tells
FROM unnest('{"Wed, 02 Jan 2030 03:04:05 GMT","Wed, 2 Jan 2030 03:04:05 +0000","Wed, 02 Jan 2030 03:04:04 GMT","2030-01-02T03:04:05Z",nonsense,""}'::text[]) WITH ORDINALITY s (since, n),
	flagsmith.http_get('/api/v1/environment-document/', :'server'::jsonb || jsonb_build_object('if-modified-since', since)) ORDER BY n;
SELECT headers ->> 'ETag' AS etag FROM flagsmith.http_get('/api/v1/environment-document/', :'server') \gset
SELECT status, body FROM flagsmith.http_get('/api/v1/environment-document/', :'server'::jsonb || jsonb_build_object('if-none-match', :'etag'));
-- two changes in one second: whole seconds do not tell them apart, the entity tag does
UPDATE flagsmith.environment SET updated_at = '2020-01-01';
UPDATE flagsmith.environment_change SET changed_at = '2026-01-02 03:04:05.5+00', shares_second = true;
SELECT status FROM flagsmith.http_get('/api/v1/environment-document/', :'server'::jsonb || '{"if-modified-since": "Fri, 02 Jan 2026 03:04:05 GMT"}');
SELECT status FROM flagsmith.http_get('/api/v1/environment-document/', :'server'::jsonb || jsonb_build_object('if-none-match', :'etag'));
-- each kind of change is one of the document
\set reset 'UPDATE flagsmith.environment_change SET changed_at = ''2026-01-02 03:04:05.5+00'';'
\set has_changed 'SELECT updated_at > 1790000000 AS has_changed FROM flagsmith.environments_updated_at(''{client}'');'
:reset
UPDATE flagsmith.feature_state SET enabled = enabled;
UPDATE flagsmith.identity SET traits = traits || '{"x": 1}' WHERE identifier = 'many';
:has_changed
:reset
UPDATE flagsmith.feature_state SET enabled = NOT enabled;
:has_changed
:reset
UPDATE flagsmith.feature_state SET enabled = NOT enabled;
:has_changed
:reset
UPDATE flagsmith.segment SET name = 'professionals';
:has_changed
:reset
UPDATE flagsmith.multivariate_option SET key = 'low';
:has_changed
:reset
UPDATE flagsmith.multivariate_feature_state_value SET percentage_allocation = 99;
:has_changed
:reset
UPDATE flagsmith.feature SET type = NULL WHERE name = 'secret';
:has_changed
:reset
UPDATE flagsmith.environment SET name = 'e';
:has_changed
:reset
UPDATE flagsmith.project SET name = 'q';
:has_changed
:reset
DELETE FROM flagsmith.identity_override;
:has_changed
:reset
INSERT INTO flagsmith.feature_state (environment_id, feature_id, live_from) SELECT environment_id, feature_id, '-infinity' FROM flagsmith.feature_state LIMIT 1;
:has_changed
:reset
TRUNCATE flagsmith.identity_override;
:has_changed
SELECT environment_key FROM flagsmith.environments_updated_at('{client,client,unknown,ser.future}');

-- analytics
SELECT pg_temp.post('/api/v1/analytics/flags/', '{"banner": 2, "price": 1, "unknown": 5, "secret": 1.5, "Dark/mode é": -1}');
SELECT pg_temp.post('/api/v1/analytics/flags/', '{"banner": 3, "price": "1", "secret": true, "Dark/mode é": 99999999999}', '{"x-environment-key": "client", "user-agent": "flagsmith-python-sdk/1", "flagsmith-application-name": "app"}');
SELECT pg_temp.post('/api/v1/analytics/flags/', '[]'), pg_temp.post('/api/v1/analytics/flags/', '{}'), pg_temp.post('/api/v1/analytics/flags/', '{}', '{}');
SELECT feature, count FROM flagsmith.feature_evaluations('client');
SELECT DISTINCT labels FROM flagsmith.feature_evaluation ORDER BY labels;
SELECT pg_temp.post('/api/v2/analytics/flags/', '{"evaluations": [{"feature_name": "banner", "count": 4, "enabled_when_evaluated": true, "identity_identifier": "u1"}, {"feature_name": "unknown", "count": 1, "enabled_when_evaluated": false}]}');
SELECT pg_temp.post('/api/v2/analytics/flags/', body) FROM unnest(ARRAY['{}', '{"evaluations": 1}', '{"evaluations": [{}]}', '{"evaluations": [{"feature_name": "banner", "count": 0, "enabled_when_evaluated": 7, "identity_identifier": null}]}']) WITH ORDINALITY b (body, n) ORDER BY n;
SELECT feature, count FROM flagsmith.feature_evaluations('client', 'hour') WHERE feature = 'banner';
-- hours are those of UTC, wherever the session is
SET timezone = 'Asia/Kolkata';
SELECT pg_temp.post('/api/v1/analytics/flags/', '{"price": 1}');
RESET timezone;
SELECT count(*) FROM flagsmith.feature_evaluation WHERE extract(minute FROM hour AT TIME ZONE 'UTC') <> 0;

-- OFREP
SELECT regexp_replace(pg_temp.post('/ofrep/v1/evaluate/flags', '{"context": {"targetingKey": "u1", "n": null}}', '{"x-api-key": "client"}'), '"version":"\d+"', '"version":"a number"');
SELECT pg_temp.post('/ofrep/v1/evaluate/flags/banner', body, '{"authorization": "bearer client"}') FROM unnest(ARRAY['', '{}', '{"context": {"plan": "pro"}}', '{"context": {"targetingKey": "new", "traits": {"plan": "pro"}}}', '{"context": {"targetingKey": "u4", "plan": "free"}}']) WITH ORDINALITY b (body, n) ORDER BY n;
SELECT pg_temp.post('/ofrep/v1/evaluate/flags/Dark/mode%20%C3%A9', '{}'), pg_temp.post('/ofrep/v1/evaluate/flags/Dark%2Fmode%20%C3%A9', '{}'), pg_temp.post('//ofrep/v1/evaluate/flags/price', '{"context": {"targetingKey": "u1"}}');
SELECT pg_temp.post('/ofrep/v1/evaluate/flags/secret', '{}'), pg_temp.post('/ofrep/v1/evaluate/flags/nope', '{}'), pg_temp.post('/ofrep/v1/evaluate/flags/banner', '{}', '{}');
SELECT body, pg_temp.post('/ofrep/v1/evaluate/flags/banner', body), pg_temp.post('/ofrep/v1/evaluate/flags', body) FROM unnest(ARRAY['{', '[]', '{"context": []}', '{"context": {"targetingKey": {}}}']) WITH ORDINALITY b (body, n) ORDER BY n;
-- the entity tag is of the result: another context has another
SELECT headers ->> 'ETag' AS etag FROM flagsmith.http_post('/ofrep/v1/evaluate/flags', :'client', '{"context": {"targetingKey": "u9", "plan": "pro"}}') \gset
SELECT plan, status, length(body) > 0 AS has_body, headers -> 'Cache-Control' AS cache
FROM unnest('{pro,free}'::text[]) plan, flagsmith.http_post('/ofrep/v1/evaluate/flags', :'client'::jsonb || jsonb_build_object('if-none-match', :'etag'), format('{"context": {"targetingKey": "u9", "plan": "%s"}}', plan));
SELECT count(*) FROM flagsmith.identity WHERE identifier IN ('u9', 'new');

-- no SQL error, whatever comes
SELECT status FROM flagsmith.http_get(NULL, NULL) UNION ALL SELECT status FROM flagsmith.http_post(NULL, NULL, NULL) UNION ALL SELECT status FROM flagsmith.http_get('%', '[]') UNION ALL SELECT status FROM flagsmith.http_post('/api/v1/identities/', '{"x-environment-key": "client", "content-type": 7}', NULL);

DELETE FROM flagsmith.project;
DELETE FROM flagsmith.identity;
SELECT (SELECT count(*) FROM flagsmith.feature_evaluation) AS evaluations, (SELECT count(*) FROM flagsmith.environment_change) AS changes;
