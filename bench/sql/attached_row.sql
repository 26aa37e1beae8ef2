\set identifier random(1, :count)
SELECT * FROM app.environments_identity WHERE id = 1000 + :identifier;
