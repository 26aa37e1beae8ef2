\set identifier random(1, :count)
SELECT flagsmith.identity_document('env', :identifier);
