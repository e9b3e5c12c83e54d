-- Gone with the session that runs this.
CREATE OR REPLACE FUNCTION pg_temp.phigate_role(role name) RETURNS void LANGUAGE plpgsql AS $phigate$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role) THEN
    EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', role);
  END IF;
END
$phigate$;
CREATE OR REPLACE FUNCTION pg_temp.phigate_login(login name, role name, of_policy text, writing boolean, verifier text)
RETURNS void LANGUAGE plpgsql AS $phigate$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = login) THEN
    EXECUTE pg_catalog.format('CREATE ROLE %I LOGIN', login);
  END IF;
  EXECUTE pg_catalog.format('ALTER ROLE %I LOGIN PASSWORD %L', login, verifier);
  IF NOT pg_catalog.pg_has_role(login, role, 'MEMBER') THEN
    EXECUTE pg_catalog.format('GRANT %I TO %I', role, login);
  END IF;
  INSERT INTO phigate.login VALUES (login, of_policy, writing) ON CONFLICT DO NOTHING;
END
$phigate$;
-- Makes one view anew, unless it is there and made of the same.
CREATE OR REPLACE FUNCTION pg_temp.phigate_view(of_policy text, base oid, base_name text, shown_columns jsonb,
  is_barrier boolean, writes boolean, made_of text, body text, own_body text) RETURNS void
LANGUAGE plpgsql AS $phigate$
DECLARE
  p phigate.policy;
  made oid;
  own oid;
  name text := 'r' || base;
  sequence regclass;
BEGIN
  SELECT * INTO STRICT p FROM phigate.policy h WHERE h.policy = of_policy;
  IF pg_catalog.to_regclass(base_name) IS DISTINCT FROM base::regclass THEN
    RAISE EXCEPTION '% is not the relation it was when this was written', base_name
      USING HINT = 'run phictl database harden again';
  END IF;
  SELECT c.oid INTO made FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = p.schema AND c.relname = name;
  SELECT c.oid INTO own FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = p.schema AND c.relname = name || '_only';
  IF EXISTS (SELECT FROM phigate.masked m
             WHERE m.policy = of_policy AND m.relation = base AND m.fingerprint = made_of
               AND m.view = made AND m.own_rows IS NOT DISTINCT FROM own
               AND (own_body IS NULL) = (own IS NULL)) THEN
    RETURN;
  END IF;
  EXECUTE pg_catalog.format('DROP VIEW IF EXISTS %I.%I, %I.%I', p.schema, name, p.schema, name || '_only');
  EXECUTE pg_catalog.format('CREATE VIEW %I.%I WITH (security_barrier = %s) AS %s', p.schema, name, is_barrier, body);
  made := pg_catalog.to_regclass(pg_catalog.format('%I.%I', p.schema, name));
  own := NULL;
  IF own_body IS NOT NULL THEN
    EXECUTE pg_catalog.format('CREATE VIEW %I.%I WITH (security_barrier = %s) AS %s', p.schema, name || '_only', is_barrier, own_body);
    own := pg_catalog.to_regclass(pg_catalog.format('%I.%I', p.schema, name || '_only'));
  END IF;
  FOREACH name IN ARRAY CASE WHEN own IS NULL THEN ARRAY[name] ELSE ARRAY[name, name || '_only'] END LOOP
    EXECUTE pg_catalog.format('ALTER VIEW %I.%I OWNER TO phigate_definer', p.schema, name);
    EXECUTE pg_catalog.format('REVOKE ALL ON %I.%I FROM PUBLIC', p.schema, name);
    EXECUTE pg_catalog.format('GRANT SELECT ON %I.%I TO %I', p.schema, name, p.reader);
    IF writes THEN
      EXECUTE pg_catalog.format('GRANT INSERT, UPDATE, DELETE ON %I.%I TO %I', p.schema, name, p.writer);
    END IF;
  END LOOP;
  IF writes THEN
    -- A serial column's default is computed as whoever inserts.
    FOR sequence IN SELECT d.objid::regclass FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class c ON c.oid = d.objid
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
          AND d.refobjid = base AND d.deptype = 'a' AND c.relkind = 'S' LOOP
      EXECUTE pg_catalog.format('GRANT USAGE ON SEQUENCE %s TO %I', sequence, p.writer);
    END LOOP;
  END IF;
  INSERT INTO phigate.masked VALUES (of_policy, base, made, own, made_of, shown_columns, pg_catalog.now())
    ON CONFLICT (policy, relation) DO UPDATE SET view = excluded.view, own_rows = excluded.own_rows,
      fingerprint = excluded.fingerprint, columns = excluded.columns, hardened_at = excluded.hardened_at;
END
$phigate$;
-- Drops the views of relations that are not there any more, or of which nothing is released now.
CREATE OR REPLACE FUNCTION pg_temp.phigate_keep(of_policy text, relations oid[]) RETURNS void
LANGUAGE plpgsql AS $phigate$
DECLARE
  gone text;
BEGIN
  FOR gone IN SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
      FROM phigate.policy p JOIN pg_catalog.pg_namespace n ON n.nspname = p.schema
      JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind = 'v'
      WHERE p.policy = of_policy
        AND NOT EXISTS (SELECT FROM pg_catalog.unnest(relations) AS kept(relation)
                        WHERE c.relname IN ('r' || kept.relation, 'r' || kept.relation || '_only')) LOOP
    EXECUTE 'DROP VIEW ' || gone;
  END LOOP;
  DELETE FROM phigate.masked m WHERE m.policy = of_policy AND m.relation <> ALL (relations);
END
$phigate$;
