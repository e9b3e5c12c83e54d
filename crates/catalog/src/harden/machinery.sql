
-- What every policy shares.
CREATE SCHEMA IF NOT EXISTS phigate;
ALTER SCHEMA phigate OWNER TO phigate_definer;
REVOKE ALL ON SCHEMA phigate FROM PUBLIC;

-- Which policies are here, and by which roles they are reached.
CREATE TABLE IF NOT EXISTS phigate.policy (
  policy text PRIMARY KEY,
  profile text NOT NULL,
  schema name NOT NULL,
  reader name NOT NULL,
  writer name NOT NULL
);
-- Which view stands for which relation, and what it was made of.
CREATE TABLE IF NOT EXISTS phigate.masked (
  policy text NOT NULL,
  relation oid NOT NULL,
  view oid NOT NULL,
  own_rows oid,
  fingerprint text NOT NULL,
  columns jsonb NOT NULL,
  hardened_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  PRIMARY KEY (policy, relation)
);
-- The logins that sessions may be given.
CREATE TABLE IF NOT EXISTS phigate.login (
  login name PRIMARY KEY,
  policy text NOT NULL,
  writes boolean NOT NULL
);
-- What a login is given to: keys and a date that masked views read by session_user. Unlogged, so
-- that no key is in the write-ahead log or its archive; a crash ends every assignment.
CREATE UNLOGGED TABLE IF NOT EXISTS phigate.slot (
  login name PRIMARY KEY,
  assignment text NOT NULL,
  as_of date NOT NULL,
  k_code_inner bytea NOT NULL,
  k_code_outer bytea NOT NULL,
  k_integer bytea NOT NULL,
  k_days bytea NOT NULL,
  assigned_at timestamptz NOT NULL,
  -- Whose codes: the first bytes of a hash of one of its keys. NULL but under safe harbor.
  project int8
);
-- No key in the statistics either, which are logged.
ALTER TABLE phigate.slot ALTER COLUMN k_code_inner SET STATISTICS 0, ALTER COLUMN k_code_outer SET STATISTICS 0,
  ALTER COLUMN k_integer SET STATISTICS 0, ALTER COLUMN k_days SET STATISTICS 0;
ALTER TABLE phigate.policy OWNER TO phigate_definer;
ALTER TABLE phigate.masked OWNER TO phigate_definer;
ALTER TABLE phigate.login OWNER TO phigate_definer;
ALTER TABLE phigate.slot OWNER TO phigate_definer;
REVOKE ALL ON phigate.policy, phigate.masked, phigate.login, phigate.slot FROM PUBLIC;

-- Gives an assignment (a grant's keys, date and patients) a login: the one that has it already, else
-- one that nobody uses. 53300 where all are in use, 42704 where the policy has none.
CREATE OR REPLACE FUNCTION phigate.assign(policy text, assignment text, as_of date, keys bytea[],
  patients text[], writes boolean) RETURNS name
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s'
AS $phigate$
DECLARE
  chosen name;
  codes_of int8;
BEGIN
  IF $1 IS NULL OR $2 IS NULL OR $3 IS NULL OR $6 IS NULL OR cardinality($4) IS DISTINCT FROM 4
     OR array_position($4, NULL) IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = 'an assignment has a policy, a name, a date and four keys';
  END IF;
  IF EXISTS (SELECT FROM phigate.policy p WHERE p.policy = $1 AND p.profile = 'safe_harbor') THEN
    codes_of := CAST(CAST('x' || encode(substr(sha256($4[3]), 1, 8), 'hex') AS bit(64)) AS int8);
  END IF;
  -- One at a time, and not while a session asks what it was given; masked views read on.
  LOCK TABLE phigate.slot IN EXCLUSIVE MODE;
  SELECT s.login INTO chosen FROM phigate.slot s JOIN phigate.login l ON l.login = s.login
    WHERE l.policy = $1 AND l.writes = $6 AND s.assignment = $2;
  IF FOUND THEN
    UPDATE phigate.slot s SET assigned_at = clock_timestamp(), project = codes_of WHERE s.login = chosen;
    RETURN chosen;
  END IF;
  SELECT l.login INTO chosen FROM phigate.login l LEFT JOIN phigate.slot s ON s.login = l.login
    WHERE l.policy = $1 AND l.writes = $6
      AND (s.login IS NULL
           OR s.assigned_at < clock_timestamp() - interval '60 seconds'
              AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.usename = l.login))
    ORDER BY s.assigned_at NULLS FIRST, l.login LIMIT 1;
  IF NOT FOUND THEN
    IF EXISTS (SELECT FROM phigate.login l WHERE l.policy = $1 AND l.writes = $6) THEN
      RAISE EXCEPTION USING ERRCODE = 'too_many_connections',
        MESSAGE = 'every login of the policy is in use', HINT = 'harden the database with more --slots';
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'undefined_object', MESSAGE = 'the policy has no login';
  END IF;
  DELETE FROM phigate.slot s WHERE s.login = chosen;
  DELETE FROM phigate.patient p
    WHERE NOT EXISTS (SELECT FROM phigate.slot s WHERE s.assignment = p.assignment);
  INSERT INTO phigate.slot (login, assignment, as_of, k_code_inner, k_code_outer, k_integer, k_days, assigned_at, project)
    VALUES (chosen, $2, $3, $4[1], $4[2], $4[3], $4[4], clock_timestamp(), codes_of);
  INSERT INTO phigate.patient SELECT $2, listed.patient FROM unnest($5) AS listed(patient)
    WHERE listed.patient IS NOT NULL ON CONFLICT DO NOTHING;
  IF cardinality($5) > 0 THEN
    -- How long lists are decides how every masked view is joined; autovacuum would tell a minute later.
    ANALYZE (SKIP_LOCKED) phigate.patient;
  END IF;
  RETURN chosen;
END
$phigate$;
ALTER FUNCTION phigate.assign(text, text, date, bytea[], text[], boolean) OWNER TO phigate_definer;
REVOKE ALL ON FUNCTION phigate.assign(text, text, date, bytea[], text[], boolean) FROM PUBLIC;

-- The assignment of the session's own login. Waits for an assign that is under way: afterwards the
-- session is in pg_stat_activity for every later one, which leaves its login alone.
CREATE OR REPLACE FUNCTION phigate.assigned() RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s'
AS $phigate$
BEGIN
  LOCK TABLE phigate.slot IN ROW SHARE MODE;
  RETURN (SELECT s.assignment FROM phigate.slot s WHERE s.login = session_user);
END
$phigate$;
ALTER FUNCTION phigate.assigned() OWNER TO phigate_definer;
REVOKE ALL ON FUNCTION phigate.assigned() FROM PUBLIC;

-- Tells gateways of DDL at once, instead of at their next question. Stays with whoever makes it:
-- it runs as whoever changes the schema.
CREATE OR REPLACE FUNCTION phigate.announce() RETURNS event_trigger LANGUAGE plpgsql
AS $phigate$
DECLARE
  lasting boolean;
BEGIN
  IF TG_EVENT OPERATOR(pg_catalog.=) 'sql_drop' THEN
    lasting := EXISTS (SELECT FROM pg_catalog.pg_event_trigger_dropped_objects() o WHERE NOT o.is_temporary);
  ELSE
    lasting := EXISTS (SELECT FROM pg_catalog.pg_event_trigger_ddl_commands() o
                       WHERE (o.schema_name OPERATOR(pg_catalog.=) 'pg_temp') IS NOT TRUE);
  END IF;
  IF lasting THEN
    PERFORM pg_catalog.pg_notify('phigate_catalog', '');
  END IF;
END
$phigate$;
DO $phigate$
BEGIN
  IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
    RAISE WARNING 'event triggers need a superuser: gateways see changes of the schema a second later';
    RETURN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE evtname = 'phigate_ddl') THEN
    CREATE EVENT TRIGGER phigate_ddl ON ddl_command_end EXECUTE FUNCTION phigate.announce();
  END IF;
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE evtname = 'phigate_drop') THEN
    CREATE EVENT TRIGGER phigate_drop ON sql_drop EXECUTE FUNCTION phigate.announce();
  END IF;
END
$phigate$;
