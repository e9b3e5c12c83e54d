DO $phigate$
BEGIN
  IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
     AND EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'phigate_definer') THEN
    EXECUTE pg_catalog.format('REVOKE phigate_definer FROM %I', current_user);
  END IF;
END
$phigate$;
