-- :count identities with six traits in the environment whose key is :key.  Identifiers are
-- numbers: pgbench makes random ones without a function in between.
INSERT INTO flagsmith.identity (environment_id, identifier, traits)
SELECT e.id, i::text, jsonb_build_object(
	'plan', (ARRAY['free', 'pro', 'business'])[1 + i % 3],
	'age', 18 + i * 7919 % 60,
	'country', (ARRAY['AT', 'CH', 'DE', 'DK', 'FI', 'FR', 'NL', 'NO', 'PL', 'SE'])[1 + i / 3 % 10],
	'app_version', format('%s.%s.%s', 1 + i % 5, i / 5 % 8, i / 40 % 10),
	'email', format('user%s@example.com', i),
	'score', round((i * 31 % 1000) / 10.0, 1))
FROM flagsmith.environment e, generate_series(1::bigint, :count) i
WHERE e.api_key = :'key';
