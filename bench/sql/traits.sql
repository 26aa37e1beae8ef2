\set identifier random(1, :count)
SELECT traits FROM flagsmith.identity WHERE environment_id = :environment AND identifier = :identifier;
