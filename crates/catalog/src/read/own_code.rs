//! Code of the database's own that a statement would run without naming it (decision 4): functions that
//! neither PostgreSQL nor an extension made, behind casts, checks, orders, ranges and operators.

use std::collections::HashSet;

use phigate_sql::{OwnCode, SnapshotBuilder};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor, Row};

use super::oid;
use crate::error::CatalogError;

/// A type and one that its values hold.
pub(super) const PARTS: &str = "\
        SELECT t.oid, t.typbasetype FROM pg_catalog.pg_type t WHERE t.oid >= 16384 AND t.typtype = 'd'
        UNION ALL
        SELECT t.oid, t.typelem FROM pg_catalog.pg_type t WHERE t.oid >= 16384 AND t.typelem <> 0
        UNION ALL
        SELECT g.rngtypid, g.rngsubtype FROM pg_catalog.pg_range g
        UNION ALL
        SELECT g.rngmultitypid, g.rngsubtype FROM pg_catalog.pg_range g
        UNION ALL
        SELECT c.reltype, a.atttypid
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
        WHERE c.oid >= 16384 AND c.reltype <> 0 AND a.attnum > 0 AND NOT a.attisdropped";

/// Schemas with comparison operators that neither PostgreSQL nor an extension made.
const COMPARISONS: &str = "\
    SELECT DISTINCT n.nspname::text
    FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
    WHERE o.oid >= 16384 AND o.oprname IN ('=', '<>', '<', '<=', '>', '>=')
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass
                        AND d.objid = o.oid AND d.deptype = 'e')";

/// What begins each of the two questions: functions of somebody's own, casts by them, and the types whose
/// order, equality or hash they decide. The functions that CREATE TYPE AS RANGE makes are PostgreSQL's. A
/// cast counts if somebody made it, be its function PostgreSQL's; an operator class only if it is its
/// type's default, for nothing else is looked for.
const OWN: &str = "\
    WITH RECURSIVE made_by_extension AS (
        SELECT d.classid, d.objid FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'
    ), constructor AS (
        SELECT f.oid FROM pg_catalog.pg_proc f JOIN pg_catalog.pg_language l ON l.oid = f.prolang
        WHERE l.lanname = 'internal' AND f.prosrc ~ '^(multi)?range_constructor[0-3]$'
    ), own AS (
        SELECT f.oid, f.proname, f.pronamespace FROM pg_catalog.pg_proc f
        WHERE f.oid >= 16384 AND f.oid NOT IN (SELECT c.oid FROM constructor c)
          AND ('pg_catalog.pg_proc'::pg_catalog.regclass, f.oid) NOT IN (SELECT e.classid, e.objid FROM made_by_extension e)
    ), own_operator AS (
        SELECT o.oid, o.oprname, o.oprnamespace FROM pg_catalog.pg_operator o JOIN own ON own.oid = o.oprcode
        WHERE o.oid >= 16384
    ), own_cast AS (
        SELECT k.castsource, k.casttarget FROM pg_catalog.pg_cast k
        WHERE k.oid >= 16384 AND k.castfunc <> 0 AND k.castfunc NOT IN (SELECT c.oid FROM constructor c)
          AND ('pg_catalog.pg_cast'::pg_catalog.regclass, k.oid) NOT IN (SELECT e.classid, e.objid FROM made_by_extension e)
    ), own_family AS (
        SELECT p.amprocfamily AS oid FROM pg_catalog.pg_amproc p JOIN own ON own.oid = p.amproc
        UNION
        SELECT o.amopfamily FROM pg_catalog.pg_amop o JOIN own_operator w ON w.oid = o.amopopr
    ), ordered AS (
        SELECT c.opcintype AS type FROM pg_catalog.pg_opclass c JOIN own_family f ON f.oid = c.opcfamily
        WHERE c.opcdefault
        UNION
        SELECT g.rngtypid FROM pg_catalog.pg_range g
        WHERE g.rngcanonical IN (SELECT own.oid FROM own) OR g.rngsubdiff IN (SELECT own.oid FROM own)
           OR g.rngsubopc IN (SELECT c.oid FROM pg_catalog.pg_opclass c JOIN own_family f ON f.oid = c.opcfamily)
    )";

/// The types whose values run such functions, and what is made of them; with whether being given a value
/// does. No word of a statement need say so: `to_json` looks for explicit casts too, what is ordered or
/// grouped takes its type's order, a copy of a column or row takes its type, and with it its checks.
const TYPES: &str = "\
    , part (type, part) AS (@PARTS@
    ), made (type, taken) AS (
        SELECT o.castsource, false FROM own_cast o WHERE o.castsource >= 16384
        UNION
        SELECT o.casttarget, true FROM own_cast o WHERE o.casttarget >= 16384
        UNION
        SELECT o.type, true FROM ordered o WHERE o.type >= 16384
        UNION
        SELECT o.contypid, true
        FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_depend d
          ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = o.oid
        WHERE o.contypid <> 0
          AND d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass,
                               'pg_catalog.pg_operator'::pg_catalog.regclass)
        UNION
        SELECT p.type, m.taken FROM made m JOIN part p ON p.part = m.type
    )
    SELECT m.type::int8, bool_or(m.taken) FROM made m GROUP BY 1";

/// Such functions that PostgreSQL's own types, functions and operators lead to: any expression may.
const ANYWHERE: &str = "\
    SELECT 'cast', pg_catalog.format_type(o.castsource, NULL), pg_catalog.format_type(o.casttarget, NULL)
    FROM own_cast o WHERE o.castsource < 16384 AND o.casttarget < 16384
    UNION ALL
    SELECT 'order', pg_catalog.format_type(o.type, NULL), '' FROM ordered o WHERE o.type < 16384
    UNION ALL
    SELECT 'overload', own.proname::text, ''
    FROM own JOIN pg_catalog.pg_proc b
      ON b.proname = own.proname AND b.pronamespace = own.pronamespace AND b.oid < 16384
    UNION ALL
    SELECT 'overload', own.oprname::text, ''
    FROM own_operator own JOIN pg_catalog.pg_operator b
      ON b.oprname = own.oprname AND b.oprnamespace = own.oprnamespace AND b.oid < 16384";

/// Reads all of it; returns the types whose values run code.
pub(super) async fn read(
    connection: &mut PgConnection,
    builder: &mut SnapshotBuilder,
) -> Result<HashSet<u32>, CatalogError> {
    for row in connection.fetch_all(COMPARISONS).await? {
        builder.own_comparison(row.try_get(0)?);
    }
    let mut running = HashSet::new();
    let types = format!("{OWN}{}", TYPES.replace("@PARTS@", PARTS));
    for row in connection.fetch_all(AssertSqlSafe(types)).await? {
        let ty = oid(&row, 0)?;
        builder.runs_code(ty, row.try_get(1)?);
        running.insert(ty);
    }
    let anywhere = AssertSqlSafe(format!("{OWN}{ANYWHERE}"));
    for row in connection.fetch_all(anywhere).await? {
        let (one, other): (String, String) = (row.try_get(1)?, row.try_get(2)?);
        builder.own_code(match row.try_get(0)? {
            "cast" => OwnCode::Cast {
                from: one,
                to: other,
            },
            "order" => OwnCode::Order(one),
            _ => OwnCode::Overload(one),
        });
    }
    Ok(running)
}
