//! What is looked for. Each check is a question whose rows are what is wrong: an object, and a word
//! about it. They are asked as the broker, who reads PostgreSQL's catalogs and nothing else.

use super::Severity;
use Severity::{Error, Warning};

/// One thing that must not be.
pub(super) struct Check {
    /// Its name, in findings and in `accept`.
    pub(super) name: &'static str,
    pub(super) severity: Severity,
    /// Gives rows of two texts. `@OURS@` is the condition that `r` is a role of ours but the definer,
    /// `@SUBJECT@` that `a.grantee` is one of these or PUBLIC, `@USERS@` that `n` is a schema of the
    /// database's own.
    pub(super) sql: &'static str,
    /// `{}` stands for the second text.
    pub(super) problem: &'static str,
    /// `{}` stands for the first text.
    pub(super) remedy: &'static str,
}

/// See [`Check::sql`].
pub(super) const MARKS: [(&str, &str); 3] = [
    ("@OURS@", "r.rolname ~ '^phigate_[rws]_[0-9a-f]{16}'"),
    (
        "@SUBJECT@",
        "(a.grantee = 0 OR a.grantee IN (SELECT r.oid FROM pg_catalog.pg_roles r \
          WHERE r.rolname ~ '^phigate_[rws]_[0-9a-f]{16}'))",
    ),
    (
        "@USERS@",
        "(n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
          AND n.nspname !~ '^phigate(_p_[0-9a-f]{16})?$')",
    ),
];

/// Every check, the roles first.
pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "role_attribute",
        severity: Error,
        sql: "SELECT r.rolname::text, pg_catalog.concat_ws(', ',
                CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END,
                CASE WHEN r.rolreplication THEN 'REPLICATION' END, CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
                CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
                CASE WHEN r.rolcanlogin AND r.rolname !~ '^phigate_s_' THEN 'LOGIN' END)
              FROM pg_catalog.pg_roles r
              WHERE (@OURS@ OR r.rolname = 'phigate_definer')
                AND (r.rolsuper OR r.rolbypassrls OR r.rolreplication OR r.rolcreaterole OR r.rolcreatedb
                     OR r.rolcanlogin AND r.rolname !~ '^phigate_s_')",
        problem: "the role has {}, which none of phigate's may have",
        remedy: "ALTER ROLE {} with NO before each of them",
    },
    Check {
        name: "role_setting",
        severity: Error,
        sql: "SELECT r.rolname::text, pg_catalog.array_to_string(s.setconfig, ', ')
              FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
              WHERE @OURS@ OR r.rolname = 'phigate_definer'",
        problem: "sessions of the role begin with {}, whoever they are for",
        remedy: "ALTER ROLE {} RESET ALL",
    },
    Check {
        name: "role_membership",
        severity: Error,
        sql: "SELECT r.rolname::text, g.rolname::text
              FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.member
              JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
              WHERE (@OURS@ OR r.rolname = 'phigate_definer')
                AND NOT (r.rolname ~ '^phigate_s_' AND g.rolname ~ '^phigate_[rw]_'
                         AND pg_catalog.substr(r.rolname::text, 11, 16) = pg_catalog.substr(g.rolname::text, 11, 16)
                      OR r.rolname ~ '^phigate_w_' AND g.rolname ~ '^phigate_r_'
                         AND pg_catalog.substr(r.rolname::text, 11, 16) = pg_catalog.substr(g.rolname::text, 11, 16))",
        problem: "the role is a member of {}, whose privileges it has",
        remedy: "REVOKE that role FROM {}",
    },
    Check {
        name: "role_member",
        severity: Error,
        sql: "SELECT g.rolname::text, r.rolname::text
              FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.member
              JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
              WHERE g.rolname ~ '^phigate_([rws]_[0-9a-f]{16}|definer$)' AND NOT (@OURS@)
                AND NOT r.rolsuper AND NOT r.rolcreaterole",
        problem: "{} is a member of the role, and reads what it may",
        remedy: "REVOKE {} from that role",
    },
    Check {
        name: "role_owns",
        severity: Error,
        sql: "SELECT r.rolname::text, pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)
              FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid
              WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.deptype = 'o' AND @OURS@
                AND d.dbid IN (0, (SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname = pg_catalog.current_database()))
                AND NOT (d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND EXISTS (
                         SELECT FROM pg_catalog.pg_class c WHERE c.oid = d.objid AND c.relpersistence = 't'))
                AND NOT (d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND EXISTS (
                         SELECT FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
                         WHERE t.oid = d.objid AND n.nspname ~ '^pg_(toast_)?temp'))",
        problem: "the login owns {}",
        remedy: "REASSIGN OWNED BY {} to whoever it should belong to",
    },
    Check {
        name: "definer_owns",
        severity: Error,
        sql: "SELECT n.nspname || '.' || c.relname, 'relation' FROM pg_catalog.pg_class c
              JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
              WHERE r.rolname = 'phigate_definer' AND @USERS@
              UNION ALL
              SELECT p.oid::pg_catalog.regprocedure::text, 'function' FROM pg_catalog.pg_proc p
              JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_roles r ON r.oid = p.proowner
              WHERE r.rolname = 'phigate_definer' AND @USERS@",
        problem: "phigate_definer owns the {}, which is none of phigate's",
        remedy: "ALTER {} OWNER TO somebody else",
    },
    Check {
        name: "base_privilege",
        severity: Error,
        sql: "SELECT n.nspname || '.' || c.relname,
                     CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
                     || ' has ' || pg_catalog.string_agg(DISTINCT a.privilege_type, ', ')
              FROM (SELECT c.oid, (pg_catalog.aclexplode(c.relacl)).* FROM pg_catalog.pg_class c
                    UNION ALL
                    SELECT t.attrelid, (pg_catalog.aclexplode(t.attacl)).* FROM pg_catalog.pg_attribute t
                    WHERE NOT t.attisdropped) a
              JOIN pg_catalog.pg_class c ON c.oid = a.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' AND @USERS@ AND @SUBJECT@
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'
                                AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass)
              GROUP BY 1, a.grantee",
        problem: "{} on the relation itself, without a mask",
        remedy: "REVOKE it on {}, and GRANT it to the roles that need it",
    },
    Check {
        name: "definer_function",
        severity: Error,
        sql: "SELECT p.oid::pg_catalog.regprocedure::text, pg_catalog.pg_get_userbyid(p.proowner)::text
              FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
              WHERE p.prosecdef AND n.nspname !~ '^(pg_catalog|information_schema|phigate)$' AND p.prorettype <> 2279
                AND p.prorettype <> 3838
                AND (p.proacl IS NULL OR EXISTS (
                     SELECT FROM pg_catalog.aclexplode(p.proacl) a WHERE a.privilege_type = 'EXECUTE' AND @SUBJECT@))",
        problem: "the function runs as {}, whoever calls it, and every login may call it",
        remedy: "REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC; or accept it, if it tells nothing of a patient",
    },
    Check {
        name: "machinery_privilege",
        severity: Error,
        sql: "SELECT n.nspname || '.' || c.relname,
                     CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END || ' has ' || a.privilege_type
              FROM (SELECT c.oid, (pg_catalog.aclexplode(c.relacl)).* FROM pg_catalog.pg_class c
                    UNION ALL
                    SELECT t.attrelid, (pg_catalog.aclexplode(t.attacl)).* FROM pg_catalog.pg_attribute t) a
              JOIN pg_catalog.pg_class c ON c.oid = a.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname = 'phigate' AND c.relkind IN ('r', 'S') AND a.grantee <> c.relowner
                AND NOT (c.relname IN ('masked', 'policy') AND a.privilege_type = 'SELECT'
                         AND a.grantee = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER))
              UNION ALL
              SELECT p.oid::pg_catalog.regprocedure::text,
                     CASE WHEN p.proacl IS NULL OR a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END || ' has EXECUTE'
              FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
              LEFT JOIN LATERAL pg_catalog.aclexplode(p.proacl) a ON true
              WHERE n.nspname = 'phigate' AND p.prosecdef
                AND (p.proacl IS NULL OR a.grantee <> p.proowner
                     AND a.grantee NOT IN (SELECT r.oid FROM pg_catalog.pg_roles r
                         WHERE r.rolname = CURRENT_USER AND p.proname IN ('assign', 'assign_codes')
                            OR r.rolname ~ '^phigate_[rw]_' AND p.proname = 'assigned'))
              UNION ALL
              SELECT n.nspname || '.' || c.relname, 'somebody else owns it' FROM pg_catalog.pg_class c
              JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname ~ '^phigate(_p_[0-9a-f]{16})?$' AND c.relkind IN ('r', 'v')
                AND pg_catalog.pg_get_userbyid(c.relowner) <> 'phigate_definer'",
        problem: "{}: keys, codes and lists of patients are for the owner of the views alone",
        remedy: "REVOKE it on {}, or unharden the database and harden it again",
    },
    Check {
        name: "view_privilege",
        severity: Error,
        sql: "SELECT n.nspname || '.' || c.relname,
                     CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END || ' has ' || a.privilege_type
              FROM phigate.policy p JOIN pg_catalog.pg_namespace n ON n.nspname = p.schema
              JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid, LATERAL pg_catalog.aclexplode(c.relacl) a
              WHERE a.grantee <> c.relowner
                AND NOT (a.grantee <> 0 AND pg_catalog.pg_get_userbyid(a.grantee) = p.reader AND a.privilege_type = 'SELECT')
                AND NOT (a.grantee <> 0 AND pg_catalog.pg_get_userbyid(a.grantee) = p.writer
                         AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE'))",
        problem: "{}: a masked view is for its policy's own roles",
        remedy: "REVOKE it on {}",
    },
    Check {
        name: "view_altered",
        severity: Error,
        sql: "SELECT n.nspname || '.' || c.relname, 'rule ' || w.rulename FROM pg_catalog.pg_rewrite w
              JOIN pg_catalog.pg_class c ON c.oid = w.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname ~ '^phigate(_p_[0-9a-f]{16})?$' AND w.rulename <> '_RETURN'
              UNION ALL
              SELECT n.nspname || '.' || c.relname, 'trigger ' || t.tgname FROM pg_catalog.pg_trigger t
              JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname ~ '^phigate(_p_[0-9a-f]{16})?$' AND NOT t.tgisinternal
              UNION ALL
              SELECT n.nspname || '.' || c.relname, 'security_invoker' FROM pg_catalog.pg_class c
              JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname ~ '^phigate_p_[0-9a-f]{16}$' AND EXISTS (
                    SELECT FROM pg_catalog.unnest(c.reloptions) AS o(option) WHERE o.option ~ '^security_invoker='
                    AND pg_catalog.split_part(o.option, '=', 2)::bool)",
        problem: "somebody put {} on what phigate made",
        remedy: "DROP it from {}, or unharden the database and harden it again",
    },
    Check {
        name: "expression_statistics",
        severity: Error,
        sql: "SELECT n.nspname || '.' || s.stxname, c.relname::text FROM pg_catalog.pg_statistic_ext s
              JOIN pg_catalog.pg_class c ON c.oid = s.stxrelid JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
              WHERE s.stxexprs IS NOT NULL AND @USERS@
                AND pg_catalog.pg_get_viewdef('pg_catalog.pg_stats_ext_exprs'::pg_catalog.regclass) !~ 'pg_has_role'",
        problem: "the statistics hold values of {}, and this database's pg_stats_ext_exprs shows them to everyone (CVE-2024-4317)",
        remedy: "run fix-CVE-2024-4317.sql of your PostgreSQL in this database, or DROP STATISTICS {}",
    },
    Check {
        name: "expression_index",
        severity: Warning,
        sql: "SELECT n.nspname || '.' || x.relname, c.relname::text FROM pg_catalog.pg_index i
              JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
              JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL) AND @USERS@",
        problem: "an index over an expression keeps statistics of values of {}; its definition may quote one",
        remedy: "see that pg_stats shows nothing of {} to phigate's roles",
    },
    Check {
        name: "foreign_server",
        severity: Error,
        sql: "SELECT f.srvname::text, 'USAGE' FROM pg_catalog.pg_foreign_server f, LATERAL pg_catalog.aclexplode(f.srvacl) a
              WHERE @SUBJECT@
              UNION ALL
              SELECT w.fdwname::text, 'USAGE' FROM pg_catalog.pg_foreign_data_wrapper w, LATERAL pg_catalog.aclexplode(w.fdwacl) a
              WHERE @SUBJECT@
              UNION ALL
              SELECT m.srvname::text, 'a user mapping' FROM pg_catalog.pg_user_mappings m
              WHERE m.umuser IN (SELECT r.oid FROM pg_catalog.pg_roles r WHERE @OURS@)",
        problem: "phigate's logins have {} on it, and read through it what no mask covers",
        remedy: "REVOKE USAGE ON FOREIGN SERVER (or DATA WRAPPER) {}, or drop the mapping",
    },
    Check {
        name: "untrusted_function",
        severity: Warning,
        sql: "SELECT p.oid::pg_catalog.regprocedure::text, l.lanname::text FROM pg_catalog.pg_proc p
              JOIN pg_catalog.pg_language l ON l.oid = p.prolang JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
              WHERE NOT l.lanpltrusted AND l.lanname NOT IN ('internal', 'c') AND @USERS@ AND p.prorettype <> 2279
                AND (p.proacl IS NULL OR EXISTS (
                     SELECT FROM pg_catalog.aclexplode(p.proacl) a WHERE a.privilege_type = 'EXECUTE' AND @SUBJECT@))",
        problem: "the function is written in {}, which does as the server's own account may, and every login may call it",
        remedy: "REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC",
    },
    Check {
        name: "reaching_extension",
        severity: Warning,
        sql: "SELECT e.extname::text, n.nspname::text FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
              WHERE e.extname IN ('dblink', 'postgres_fdw', 'file_fdw', 'adminpack', 'pg_stat_statements', 'pg_buffercache',
                                  'pageinspect', 'pg_walinspect', 'pgrowlocks', 'pgstattuple', 'http', 'pg_net', 'plpython3u', 'plperlu')",
        problem: "the extension (schema {}) reads beside tables and their privileges: other servers, files, pages or other people's statements",
        remedy: "see that phigate's logins may call nothing of {}, or DROP EXTENSION",
    },
    Check {
        name: "large_objects",
        severity: Error,
        sql: "SELECT 'lo_compat_privileges', 'is on' WHERE pg_catalog.current_setting('lo_compat_privileges')::bool
              UNION ALL
              SELECT DISTINCT 'large object ' || m.oid, 'is granted to PUBLIC or to a login of phigate' FROM pg_catalog.pg_largeobject_metadata m,
                     LATERAL pg_catalog.aclexplode(m.lomacl) a WHERE @SUBJECT@",
        problem: "it {}: large objects are read without a mask",
        remedy: "set lo_compat_privileges = off; REVOKE SELECT on {}",
    },
    Check {
        name: "schema_create",
        severity: Warning,
        sql: "SELECT n.nspname::text, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
              FROM pg_catalog.pg_namespace n, LATERAL pg_catalog.aclexplode(n.nspacl) a
              WHERE a.privilege_type = 'CREATE' AND @USERS@ AND @SUBJECT@",
        problem: "{} may create functions and operators in the schema, which others may then call",
        remedy: "REVOKE CREATE ON SCHEMA {} FROM PUBLIC",
    },
    Check {
        name: "default_privilege",
        severity: Warning,
        sql: "SELECT DISTINCT pg_catalog.pg_get_userbyid(d.defaclrole)::text, a.privilege_type
              FROM pg_catalog.pg_default_acl d, LATERAL pg_catalog.aclexplode(d.defaclacl) a
              WHERE d.defaclobjtype = 'r' AND @SUBJECT@",
        problem: "tables that this role makes will be open to PUBLIC or to phigate's logins ({})",
        remedy: "ALTER DEFAULT PRIVILEGES FOR ROLE {} REVOKE it",
    },
    Check {
        name: "row_security",
        severity: Warning,
        sql: "SELECT n.nspname || '.' || c.relname, 'row security' FROM pg_catalog.pg_class c
              JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relrowsecurity AND @USERS@",
        problem: "{} decides by phigate_definer, not by who asks, what masked views see of it",
        remedy: "CREATE POLICY on {} for phigate_definer: without one its masked views are empty",
    },
    Check {
        name: "event_trigger",
        severity: Warning,
        sql: "SELECT e.evtname::text, e.evtevent::text FROM pg_catalog.pg_event_trigger e
              WHERE e.evtname NOT IN ('phigate_ddl', 'phigate_drop') AND e.evtenabled <> 'D'
              UNION ALL
              SELECT w.name, 'absent or disabled' FROM (VALUES ('phigate_ddl'), ('phigate_drop')) AS w(name)
              WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_event_trigger e WHERE e.evtname = w.name AND e.evtenabled IN ('O', 'A'))",
        problem: "event trigger: {}; ours announce changes of the schema, others run when a session makes a temporary table",
        remedy: "see that {} is as it should be",
    },
    Check {
        name: "broker",
        severity: Warning,
        sql: "SELECT r.rolname::text, 'a superuser' FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER AND r.rolsuper",
        problem: "the configured upstream login is {}: it needs to read catalogs and to call phigate.assign, no more",
        remedy: "configure another upstream role than {}",
    },
];
