//! A plan as SQL. Every identifier is quoted, every literal too; what is made only where it is not
//! yet there is made by routines that vanish with the session.

use std::fmt::Write as _;

use phigate_phi::quote_identifier;
use phigate_sql::MaskedView;

use super::{Base, DEFINER, FINISH, MEMBER, Plan, PolicyPlan, SCHEMA};

const ADMINISTRATOR: &str = include_str!("administrator.sql");
const DEFINER_ROLE: &str = include_str!("definer.sql");
const MACHINERY: &str = include_str!("machinery.sql");
const CROSSWALK: &str = include_str!("crosswalk.sql");
/// The table of listed patients, as a script: for a schema and an owner that are there already.
/// [`Plan::sql`] has it within.
pub const PATIENTS: &str = include_str!("patients.sql");
const FUNCTIONS: &str = include_str!("functions.sql");
const ROUTINES: &str = include_str!("routines.sql");

/// The beginning of every script: nothing of the session's own changes what it means. Waiting for a
/// lock ends the script, not the applications behind it in the queue.
pub(super) const BEGIN: &str = "\
BEGIN;
SET LOCAL standard_conforming_strings = on;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;
SET LOCAL lock_timeout = '5s';
SET LOCAL row_security = on;
SELECT pg_catalog.pg_advisory_xact_lock(7236276, 1);
";

/// See [`Plan::sql`].
pub(super) fn write(plan: &Plan) -> String {
    let mut out = format!(
        "-- phigate: masked views and logins for database {}. Safe to run again.\n",
        comment(&plan.target.database)
    );
    out.push_str(BEGIN);
    out.push_str(&administrator(plan));
    out.push_str(DEFINER_ROLE);
    out.push_str(MEMBER);
    out.push_str(MACHINERY);
    out.push_str(PATIENTS);
    out.push_str(CROSSWALK);
    out.push_str(&functions());
    out.push_str(ROUTINES);
    let broker = quote_identifier(&plan.target.broker);
    let _ = write!(
        out,
        "\n-- The gateway's own login.\n\
         GRANT USAGE ON SCHEMA {SCHEMA} TO {broker};\n\
         GRANT SELECT ON {SCHEMA}.masked, {SCHEMA}.policy TO {broker};\n\
         GRANT EXECUTE ON FUNCTION {SCHEMA}.assign(text, text, date, bytea[], text[], boolean),\n\
         \x20 {SCHEMA}.assign_codes(int8[]) TO {broker};\n"
    );
    bases(plan, &mut out);
    for policy in &plan.policies {
        of_policy(plan, policy, &mut out);
    }
    out.push_str(FINISH);
    out.push_str("COMMIT;\n");
    out
}

/// The question whether the administrator may do all that follows.
fn administrator(plan: &Plan) -> String {
    let oids = |which: fn(&&Base) -> bool| {
        let oids = plan.bases.iter().filter(which).map(|base| base.oid);
        format!(
            "{{{}}}",
            oids.map(|oid| oid.to_string())
                .collect::<Vec<_>>()
                .join(",")
        )
    };
    let mut roles = vec![DEFINER];
    for policy in &plan.policies {
        roles.extend([policy.reader.as_str(), &policy.writer]);
        roles.extend(policy.logins.iter().map(|login| login.name.as_str()));
    }
    ADMINISTRATOR
        .replace("@READ@", &oids(|_| true))
        .replace("@WRITTEN@", &oids(|base| base.written))
        .replace("@ROLES@", &roles.join(","))
}

/// What the owner of the views reads and writes.
fn bases(plan: &Plan, out: &mut String) {
    out.push_str("\n-- What the owner of the views reads. Nobody else's privileges are touched.\n");
    for schema in schemas(plan) {
        let _ = writeln!(
            out,
            "GRANT USAGE ON SCHEMA {} TO {DEFINER};",
            quote_identifier(schema)
        );
    }
    for base in &plan.bases {
        let _ = writeln!(out, "GRANT SELECT ON {} TO {DEFINER};", base.quoted());
        if base.written {
            let _ = writeln!(
                out,
                "GRANT INSERT, UPDATE, DELETE ON {} TO {DEFINER};",
                base.quoted()
            );
        }
    }
}

fn schemas(plan: &Plan) -> Vec<&str> {
    let mut schemas: Vec<&str> = plan.bases.iter().map(|base| base.schema.as_str()).collect();
    schemas.sort_unstable();
    schemas.dedup();
    schemas
}

fn of_policy(plan: &Plan, policy: &PolicyPlan, out: &mut String) {
    let [id, profile, schema_name, reader_name, writer_name] = [
        policy.id.as_str(),
        policy.profile.as_str(),
        &policy.schema,
        &policy.reader,
        &policy.writer,
    ]
    .map(literal);
    let [schema, reader, writer, database] = [
        &policy.schema,
        &policy.reader,
        &policy.writer,
        &plan.target.database,
    ]
    .map(|name| quote_identifier(name));
    let _ = write!(
        out,
        "\n-- {profile}, policy {id}.\n\
         SELECT pg_temp.phigate_role({reader_name});\n\
         SELECT pg_temp.phigate_role({writer_name});\n\
         INSERT INTO {SCHEMA}.policy VALUES ({id}, {profile}, {schema_name}, {reader_name}, {writer_name}) ON CONFLICT DO NOTHING;\n\
         CREATE SCHEMA IF NOT EXISTS {schema};\n\
         ALTER SCHEMA {schema} OWNER TO {DEFINER};\n\
         REVOKE ALL ON SCHEMA {schema} FROM PUBLIC;\n\
         GRANT USAGE ON SCHEMA {schema}, {SCHEMA} TO {reader}, {writer};\n\
         GRANT EXECUTE ON FUNCTION {SCHEMA}.assigned() TO {reader}, {writer};\n\
         GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {reader}, {writer};\n",
    );
    for schema in schemas(plan) {
        let _ = writeln!(
            out,
            "GRANT USAGE ON SCHEMA {} TO {reader}, {writer};",
            quote_identifier(schema)
        );
    }
    // The writer reads what the reader reads, by being one.
    let _ = writeln!(
        out,
        "DO $phigate$ BEGIN IF NOT pg_catalog.pg_has_role({writer_name}, {reader_name}, 'MEMBER') THEN GRANT {reader} TO {writer}; END IF; END $phigate$;"
    );
    for login in &policy.logins {
        let role = if login.writes {
            &writer_name
        } else {
            &reader_name
        };
        let _ = writeln!(
            out,
            "SELECT pg_temp.phigate_login({}, {role}, {id}, {}, {});",
            literal(&login.name),
            login.writes,
            literal(&login.verifier)
        );
    }
    for view in &policy.views {
        let base = plan.bases.iter().find(|base| base.oid == view.relation);
        if let Some(base) = base {
            of_view(&id, base, view, out);
        }
    }
    keys(&id, policy, plan.whole, out);
    if plan.whole {
        let kept: Vec<_> = policy
            .views
            .iter()
            .map(|view| view.relation.to_string())
            .collect();
        let _ = writeln!(
            out,
            "SELECT pg_temp.phigate_keep({id}, '{{{}}}');",
            kept.join(",")
        );
    }
}

/// Where the policy's keys are found; of tables that are not planned now, what was known stays.
fn keys(id: &str, policy: &PolicyPlan, whole: bool, out: &mut String) {
    let of_tables = policy.views.iter().map(|view| view.relation.to_string());
    let of_tables = of_tables.collect::<Vec<_>>().join(",");
    let only = if whole {
        String::new()
    } else {
        format!(" AND relation = ANY ('{{{of_tables}}}')")
    };
    let _ = writeln!(
        out,
        "DELETE FROM {SCHEMA}.key_source WHERE policy = {id}{only};"
    );
    for (relation, source) in &policy.keys {
        let _ = writeln!(
            out,
            "INSERT INTO {SCHEMA}.key_source VALUES ({id}, {relation}, '{}', {});",
            source.kind.table(),
            dollar_quoted(&source.sql)
        );
    }
}

fn of_view(id: &str, base: &Base, view: &MaskedView, out: &mut String) {
    let columns: serde_json::Map<_, _> = view
        .columns
        .iter()
        .map(|column| (column.attnum.to_string(), column.name.clone().into()))
        .collect();
    let own = view
        .own_rows_sql
        .as_deref()
        .map_or_else(|| "NULL".to_owned(), dollar_quoted);
    let _ = writeln!(
        out,
        "SELECT pg_temp.phigate_view({id}, {oid}, {name}, {columns}, {barrier}, {writes}, '{made_of}',\n  {body},\n  {own});",
        oid = view.relation,
        name = literal(&base.quoted()),
        columns = literal(&serde_json::Value::Object(columns).to_string()),
        barrier = view.barrier,
        writes = view.writable,
        made_of = view.fingerprint,
        body = dollar_quoted(&view.sql),
    );
}

/// The pure functions that expressions of masked views call, as a script: for a schema and an owner
/// that are there already. [`Plan::sql`] has it within.
pub fn functions() -> String {
    let of = |half: &str, round: &str| {
        leading_bits(&format!(
            "pg_catalog.byteacat(k, pg_catalog.int8send((({half} OPERATOR(pg_catalog.<<) 3) OPERATOR(pg_catalog.|) {round})))"
        ))
    };
    let even = "(r OPERATOR(pg_catalog.*) 2)";
    let odd = format!("({even} OPERATOR(pg_catalog.+) 1)");
    FUNCTIONS
        .replace("@OF_L@", &of("l", even))
        .replace("@OF_H@", &of("h", &odd))
        .replace("@BITS@", &leading_bits("pg_catalog.byteacat(key, patient)"))
}

/// The first 32 bits of a hash as a number.
fn leading_bits(bytes: &str) -> String {
    format!(
        "CAST(CAST(('x' OPERATOR(pg_catalog.||) pg_catalog.encode(pg_catalog.substr(pg_catalog.sha256({bytes}), 1, 4), 'hex')) AS pg_catalog.bit(32)) AS pg_catalog.int8)"
    )
}

/// A string constant, with `standard_conforming_strings` on.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The text between dollar quotes that it does not contain.
fn dollar_quoted(text: &str) -> String {
    let mut tag = "$view$".to_owned();
    let mut number = 0_u32;
    while text.contains(&tag) {
        number += 1;
        tag = format!("$view{number}$");
    }
    format!("{tag}{text}{tag}")
}

/// A name that cannot end its comment.
fn comment(text: &str) -> String {
    text.replace(char::is_control, " ")
}

impl Base {
    fn quoted(&self) -> String {
        format!(
            "{}.{}",
            quote_identifier(&self.schema),
            quote_identifier(&self.name)
        )
    }
}
