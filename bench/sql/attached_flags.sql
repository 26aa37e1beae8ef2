\set identifier random(1, :count)
SELECT * FROM flagsmith.get_identity_flags('env', :identifier);
