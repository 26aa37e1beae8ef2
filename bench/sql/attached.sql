-- A Flagsmith's tables with an environment of the standard size, and as many identities as :count
-- says, with the traits that identities.sql gives them. Ids of identities follow their numbers.
CREATE SCHEMA app;
SET search_path = app;
\i test/fixtures/flagsmith.sql
SET session_replication_role = replica; -- foreign keys are not what is measured

INSERT INTO features_feature (id, name, created_date, project_id, default_enabled, type, is_archived, is_server_key_only)
SELECT 100 + n, 'feature_' || n, '2026-01-01', 1, false, CASE WHEN n % 10 = 0 THEN 'MULTIVARIATE' ELSE 'STANDARD' END, false, false
FROM generate_series(1, 48) n;
INSERT INTO segments_segment (id, name, project_id, version, version_of_id)
SELECT 100 + n, 'segment ' || n, 1, 1, 100 + n FROM generate_series(1, 19) n;
INSERT INTO segments_segmentrule (id, type, rule_id, segment_id)
SELECT 100 + n, 'ALL', NULL, 100 + n FROM generate_series(1, 19) n;
INSERT INTO segments_condition (id, operator, property, value, rule_id)
SELECT 100 + 3 * n + c.number, c.operator, c.property, c.value, 100 + n
FROM generate_series(1, 19) n, (VALUES (0, 'EQUAL', 'plan', 'pro'), (1, 'GREATER_THAN', 'age', '30'), (2, 'IN', 'country', 'DE,FR,IT')) c (number, operator, property, value);
INSERT INTO features_featuresegment (id, priority, enabled, feature_id, segment_id, environment_id)
SELECT 100 + 2 * n + s, s, false, 100 + n, 100 + (2 * n + s) % 19 + 1, 1 FROM generate_series(1, 10) n, generate_series(0, 1) s;
INSERT INTO features_featurestate (id, enabled, environment_id, feature_id, feature_segment_id, live_from, version, updated_at)
SELECT 100 + n, n % 2 = 0, 1, 100 + n, NULL::integer, '2026-01-01'::timestamptz, 1, '2026-01-01'::timestamptz FROM generate_series(1, 48) n
UNION ALL
SELECT 200 + id, true, 1, feature_id, id, '2026-01-01', 1, '2026-01-01' FROM features_featuresegment WHERE id > 100;
INSERT INTO features_featurestatevalue (id, type, string_value, feature_state_id)
SELECT 1000 + id, 'unicode', 'value ' || id, id FROM features_featurestate WHERE id > 100;
INSERT INTO multivariate_multivariatefeatureoption (id, type, string_value, default_percentage_allocation, feature_id, key)
SELECT 100 + id, 'unicode', 'variant', 50, id, 'variant' FROM features_feature WHERE id > 100 AND type = 'MULTIVARIATE';
INSERT INTO multivariate_multivariatefeaturestatevalue (id, percentage_allocation, feature_state_id, multivariate_feature_option_id)
SELECT 1000 + s.id, 50, s.id, 100 + s.feature_id FROM features_featurestate s JOIN features_feature f ON f.id = s.feature_id
WHERE s.id > 100 AND f.type = 'MULTIVARIATE';

INSERT INTO environments_identity (id, identifier, created_date, environment_id, system_traits)
SELECT 1000 + n, n, '2026-01-01', 1, '{}' FROM generate_series(1, :count) n;
INSERT INTO environments_trait (identity_id, trait_key, value_type, string_value, integer_value, boolean_value, float_value, created_date)
SELECT 1000 + n, t.* , '2026-01-01'
FROM generate_series(1, :count) n, LATERAL (VALUES
	('plan', 'unicode', (ARRAY['free', 'basic', 'pro', 'enterprise'])[n % 4 + 1], NULL::integer, NULL::boolean, NULL::float8),
	('age', 'int', NULL, 18 + n % 60, NULL, NULL),
	('country', 'unicode', (ARRAY['DE', 'FR', 'IT', 'US', 'GB'])[n % 5 + 1], NULL, NULL, NULL),
	('beta', 'bool', NULL, NULL, n % 2 = 0, NULL),
	('score', 'float', NULL, NULL, NULL, n / 7.0),
	('email', 'unicode', 'user' || n || '@example.test', NULL, NULL, NULL)) t;
RESET session_replication_role;
RESET search_path;
VACUUM (ANALYZE, FREEZE);
SELECT flagsmith.attach('app');
