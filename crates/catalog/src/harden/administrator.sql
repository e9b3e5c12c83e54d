
-- What an administrator who is no superuser needs, all of it said at once.
DO $phigate$
DECLARE
  lacks text[];
BEGIN
  IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
    RETURN;
  END IF;
  SELECT pg_catalog.array_agg(l.what ORDER BY l.place, l.what) INTO lacks FROM (
    SELECT 1 AS place, 'CREATEROLE' AS what FROM pg_catalog.pg_roles r
      WHERE r.rolname = current_user AND NOT r.rolcreaterole
    UNION ALL
    -- From PostgreSQL 16 on, a role is given to others by whom it was given to with ADMIN OPTION.
    SELECT 2, pg_catalog.format('ADMIN OPTION for role %I', r.rolname) FROM pg_catalog.pg_roles r
      WHERE r.rolname = ANY ('{@ROLES@}'::pg_catalog.name[])
        AND pg_catalog.current_setting('server_version_num')::int >= 160000
        AND NOT pg_catalog.pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION')
    UNION ALL
    SELECT 3, pg_catalog.format('%s on database %I, which %I owns', p.privilege, d.datname,
                                pg_catalog.pg_get_userbyid(d.datdba))
      FROM pg_catalog.pg_database d, pg_catalog.unnest(
        ARRAY['CREATE', 'CONNECT WITH GRANT OPTION', 'TEMPORARY WITH GRANT OPTION']) AS p(privilege)
      WHERE d.datname = pg_catalog.current_database()
        AND NOT pg_catalog.has_database_privilege(d.oid, p.privilege)
    UNION ALL
    SELECT DISTINCT 4, pg_catalog.format('USAGE WITH GRANT OPTION on schema %I, which %I owns', n.nspname,
                                         pg_catalog.pg_get_userbyid(n.nspowner))
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.oid = ANY ('@READ@'::pg_catalog.oid[])
        AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION')
    UNION ALL
    SELECT 5, pg_catalog.format('%s WITH GRANT OPTION on %s, which %I owns', p.privilege, c.oid::pg_catalog.regclass,
                                pg_catalog.pg_get_userbyid(c.relowner))
      FROM pg_catalog.pg_class c, pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p(privilege)
      WHERE (c.oid = ANY ('@READ@'::pg_catalog.oid[]) AND p.privilege = 'SELECT'
             OR c.oid = ANY ('@WRITTEN@'::pg_catalog.oid[]))
        AND NOT pg_catalog.has_table_privilege(c.oid, p.privilege || ' WITH GRANT OPTION')
  ) l;
  IF lacks IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
      MESSAGE = pg_catalog.format('the administrator %I lacks %s%s', current_user,
        pg_catalog.array_to_string(lacks[1:8], '; '),
        CASE WHEN pg_catalog.cardinality(lacks) > 8
          THEN pg_catalog.format('; and %s more', pg_catalog.cardinality(lacks) - 8) ELSE '' END),
      HINT = 'an owner of the database and its tables who may make roles has all of it; so does a superuser';
  END IF;
END
$phigate$;
