\set identifier random(1, :count)
SELECT flagsmith.is_feature_enabled('env', 'feature_1', :identifier);
