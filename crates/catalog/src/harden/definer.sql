
-- Whoever owns the views reads the base tables for them, and cannot log in.
DO $phigate$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'phigate_definer') THEN
    CREATE ROLE phigate_definer NOLOGIN;
  END IF;
END
$phigate$;
