DO $phigate$
DECLARE
  role name;
BEGIN
  IF pg_catalog.to_regclass('phigate.policy') IS NULL THEN
    RETURN;
  END IF;
  FOR role IN SELECT l.login FROM phigate.login l JOIN phigate.policy p ON p.policy = l.policy @CHOSEN@
              UNION ALL SELECT p.writer FROM phigate.policy p @CHOSEN@
              UNION ALL SELECT p.reader FROM phigate.policy p @CHOSEN@ LOOP
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role) THEN
      IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
        EXECUTE pg_catalog.format('GRANT %I TO %I', role, current_user);
      END IF;
      EXECUTE pg_catalog.format('DROP OWNED BY %I', role);
      EXECUTE pg_catalog.format('DROP ROLE %I', role);
    END IF;
  END LOOP;
  FOR role IN SELECT p.schema FROM phigate.policy p @CHOSEN@ LOOP
    EXECUTE pg_catalog.format('DROP SCHEMA IF EXISTS %I CASCADE', role);
  END LOOP;
END
$phigate$;
