--
-- What every object of the extension has in common, read from the catalogs, so that new ones
-- are held to it too; and that nothing in a caller's search_path is ever called
--

CREATE VIEW member AS
	SELECT classid, objid, pg_describe_object(classid, objid, 0) AS object
	FROM pg_depend
	WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'flagsmith') AND deptype = 'e';
CREATE VIEW function AS
	SELECT p.oid::regprocedure::text AS function, p.* FROM member JOIN pg_proc p ON p.oid = objid WHERE classid = 'pg_proc'::regclass;
CREATE VIEW relation AS
	SELECT c.oid::regclass::text AS relation, c.* FROM member JOIN pg_class c ON c.oid = objid WHERE classid = 'pg_class'::regclass;

-- the views do find something
SELECT (SELECT count(*) > 30 FROM function) AS functions, (SELECT count(*) > 10 FROM relation WHERE relkind = 'r') AS tables,
	(SELECT count(*) > 8 FROM relation WHERE relkind = 'S') AS sequences, (SELECT count(*) > 0 FROM relation WHERE relkind = 'v') AS views;

-- all lies in the schema of that name, which the extension does not share
SELECT extname, nspname, extrelocatable FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'flagsmith';
SELECT function FROM function WHERE pronamespace <> 'flagsmith'::regnamespace
UNION ALL SELECT relation FROM relation WHERE relnamespace <> 'flagsmith'::regnamespace;
SELECT superuser, trusted FROM pg_available_extension_versions WHERE name = 'flagsmith' AND installed;

-- PUBLIC may call nothing and see nothing
SELECT function FROM function WHERE EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0);
SELECT relation, privilege_type FROM relation, aclexplode(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))) WHERE grantee = 0;
SELECT relation, attname FROM relation r JOIN pg_attribute a ON attrelid = r.oid, aclexplode(attacl) WHERE grantee = 0;
SELECT nspname, privilege_type FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) WHERE nspname = 'flagsmith' AND grantee = 0;

-- every function pins its search_path, with temporary objects last
SELECT function, proconfig FROM function WHERE NOT coalesce(proconfig @> '{"search_path=pg_catalog, pg_temp"}', false);

-- The contract: volatility and parallel safety of what users call.  These functions run with
-- the rights of the extension's owner, as they read tables that their callers cannot.
CREATE TEMP TABLE contract (function text, volatility "char", parallel "char", definer boolean);
INSERT INTO contract VALUES
	('evaluate(json)', 'i', 's', false),
	('import_environment(jsonb,text)', 'v', 'u', true),
	('environment_document(text)', 's', 's', true),
	('get_environment_flags(text)', 's', 's', true),
	('get_identity_flags(text,text,jsonb)', 's', 's', true),
	('is_feature_enabled(text,text,text,jsonb)', 's', 's', true),
	('get_feature_value(text,text,text,jsonb)', 's', 's', true),
	('identity_document(text,text,jsonb)', 's', 's', true),
	('get_identity_segments(text,text,jsonb)', 's', 's', true),
	('is_in_segment(text,text,text,jsonb)', 's', 's', true),
	('set_traits(text,text,jsonb)', 'v', 'u', true),
	('delete_identity(text,text)', 'v', 'u', true),
	('create_server_key(text,text,timestamp with time zone)', 'v', 'u', true),
	('revoke_server_key(text)', 'v', 'u', true);
SELECT c.*, provolatile, proparallel, prosecdef
FROM contract c LEFT JOIN function f ON f.function = 'flagsmith.' || c.function
WHERE (volatility, parallel, definer) IS DISTINCT FROM (provolatile, proparallel, prosecdef);

-- beside these, few have the owner's rights: for HTTP, for a key that is known, and the trigger on attached tables
SELECT function FROM function f WHERE prosecdef AND NOT EXISTS (SELECT FROM contract c WHERE f.function = 'flagsmith.' || c.function) ORDER BY function::text COLLATE "C";

-- what writes, or is a trigger, is VOLATILE and PARALLEL UNSAFE
SELECT function FROM function
WHERE (prosrc ~* '\m(INSERT INTO|UPDATE flagsmith|DELETE FROM|import_[a-z_]+\()' OR prorettype = 'trigger'::regtype) AND (provolatile <> 'v' OR proparallel <> 'u');
-- no function can be called by SQL with a pointer of the caller's making
SELECT function FROM function WHERE prorettype = 'internal'::regtype OR 'internal'::regtype = ANY (proargtypes::oid[]);
-- triggers fire where changes are replicated, too
SELECT tgrelid::regclass, tgname FROM pg_trigger JOIN relation r ON r.oid = tgrelid WHERE NOT tgisinternal AND tgenabled <> 'A';

-- every object has a comment: functions, tables and views, types, the schema, the extension
SELECT object FROM member
WHERE classid IN ('pg_proc'::regclass, 'pg_extension'::regclass) AND obj_description(objid, classid::regclass::name) IS NULL
	OR classid = 'pg_class'::regclass AND obj_description(objid, 'pg_class') IS NULL AND (SELECT relkind FROM pg_class WHERE oid = objid) <> 'S' AND NOT EXISTS (SELECT FROM pg_type WHERE typrelid = objid AND obj_description(oid, 'pg_type') IS NOT NULL)
	OR classid = 'pg_type'::regclass AND obj_description(objid, 'pg_type') IS NULL AND (SELECT typrelid = 0 OR relkind = 'c' FROM pg_type LEFT JOIN pg_class c ON c.oid = typrelid WHERE pg_type.oid = objid) AND NOT EXISTS (SELECT FROM pg_type WHERE typarray = objid);
SELECT obj_description('flagsmith'::regnamespace, 'pg_namespace') IS NOT NULL AS schema,
	obj_description(oid, 'pg_extension') IS NOT NULL AS extension FROM pg_extension WHERE extname = 'flagsmith';

-- every sequence, and every table that can have rows, is dumped with them, but for what tells of this cluster's transactions
SELECT relation FROM relation WHERE relkind IN ('r', 'S', 'p') AND relnatts > 0 AND relation <> 'flagsmith.attached_change' AND NOT oid = ANY ((SELECT extconfig FROM pg_extension WHERE extname = 'flagsmith')::oid[]);
SELECT DISTINCT condition FROM pg_extension, unnest(extcondition) condition WHERE extname = 'flagsmith';

-- a key that refers to another table is indexed
SELECT conrelid::regclass, conname FROM pg_constraint c JOIN relation r ON r.oid = conrelid
WHERE contype = 'f' AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1]);

DROP VIEW member, function, relation;

--
-- A hostile caller: has functions and operators in its path that are better matches than
-- the system's, and tables with the names of the extension's own
--

SELECT flagsmith.import_environment('{
	"api_key": "client", "name": "env", "project": {"id": 1, "name": "p", "server_key_only_feature_ids": [2], "segments": [
		{"id": 10, "name": "pros", "rules": [{"type": "ALL", "conditions": [{"property_": "plan", "operator": "EQUAL", "value": "pro"}]}],
			"feature_states": [{"feature": {"id": 1, "name": "banner"}, "enabled": true, "feature_state_value": "pro", "django_id": 5, "feature_segment": {"priority": 1}}]}]},
	"feature_states": [
		{"feature": {"id": 1, "name": "banner"}, "enabled": true, "feature_state_value": "hello", "django_id": 6, "multivariate_feature_state_values": [
			{"id": 1, "percentage_allocation": 50, "multivariate_feature_option": {"id": 1, "value": "half"}}]},
		{"feature": {"id": 2, "name": "secret"}, "enabled": true, "feature_state_value": "s"}],
	"identity_overrides": [{"identifier": "ann", "identity_features": [{"feature": {"id": 1, "name": "banner"}, "enabled": false, "feature_state_value": "bye"}]}]}');
CREATE TEMP TABLE answer (n serial, call text, answer text);
INSERT INTO answer (call) VALUES
	($$(SELECT array_agg(f) FROM flagsmith.get_environment_flags('client') f)$$), ($$(SELECT array_agg(f) FROM flagsmith.get_identity_flags('client', 'ann', '{"plan": "pro"}') f)$$), ($$(SELECT array_agg(s) FROM flagsmith.get_identity_segments('client', 'bob', '{"plan": "pro"}') s)$$),
	($$flagsmith.is_feature_enabled('client', 'banner', 'ann')$$), ($$flagsmith.get_feature_value('client', 'banner', 'bob')$$), ($$flagsmith.is_in_segment('client', 'pros', 'bob', '{"plan": "pro"}')$$), ($$flagsmith.identity_document('client', 'bob', '{"plan": "pro"}')$$),
	($$flagsmith.evaluate('{"features": {"f": {"name": "f", "enabled": true, "value": 1}}}')$$), ($$flagsmith.set_traits('client', 'bob', '{"a": 1, "b": null}')$$), ($$flagsmith.set_traits('client', 'bob', '{"a": 1}')$$),
	($$flagsmith.import_environment(flagsmith.environment_document('client')::jsonb)$$), ($$flagsmith.environment_document('client')$$), ($$flagsmith.revoke_server_key('ser.x')$$), ($$length(flagsmith.create_server_key('client'))$$),
	($$flagsmith.delete_identity('client', 'bob')$$), ($$flagsmith.delete_identity('client', 'bob')$$);
CREATE FUNCTION pg_temp.answer(call text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE 'SELECT ' || call INTO answer;
	RETURN answer;
END
$$;
DO $$
DECLARE
	asked record;
BEGIN
	FOR asked IN SELECT * FROM answer ORDER BY n LOOP
		UPDATE answer SET answer = pg_temp.answer(asked.call) WHERE n = asked.n;
	END LOOP;
END
$$;

CREATE SCHEMA hostile;
SET search_path = hostile;
CREATE FUNCTION hostile.alarm() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a hostile function was called'; END $$;
-- operators on the very types of the extension's columns
DO $$
DECLARE
	op record;
BEGIN
	FOR op IN SELECT name, a, b FROM pg_catalog.unnest('{=,<>,<,>,<=,>=}'::text[]) name, (VALUES ('bigint', 'bigint'), ('text', 'text'), ('jsonb', 'jsonb'), ('timestamptz', 'timestamptz')) t (a, b)
	LOOP
		EXECUTE pg_catalog.format('CREATE FUNCTION hostile.%I(%s, %s) RETURNS boolean LANGUAGE sql AS $f$ SELECT hostile.alarm() $f$', 'op' || op.name, op.a, op.b);
		EXECUTE pg_catalog.format('CREATE OPERATOR hostile.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = hostile.%I)', op.name, op.a, op.b, 'op' || op.name);
	END LOOP;
END
$$;
CREATE FUNCTION hostile.oops(jsonb, text) RETURNS jsonb LANGUAGE sql AS $$ SELECT CASE WHEN hostile.alarm() THEN $1 END $$;
CREATE OPERATOR hostile.-> (LEFTARG = jsonb, RIGHTARG = text, FUNCTION = hostile.oops);
CREATE OPERATOR hostile.- (LEFTARG = jsonb, RIGHTARG = text, FUNCTION = hostile.oops);
CREATE FUNCTION hostile.oops2(jsonb, jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT CASE WHEN hostile.alarm() THEN $1 END $$;
CREATE OPERATOR hostile.|| (LEFTARG = jsonb, RIGHTARG = jsonb, FUNCTION = hostile.oops2);
CREATE FUNCTION hostile.oops3(jsonb, text) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN hostile.alarm() THEN '' END $$;
CREATE OPERATOR hostile.->> (LEFTARG = jsonb, RIGHTARG = text, FUNCTION = hostile.oops3);
CREATE FUNCTION hostile.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT CASE WHEN hostile.alarm() THEN NULL::timestamptz END $$;
CREATE FUNCTION hostile.lower(text) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN hostile.alarm() THEN '' END $$;
CREATE FUNCTION hostile.jsonb_each(jsonb, OUT key text, OUT value jsonb) RETURNS SETOF record LANGUAGE sql AS $$ SELECT '', $1 WHERE hostile.alarm() $$;
CREATE FUNCTION hostile.environment_id(text) RETURNS bigint LANGUAGE sql AS $$ SELECT CASE WHEN hostile.alarm() THEN 1::bigint END $$;
CREATE FUNCTION hostile.random_server_key() RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN hostile.alarm() THEN '' END $$;
CREATE TABLE hostile.environment AS SELECT 'wrong' AS api_key;
CREATE TABLE hostile.environment_key (key text);
CREATE TABLE hostile.identity (identifier text);
CREATE TABLE hostile.feature_state ();
CREATE TEMP TABLE environment (id bigint, api_key text);
CREATE TEMP TABLE live_feature_state ();
CREATE TYPE hostile.flag AS (wrong text);
SET search_path = hostile, pg_temp, flagsmith, pg_catalog;

-- it would indeed be called
SELECT now() IS NULL;
SELECT 1::bigint = 1::bigint;

DO $$
DECLARE
	asked record;
	got text;
BEGIN
	FOR asked IN SELECT * FROM pg_temp.answer ORDER BY n LOOP
		got := pg_temp.answer(asked.call);
		IF got OPERATOR(pg_catalog.<>) asked.answer OR (got IS NULL) OPERATOR(pg_catalog.<>) (asked.answer IS NULL) THEN
			RAISE NOTICE '%: % is not %', asked.call, got, asked.answer;
		END IF;
	END LOOP;
END
$$;
-- in a session that calls the extension for the first time with such a path
\c -
SET client_min_messages = warning;
SET search_path = hostile, flagsmith, pg_catalog;
SELECT feature, enabled, value FROM flagsmith.get_identity_flags('client', 'ann');
SELECT flagsmith.set_traits('client', 'carl', '{"plan": "pro"}');
RESET search_path;
SELECT feature, value, reason FROM flagsmith.get_identity_flags('client', 'carl');

-- a role with EXECUTE on what it needs reads no table, and finds no way around
CREATE ROLE regress_flagsmith_api;
GRANT USAGE ON SCHEMA flagsmith TO regress_flagsmith_api;
GRANT EXECUTE ON FUNCTION flagsmith.get_identity_flags(text, text, jsonb), flagsmith.set_traits(text, text, jsonb), flagsmith.environment_document(text) TO regress_flagsmith_api;
SET ROLE regress_flagsmith_api;
SELECT feature, value FROM flagsmith.get_identity_flags('client', 'ann');
SELECT flagsmith.set_traits('client', 'ann', '{"a": 1}');
SELECT flagsmith.environment_document('client') ->> 'name' AS name;
SELECT api_key FROM flagsmith.environment;
SELECT traits FROM flagsmith.identity;
SELECT count(*) FROM flagsmith.live_feature_state;
SELECT nextval('flagsmith.environment_id_seq');
SELECT flagsmith.import_environment('{}');
SELECT flagsmith.environment_context('client');
SELECT flagsmith.random_server_key();
RESET ROLE;
DROP OWNED BY regress_flagsmith_api;
DROP ROLE regress_flagsmith_api;

DROP SCHEMA hostile CASCADE;
DELETE FROM flagsmith.project;
DELETE FROM flagsmith.identity;
