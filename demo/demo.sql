\echo
\echo ======== 1. What the import brought ========
SELECT e.name AS environment, p.name AS project,
    (SELECT count(*) FROM flagsmith.feature) AS features,
    (SELECT count(*) FROM flagsmith.segment) AS segments,
    (SELECT count(*) FROM flagsmith.identity_override) AS identity_overrides
FROM flagsmith.environment e JOIN flagsmith.project p ON p.id = e.project_id;

-- the flags as they are for nobody in particular; the twelfth, fraud_score_limit, is for servers only
SELECT * FROM flagsmith.get_environment_flags('leaf-and-kettle');

\echo
\echo ======== 2. A visitor of whom nothing is known ========
-- SPLIT: a hash of the identifier picks the variant; it stays the same with nothing stored
SELECT feature, enabled, value, variant, reason
FROM flagsmith.get_identity_flags('leaf-and-kettle', 'visitor-101');

-- do visitors spread as the weights, 30 and 20 percent, say?
SELECT flag.variant, flag.value, count(*) AS visitors
FROM generate_series(1, 1000) n,
    flagsmith.get_identity_flags('leaf-and-kettle', 'visitor-' || n) flag
WHERE flag.feature = 'checkout_button'
GROUP BY 1, 2 ORDER BY 3 DESC;

\echo
\echo ======== 3. Astrid, a pro customer: traits put her into segments ========
SELECT flagsmith.set_traits('leaf-and-kettle', 'astrid',
    '{"plan": "pro", "country": "SE", "orders": 73, "phone": "+46 31 390 06 50"}');

-- merged with what is stored; null would remove a trait
SELECT flagsmith.set_traits('leaf-and-kettle', 'astrid', '{"orders": 74}');

SELECT * FROM flagsmith.get_identity_segments('leaf-and-kettle', 'astrid');

-- Both pro_customers and nordic_half say where free shipping starts: the first in priority wins.
-- And courier_delivery follows another flag: fast_lane asks whether express_checkout is enabled.
SELECT feature, enabled, value, variant, reason
FROM flagsmith.get_identity_flags('leaf-and-kettle', 'astrid')
WHERE reason LIKE 'TARGETING_MATCH%';

-- what if she left the pro plan?  Traits given here count for this call only
SELECT feature, enabled, value, reason
FROM flagsmith.get_identity_flags('leaf-and-kettle', 'astrid', '{"plan": "free", "orders": 3}')
WHERE feature IN ('free_shipping_from', 'loyalty_factor');

\echo
\echo ======== 4. Kim, a beta tester: 2.10.0 is more than 2.4.0 ========
SELECT flagsmith.set_traits('leaf-and-kettle', 'kim',
    '{"email": "kim+beta@example.com", "app_version": "2.10.0", "customer_no": 1045}');

SELECT string_agg(name, ', ') AS segments FROM flagsmith.get_identity_segments('leaf-and-kettle', 'kim');

SELECT feature, enabled, value, variant, reason
FROM flagsmith.get_identity_flags('leaf-and-kettle', 'kim')
WHERE feature IN ('photo_search', 'recommendations', 'tasting_survey');

SELECT version, flagsmith.is_feature_enabled('leaf-and-kettle', 'photo_search', 'kim',
    jsonb_build_object('app_version', version)) AS photo_search
FROM unnest('{2.3.9,2.4.0-beta.2,2.4.0-rc.1,2.4.0,2.10.0}'::text[]) version;

\echo
\echo ======== 5. Overrides for one: Lena has a birthday ========
SELECT feature, value, variant, reason
FROM flagsmith.get_identity_flags('leaf-and-kettle', 'lena')
WHERE feature IN ('welcome_banner', 'checkout_button');

-- staff are known by how their identifiers look; an override takes the right from one of them
SELECT identifier, flagsmith.is_feature_enabled('leaf-and-kettle', 'stock_editor', identifier) AS stock_editor
FROM unnest('{astrid,staff-7,staff-12}'::text[]) identifier;

\echo
\echo ======== 6. Flags in queries ========
CREATE TABLE customer (name text PRIMARY KEY, country text, plan text);
INSERT INTO customer VALUES ('astrid', 'SE', 'pro'), ('bo', 'DK', 'free'), ('cleo', 'NO', 'free'),
    ('dan', 'FI', 'free'), ('eve', 'FR', 'business'), ('kim', 'DE', 'free'), ('lena', 'AT', 'free');
CREATE TABLE basket (id int PRIMARY KEY, customer text REFERENCES customer, total numeric(6, 2));
INSERT INTO basket VALUES (101, 'astrid', 8.40), (102, 'bo', 31.00), (103, 'cleo', 31.00),
    (104, 'eve', 12.75), (105, 'kim', 44.90), (106, 'astrid', 27.30);

\echo
-- which baskets can a courier bring today?
SELECT * FROM basket
WHERE flagsmith.is_feature_enabled('leaf-and-kettle', 'courier_delivery', customer);

-- who ships for free, with traits from the shop's own table
SELECT b.id, c.name, c.country, b.total, shipping.free_from, b.total >= shipping.free_from AS free
FROM basket b JOIN customer c ON c.name = b.customer,
    LATERAL (SELECT flagsmith.get_feature_value('leaf-and-kettle', 'free_shipping_from', c.name,
        to_jsonb(c))::numeric AS free_from) shipping
ORDER BY b.id;

-- a segment as a filter over a table
SELECT name, country, plan FROM customer c
WHERE flagsmith.is_in_segment('leaf-and-kettle', 'nordic_half', name, to_jsonb(c));

\echo
\echo ======== 7. A flag is a row: changing one is an UPDATE ========
UPDATE flagsmith.feature_state s SET enabled = true, value = '"round the clock"'
FROM flagsmith.feature f
WHERE f.id = s.feature_id AND f.name = 'live_chat' AND s.segment_id IS NULL;

\echo
-- the next statement sees it, through whichever connection it comes
SELECT flagsmith.is_feature_enabled('leaf-and-kettle', 'live_chat') AS live_chat,
    flagsmith.get_feature_value('leaf-and-kettle', 'live_chat') AS value;

-- and what is rolled back never was
BEGIN;
UPDATE flagsmith.feature_state SET enabled = false;
SELECT count(*) FILTER (WHERE enabled) AS on, count(*) FILTER (WHERE NOT enabled) AS off
FROM flagsmith.get_identity_flags('leaf-and-kettle', 'astrid');
ROLLBACK;
SELECT count(*) FILTER (WHERE enabled) AS on, count(*) FILTER (WHERE NOT enabled) AS off
FROM flagsmith.get_identity_flags('leaf-and-kettle', 'astrid');

\echo
\echo ======== 8. For API servers: a whole answer as one document ========
SELECT length(document::text) AS bytes, left(document::text, 80) || '...' AS identity_document
FROM flagsmith.identity_document('leaf-and-kettle', 'kim') document;

-- one of its flags
SELECT jsonb_pretty(document::jsonb #> '{flags,5}') AS flag
FROM flagsmith.identity_document('leaf-and-kettle', 'kim') document;

-- and what SDKs evaluate locally on: the document of the environment, from the tables
SELECT length(document::text) AS bytes, json_array_length(document -> 'feature_states') AS feature_states,
    json_array_length(document #> '{project,segments}') AS segments,
    json_array_length(document -> 'identity_overrides') AS identities
FROM flagsmith.environment_document('leaf-and-kettle') document;

\echo
\echo ======== 9. Keys for servers see more than keys in browsers ========
SELECT flagsmith.create_server_key('leaf-and-kettle', 'order service') AS server_key \gset
SELECT left(:'server_key', 4) || '...' AS server_key;

SELECT flagsmith.get_feature_value(:'server_key', 'fraud_score_limit') AS fraud_score_limit,
    (SELECT count(*) FROM flagsmith.get_environment_flags(:'server_key')) AS flags_for_servers,
    (SELECT count(*) FROM flagsmith.get_environment_flags('leaf-and-kettle')) AS flags_for_browsers;

SELECT flagsmith.revoke_server_key(:'server_key') AS revoked;

-- a revoked key opens nothing
\set ON_ERROR_STOP off
SELECT count(*) FROM flagsmith.get_environment_flags(:'server_key');
\set ON_ERROR_STOP on

\echo
\echo ======== 10. The engine alone: a context in, a result out, no table read ========
SELECT jsonb_pretty(flagsmith.evaluate('{
  "environment": {"key": "try", "name": "Try"},
  "identity": {"identifier": "ada", "traits": {"cups_a_day": 5}},
  "features": {"refill": {"key": "1", "name": "refill", "enabled": false, "value": null}},
  "segments": {"1": {"key": "1", "name": "tea_lovers",
    "rules": [{"type": "ALL", "conditions":
      [{"property": "cups_a_day", "operator": "GREATER_THAN", "value": "3"}]}],
    "overrides": [{"key": "2", "name": "refill", "enabled": true, "value": "free"}]}}
}')::jsonb) AS result;
