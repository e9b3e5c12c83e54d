DO $phigate$
BEGIN
  -- Whoever is no superuser needs to be a member to give and take what the role owns; taken back at the end.
  IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
     AND EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'phigate_definer') THEN
    EXECUTE pg_catalog.format('GRANT phigate_definer TO %I', current_user);
  END IF;
END
$phigate$;
