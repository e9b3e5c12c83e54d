-- Every row once more, in the order of a hash of it. Emptied by TRUNCATE, so that no file grows.
DO $$ DECLARE
  tables regclass[] := ARRAY(SELECT oid::regclass FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r');
  t regclass;
BEGIN
  FOREACH t IN ARRAY tables LOOP
    EXECUTE format('CREATE TEMP TABLE moved_%s AS SELECT * FROM %s', t::oid, t);
  END LOOP;
  EXECUTE 'TRUNCATE ' || array_to_string(tables, ', ');
  FOREACH t IN ARRAY tables LOOP
    EXECUTE format('INSERT INTO %s SELECT * FROM moved_%s AS m ORDER BY md5(m::text || ''@SALT@'')', t, t::oid);
    EXECUTE format('DROP TABLE moved_%s', t::oid);
  END LOOP;
END $$
