//! Taking away what was made.

use std::fmt::Write as _;

use phigate_phi::PolicyId;

use super::script::{BEGIN, literal};
use super::{DEFINER, FINISH, MEMBER, SCHEMA};

const ROLES: &str = include_str!("unharden.sql");

/// What is taken away from a database. Sessions that use it find it gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unharden {
    /// Everything that was made.
    All,
    /// One policy's views, roles and logins.
    Policy(PolicyId),
    /// The views of one relation, by its oid, under every policy: so that its owner may alter it.
    Relation(u32),
}

impl Unharden {
    /// The script: one transaction. Running it again changes nothing.
    pub fn sql(&self) -> String {
        let mut out =
            String::from("-- phigate: takes away what was hardened. Safe to run again.\n");
        out.push_str(BEGIN);
        out.push_str(MEMBER);
        match self {
            Self::All => {
                out.push_str(&ROLES.replace("@CHOSEN@", ""));
                all(&mut out);
            }
            Self::Policy(id) => {
                let chosen = format!("WHERE p.policy = {}", literal(id.as_str()));
                out.push_str(&ROLES.replace("@CHOSEN@", &chosen));
                policy(id, &mut out);
            }
            Self::Relation(oid) => relation(*oid, &mut out),
        }
        out.push_str(FINISH);
        out.push_str("COMMIT;\n");
        out
    }
}

fn all(out: &mut String) {
    let _ = write!(
        out,
        "DROP EVENT TRIGGER IF EXISTS phigate_ddl;\n\
         DROP EVENT TRIGGER IF EXISTS phigate_drop;\n\
         DROP SCHEMA IF EXISTS {SCHEMA} CASCADE;\n\
         DO $phigate$ BEGIN\n\
         \x20 IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '{DEFINER}') THEN\n\
         \x20   DROP OWNED BY {DEFINER};\n\
         \x20   -- Another database of the cluster may be hardened too.\n\
         \x20   IF NOT EXISTS (SELECT FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid\n\
         \x20                  WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND r.rolname = '{DEFINER}') THEN\n\
         \x20     DROP ROLE {DEFINER};\n\
         \x20   END IF;\n\
         \x20 END IF;\n\
         END $phigate$;\n"
    );
}

fn policy(id: &PolicyId, out: &mut String) {
    let id = literal(id.as_str());
    let _ = write!(
        out,
        "DO $phigate$ BEGIN\n\
         \x20 IF pg_catalog.to_regclass('{SCHEMA}.policy') IS NOT NULL THEN\n\
         \x20   DELETE FROM {SCHEMA}.slot s USING {SCHEMA}.login l WHERE l.login = s.login AND l.policy = {id};\n\
         \x20   DELETE FROM {SCHEMA}.login WHERE policy = {id};\n\
         \x20   DELETE FROM {SCHEMA}.masked WHERE policy = {id};\n\
         \x20   DELETE FROM {SCHEMA}.key_source WHERE policy = {id};\n\
         \x20   DELETE FROM {SCHEMA}.policy WHERE policy = {id};\n\
         \x20 END IF;\n\
         END $phigate$;\n"
    );
}

fn relation(oid: u32, out: &mut String) {
    let _ = write!(
        out,
        "DO $phigate$\nDECLARE\n  schema name;\nBEGIN\n\
         \x20 IF pg_catalog.to_regclass('{SCHEMA}.policy') IS NULL THEN\n\
         \x20   RETURN;\n\
         \x20 END IF;\n\
         \x20 FOR schema IN SELECT p.schema FROM {SCHEMA}.policy p LOOP\n\
         \x20   EXECUTE pg_catalog.format('DROP VIEW IF EXISTS %I.%I, %I.%I', schema, 'r{oid}', schema, 'r{oid}_only');\n\
         \x20 END LOOP;\n\
         \x20 DELETE FROM {SCHEMA}.masked WHERE relation = {oid};\n\
         \x20 DELETE FROM {SCHEMA}.key_source WHERE relation = {oid};\n\
         END\n$phigate$;\n"
    );
}
