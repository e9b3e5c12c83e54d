-- Codes assigned at random, for policies under safe harbor (45 CFR 164.514(c)): one for each key and
-- project (phigate.slot says how projects are numbered). Nobody but the owner of the views
-- reads them. They stay when their key is deleted: a study's codes do not change, and a key that comes
-- back is the same patient.
CREATE TABLE IF NOT EXISTS phigate.code_int2 (
  project int8 NOT NULL, key int2 NOT NULL, code int2 NOT NULL,
  PRIMARY KEY (project, key), UNIQUE (project, code)
);
CREATE TABLE IF NOT EXISTS phigate.code_int (
  project int8 NOT NULL, key int8 NOT NULL, code int4 NOT NULL,
  PRIMARY KEY (project, key), UNIQUE (project, code)
);
CREATE TABLE IF NOT EXISTS phigate.code_uuid (
  project int8 NOT NULL, key uuid NOT NULL, code uuid NOT NULL,
  PRIMARY KEY (project, key), UNIQUE (project, code)
);
CREATE TABLE IF NOT EXISTS phigate.code_text (
  project int8 NOT NULL, key bytea NOT NULL, code text NOT NULL,
  PRIMARY KEY (project, key), UNIQUE (project, code)
);
-- Where keys that need a code are found: queries of one column, key.
CREATE TABLE IF NOT EXISTS phigate.key_source (
  policy text NOT NULL,
  relation oid NOT NULL,
  kind text NOT NULL,
  query text NOT NULL
);
ALTER TABLE phigate.code_int2 OWNER TO phigate_definer;
ALTER TABLE phigate.code_int OWNER TO phigate_definer;
ALTER TABLE phigate.code_uuid OWNER TO phigate_definer;
ALTER TABLE phigate.code_text OWNER TO phigate_definer;
ALTER TABLE phigate.key_source OWNER TO phigate_definer;
REVOKE ALL ON phigate.code_int2, phigate.code_int, phigate.code_uuid, phigate.code_text,
  phigate.key_source FROM PUBLIC;

-- Assigns a code to every key that has none yet, for these projects (as phigate.slot numbers them). A code
-- is drawn until it is free, so that neither its value nor its order tells anything of the key. Says how
-- many, and which relations could not be read (and why, as SQLSTATE; a message could quote a value).
-- One at a time. Waits longer for a lock than others here: nothing waits for it.
CREATE OR REPLACE FUNCTION phigate.assign_codes(projects int8[], OUT assigned bigint, OUT failed text[])
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5min'
AS $phigate$
DECLARE
  source record;
  chosen text;
  missing bigint;
  made bigint;
  of_source bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(7236276, 2);
  assigned := 0;
  failed := '{}';
  FOR source IN SELECT s.kind, s.query, min(s.relation)::regclass AS relation
      FROM phigate.key_source s GROUP BY s.kind, s.query ORDER BY s.kind, s.query LOOP
    chosen := CASE source.kind
      WHEN 'code_int' THEN 'SELECT m.project, m.key,
        CAST(CAST((''x'' || left(CAST(gen_random_uuid() AS text), 8)) AS bit(32)) AS int4) & 2147483647 FROM missing AS m'
      WHEN 'code_uuid' THEN 'SELECT m.project, m.key, gen_random_uuid() FROM missing AS m'
      WHEN 'code_text' THEN 'SELECT m.project, m.key, left(translate(encode(sha256(
        uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), ''base64''), ''+/'', ''Aa''), 16) FROM missing AS m'
      -- There are 65,536 codes of two bytes, and no more keys: of those that are left, any.
      WHEN 'code_int2' THEN 'SELECT m.project, m.key, f.code
        FROM (SELECT m.project, m.key, row_number() OVER (PARTITION BY m.project ORDER BY gen_random_uuid()) AS n
              FROM missing AS m) AS m
        JOIN (SELECT p.project, CAST(g.code AS int2) AS code,
                     row_number() OVER (PARTITION BY p.project ORDER BY gen_random_uuid()) AS n
              FROM unnest($1) AS p(project) CROSS JOIN generate_series(-32768, 32767) AS g(code)
              WHERE NOT EXISTS (SELECT FROM phigate.code_int2 AS c WHERE c.project = p.project AND c.code = g.code)
             ) AS f ON f.project = m.project AND f.n = m.n'
    END;
    of_source := 0;
    BEGIN
      FOR attempt IN 1..100 LOOP
        EXECUTE format(
          'WITH missing AS MATERIALIZED (
             SELECT p.project, k.key FROM (%1$s) AS k CROSS JOIN unnest($1) AS p(project)
             WHERE k.key IS NOT NULL
               AND NOT EXISTS (SELECT FROM phigate.%2$I AS c WHERE c.project = p.project AND c.key = k.key)),
           made AS (INSERT INTO phigate.%2$I (project, key, code) %3$s ON CONFLICT DO NOTHING RETURNING 1)
           SELECT (SELECT count(*) FROM missing), (SELECT count(*) FROM made)',
          source.query, source.kind, chosen)
          INTO missing, made USING $1;
        of_source := of_source + made;
        EXIT WHEN made = missing;
      END LOOP;
      assigned := assigned + of_source;
    EXCEPTION WHEN OTHERS THEN
      failed := failed || format('%s: %s', source.relation, SQLSTATE);
    END;
  END LOOP;
END
$phigate$;
ALTER FUNCTION phigate.assign_codes(int8[]) OWNER TO phigate_definer;
REVOKE ALL ON FUNCTION phigate.assign_codes(int8[]) FROM PUBLIC;

