UPDATE flagsmith.feature_state s SET enabled = NOT s.enabled
FROM flagsmith.feature f
WHERE f.id = s.feature_id AND f.name = 'feature_20' AND s.environment_id = :environment AND s.segment_id IS NULL;
