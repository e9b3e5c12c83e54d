//! One transaction, a handful of queries: a database's catalog as a [`Snapshot`].

mod own_code;

use phigate_phi::{ColumnType, TypeKind};
use phigate_sql::{
    Column, ForeignKey, HardenedView, Relation, RelationKind, Snapshot, SnapshotBuilder, UserType,
    WriteFacts,
};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use std::collections::HashMap;

use crate::error::CatalogError;

/// The oldest major version that is served.
pub const OLDEST_MAJOR: u16 = 14;

/// The epoch of a snapshot that nobody compares with another.
const FIRST_EPOCH: u64 = 1;

/// Definitions are qualified because nothing is on the path. The time limits keep a locked or
/// enormous catalog from holding us: `pg_get_viewdef` waits for tables that are being altered.
const BEGIN: &str = "\
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL search_path = '';
    SET LOCAL statement_timeout = '15s';
    SET LOCAL lock_timeout = '2s';
    SET LOCAL client_min_messages = 'error'";

/// Also which of them hardening made: these are noted by oid, and nothing in them is read.
const SCHEMAS: &str = "\
    SELECT n.nspname::text, n.oid::int8, n.nspname ~ '^phigate(_p_[0-9a-f]{16})?$'
    FROM pg_catalog.pg_namespace n
    WHERE n.nspname !~ '^pg_(toast|temp|toast_temp)'";

/// Whether what hardening wrote down can be read.
const IS_HARDENED: &str = "\
    SELECT coalesce((SELECT pg_catalog.has_table_privilege(c.oid, 'SELECT')
                     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                     WHERE n.nspname = 'phigate' AND c.relname = 'masked' AND c.relkind = 'r'), false)";

/// Masked views, by what hardening wrote down. One that was dropped since, or made again by somebody
/// else, is none.
const HARDENED: &str = "\
    SELECT m.policy, m.relation::int8, m.view::int8, m.fingerprint, o.oid::int8
    FROM phigate.masked m
    JOIN pg_catalog.pg_namespace n ON n.nspname = 'phigate_p_' || pg_catalog.left(m.policy, 16)
    JOIN pg_catalog.pg_class c
      ON c.oid = m.view AND c.relnamespace = n.oid AND c.relkind = 'v' AND c.relname = 'r' || m.relation::text
    LEFT JOIN pg_catalog.pg_class o
      ON o.relnamespace = n.oid AND o.relkind = 'v' AND o.relname = 'r' || m.relation::text || '_only'";

/// A definition shows neither the functions behind casts nor, where an operator is implied (CASE,
/// USING), which one it is; `pg_depend` does, of all but PostgreSQL's own. A view that runs one of
/// somebody else's is given no definition.
const RELATIONS: &str = "\
    SELECT c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text,
           ARRAY(SELECT i.inhparent::int8 FROM pg_catalog.pg_inherits i
                 WHERE i.inhrelid = c.oid ORDER BY i.inhseqno),
           CASE WHEN c.relkind IN ('v', 'm') AND n.nspname <> 'pg_catalog' AND NOT EXISTS (
                        SELECT FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_depend d
                          ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
                        WHERE r.ev_class = c.oid AND r.rulename = '_RETURN'
                          AND (d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass
                               OR d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                                  AND d.refobjid IN (SELECT k.castfunc FROM pg_catalog.pg_cast k
                                                     UNION SELECT o.oprcode FROM pg_catalog.pg_operator o)))
                THEN pg_catalog.pg_get_viewdef(c.oid) END,
           EXISTS (SELECT FROM pg_catalog.pg_rewrite r
                   WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN')
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't'
      AND n.nspname !~ '^(pg_toast|phigate(_p_[0-9a-f]{16})?$)'";

/// `named`: how to write a type so that no path and no temporary type can change it. `format_type`
/// leaves out `pg_catalog`; the grammar's own type names (first list) need none, unless they have no
/// modifier and are written as identifiers (second list: `bit`, `bpchar`).
const COLUMNS: &str = "\
    WITH RECURSIVE link AS (
        SELECT t.oid AS domain, t.typbasetype AS base, t.typtypmod AS typmod, t.typnotnull AS filled
        FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
        UNION ALL
        SELECT l.domain, t.typbasetype, t.typtypmod, l.filled OR t.typnotnull
        FROM link l JOIN pg_catalog.pg_type t ON t.oid = l.base WHERE t.typtype = 'd'
    ), domain AS (
        SELECT l.domain, l.base, l.typmod, l.filled
        FROM link l JOIN pg_catalog.pg_type t ON t.oid = l.base WHERE t.typtype <> 'd'
    ), used AS (
        SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.attcollation,
               coalesce(d.base, a.atttypid) AS base, coalesce(d.typmod, a.atttypmod) AS typmod,
               d.base IS NOT NULL AS is_domain, coalesce(d.filled, false) AS filled,
               CASE WHEN a.attgenerated <> '' THEN
                   (SELECT pg_catalog.pg_get_expr(e.adbin, e.adrelid) FROM pg_catalog.pg_attrdef e
                    WHERE e.adrelid = a.attrelid AND e.adnum = a.attnum) END AS generated
        FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        LEFT JOIN domain d ON d.domain = a.atttypid
        WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relpersistence <> 't'
          AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
          AND c.relnamespace NOT IN (SELECT n.oid FROM pg_catalog.pg_namespace n
                                     WHERE n.nspname ~ '^phigate(_p_[0-9a-f]{16})?$')
    )
    SELECT u.attrelid::int8, u.attnum, u.attname::text, u.atttypid::int8, u.base::int8, u.typmod,
           CASE WHEN p.nspname = 'pg_catalog' AND
                     (e.oid NOT IN (16, 20, 21, 23, 700, 701, 1042, 1043, 1083, 1114, 1184, 1186,
                                    1266, 1560, 1562, 1700)
                      OR e.oid IN (1042, 1560) AND u.typmod = -1)
                THEN 'pg_catalog.' ELSE '' END || pg_catalog.format_type(u.base, u.typmod),
           CASE WHEN u.is_domain THEN pg_catalog.format_type(u.atttypid, -1) END,
           u.filled, b.typtype = 'e', b.oid <> e.oid,
           CASE WHEN u.attcollation <> 0 AND u.attcollation <> b.typcollation THEN
               (SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(o.collname)
                FROM pg_catalog.pg_collation o JOIN pg_catalog.pg_namespace n ON n.oid = o.collnamespace
                WHERE o.oid = u.attcollation) END,
           u.generated
    FROM used u
    JOIN pg_catalog.pg_type b ON b.oid = u.base
    JOIN pg_catalog.pg_type e ON e.oid = CASE
        WHEN b.typelem <> 0 AND b.typsubscript = 'pg_catalog.array_subscript_handler'::pg_catalog.regproc
        THEN b.typelem ELSE b.oid END
    JOIN pg_catalog.pg_namespace p ON p.oid = e.typnamespace
    ORDER BY u.attrelid, u.attnum";

/// What GROUP BY may rely on (`parse_agg.c`, `remove_useless_groupby_columns`): no deferrable key.
const PRIMARY_KEYS: &str = "\
    SELECT o.conrelid::int8, o.conkey FROM pg_catalog.pg_constraint o
    WHERE o.contype = 'p' AND NOT o.condeferrable AND o.conrelid <> 0";

/// What runs, and what is looked at, when rows are written (`ExecInsert`, `ExecConstraints`,
/// `ExecComputeStoredGenerated`, `FormPartitionKeyDatum`). Code is somebody's own when a dependency on
/// it is recorded and no extension made it: PostgreSQL records none on its own.
const WRITE_FACTS: &str = "\
    WITH own AS (
        SELECT d.classid, d.objid FROM pg_catalog.pg_depend d
        WHERE (d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
               OR d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass
               OR d.refclassid = 'pg_catalog.pg_opclass'::pg_catalog.regclass)
          AND d.refobjid >= 16384
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                          WHERE e.classid = d.refclassid AND e.objid = d.refobjid AND e.deptype = 'e')
    ), running AS (
        SELECT r.oid FROM pg_catalog.pg_constraint o JOIN own ON own.objid = o.oid,
             LATERAL (VALUES (o.conrelid), (o.confrelid)) AS r (oid)
        WHERE own.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND r.oid <> 0
        UNION
        SELECT coalesce(i.indrelid, own.objid)
        FROM own LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = own.objid
        WHERE own.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        UNION
        SELECT e.adrelid FROM pg_catalog.pg_attrdef e JOIN own ON own.objid = e.oid
        JOIN pg_catalog.pg_attribute a ON a.attrelid = e.adrelid AND a.attnum = e.adnum
        WHERE own.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND a.attgenerated <> ''
    )
    SELECT c.oid::int8,
           EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal),
           c.relrowsecurity,
           ARRAY(SELECT k FROM pg_catalog.pg_constraint o,
                     unnest(coalesce(nullif(o.conkey, '{}'), '{0}')) AS k
                 WHERE o.conrelid = c.oid
                 UNION
                 SELECT k FROM pg_catalog.pg_index i, unnest(i.indkey::int2[]) AS k
                 WHERE i.indrelid = c.oid AND i.indisunique
                 UNION
                 SELECT 0 FROM pg_catalog.pg_index i
                 WHERE i.indrelid = c.oid AND i.indisunique AND i.indpred IS NOT NULL
                 UNION
                 SELECT a.attnum FROM pg_catalog.pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull)::int2[],
           c.oid IN (SELECT r.oid FROM running r),
           ARRAY(SELECT coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid), 'true')
                 FROM pg_catalog.pg_policy p
                 WHERE p.polrelid = c.oid AND p.polcmd IN ('r', '*') ORDER BY p.oid)
    FROM pg_catalog.pg_class c
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384";

/// A column's default, or its domain's.
const DEFAULTS: &str = "\
    SELECT a.attrelid::int8, a.attnum,
           coalesce(pg_catalog.pg_get_expr(e.adbin, e.adrelid), t.typdefault)
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND (e.oid IS NOT NULL OR t.typtype = 'd' AND t.typdefault IS NOT NULL)";

const FOREIGN_KEYS: &str = "\
    SELECT o.conrelid::int8, o.conkey, o.confrelid::int8, o.confkey,
           o.confdeltype IN ('c', 'n', 'd') OR o.confupdtype IN ('c', 'n', 'd')
    FROM pg_catalog.pg_constraint o WHERE o.contype = 'f'";

const TYPES: &str = "\
    SELECT n.nspname::text, t.typname::text, t.typtype::text, t.oid::int8,
           CASE WHEN t.typtype = 'c' THEN
               ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
                     WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
                     ORDER BY a.attnum) END
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname <> 'pg_catalog' AND n.nspname !~ '^(pg_(toast|temp|toast_temp)|phigate(_p_[0-9a-f]{16})?$)'
      AND NOT (t.typelem <> 0
               AND t.typsubscript = 'pg_catalog.array_subscript_handler'::pg_catalog.regproc)";

/// The types whose values hold rows of a relation: its row type, and what is made of it.
const ROWS: &str = "\
    WITH RECURSIVE part (type, part) AS (@PARTS@
    ), made (type, relation) AS (
        SELECT c.reltype, c.oid FROM pg_catalog.pg_class c
        WHERE c.oid >= 16384 AND c.reltype <> 0 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
          AND c.relpersistence <> 't'
        UNION
        SELECT p.type, m.relation FROM made m JOIN part p ON p.part = m.type
    )
    SELECT m.type::int8, m.relation::int8 FROM made m";

const COLLATIONS: &str = "\
    SELECT n.nspname::text, o.collname::text
    FROM pg_catalog.pg_collation o JOIN pg_catalog.pg_namespace n ON n.oid = o.collnamespace
    WHERE o.collencoding IN (-1, pg_catalog.pg_char_to_encoding(pg_catalog.getdatabaseencoding()))";

/// Reads the whole catalog: relations of every schema but temporary ones, their columns, types and
/// collations. Not cancel safe: drop the connection too.
///
/// # Errors
/// When the server is too old, its encoding is none, or a query fails.
pub async fn read(connection: &mut PgConnection) -> Result<Snapshot, CatalogError> {
    read_at(connection, FIRST_EPOCH).await
}

/// The same, as of this epoch.
pub(crate) async fn read_at(
    connection: &mut PgConnection,
    epoch: u64,
) -> Result<Snapshot, CatalogError> {
    let major = check_server(connection).await?;
    let mut transaction = connection.begin_with(BEGIN).await?;
    let mut builder = SnapshotBuilder::new(epoch, major);

    for row in transaction.fetch_all(SCHEMAS).await? {
        if row.try_get(2)? {
            builder.machinery(oid(&row, 1)?);
        } else {
            builder.schema(row.try_get(0)?);
        }
    }
    let mut columns = HashMap::<u32, Vec<Column>>::new();
    for row in transaction.fetch_all(COLUMNS).await? {
        columns
            .entry(oid(&row, 0)?)
            .or_default()
            .push(column(&row)?);
    }
    for row in transaction.fetch_all(RELATIONS).await? {
        let relation = relation(&row, &mut columns)?;
        builder.relation(relation);
    }
    for row in transaction.fetch_all(PRIMARY_KEYS).await? {
        builder.primary_key(oid(&row, 0)?, row.try_get(1)?);
    }
    write_facts(&mut transaction, &mut builder).await?;
    let code = own_code::read(&mut transaction, &mut builder).await?;
    for row in transaction.fetch_all(TYPES).await? {
        let kind = match row.try_get(2)? {
            // Giving it a value would run code, be it within a part of it.
            _ if code.contains(&oid(&row, 3)?) => UserType::Other,
            "e" => UserType::Enum,
            "d" => UserType::Domain,
            "c" => UserType::Composite,
            _ => UserType::Other,
        };
        builder.user_type(row.try_get(0)?, row.try_get(1)?, kind);
        if let Some(attributes) = row.try_get(4)? {
            builder.composite(oid(&row, 3)?, attributes);
        }
    }
    let asked = AssertSqlSafe(ROWS.replace("@PARTS@", own_code::PARTS));
    for row in transaction.fetch_all(asked).await? {
        builder.row_within(oid(&row, 0)?, oid(&row, 1)?);
    }
    for row in transaction.fetch_all(COLLATIONS).await? {
        builder.collation(row.try_get(0)?, row.try_get(1)?);
    }
    if transaction.fetch_one(IS_HARDENED).await?.try_get(0)? {
        for row in transaction.fetch_all(HARDENED).await? {
            let view = HardenedView {
                view: oid(&row, 2)?,
                own_rows: row
                    .try_get::<Option<i64>, _>(4)?
                    .and_then(|oid| oid.try_into().ok()),
                fingerprint: row.try_get(3)?,
            };
            builder.hardened(row.try_get(0)?, oid(&row, 1)?, view);
        }
    }
    transaction.commit().await?;
    Ok(builder.build())
}

/// What happens when rows are written, of each table.
async fn write_facts(
    connection: &mut PgConnection,
    builder: &mut SnapshotBuilder,
) -> Result<(), CatalogError> {
    let mut defaults = HashMap::<u32, Vec<(i16, String)>>::new();
    for row in connection.fetch_all(DEFAULTS).await? {
        let default = (row.try_get(1)?, row.try_get(2)?);
        defaults.entry(oid(&row, 0)?).or_default().push(default);
    }
    for row in connection.fetch_all(WRITE_FACTS).await? {
        let relation = oid(&row, 0)?;
        let facts = WriteFacts {
            triggers: row.try_get(1)?,
            row_security: row.try_get(2)?,
            constrained: row.try_get(3)?,
            runs_code: row.try_get(4)?,
            row_policies: row.try_get(5)?,
            defaults: defaults.remove(&relation).unwrap_or_default(),
        };
        builder.write_facts(relation, facts);
    }
    for row in connection.fetch_all(FOREIGN_KEYS).await? {
        builder.foreign_key(&ForeignKey {
            from: oid(&row, 0)?,
            columns: row.try_get(1)?,
            to: oid(&row, 2)?,
            referenced: row.try_get(3)?,
            acts: row.try_get(4)?,
        });
    }
    Ok(())
}

/// The server's major version, if it is one we know how to talk to.
async fn check_server(connection: &mut PgConnection) -> Result<u16, CatalogError> {
    let row = connection
        .fetch_one(
            "SELECT pg_catalog.current_setting('server_version_num')::int4,
                    pg_catalog.current_setting('server_version'),
                    pg_catalog.getdatabaseencoding()::text,
                    coalesce(host(pg_catalog.inet_server_addr()) || ':' ||
                             pg_catalog.inet_server_port()::text, 'the server')",
        )
        .await?;
    let major = u16::try_from(row.try_get::<i32, _>(0)? / 10_000).unwrap_or(0);
    if major < OLDEST_MAJOR {
        let (found, address) = (row.try_get(1)?, row.try_get(3)?);
        return Err(CatalogError::TooOld {
            address,
            oldest: OLDEST_MAJOR,
            found,
        });
    }
    if row.try_get::<&str, _>(2)? == "SQL_ASCII" {
        return Err(CatalogError::Encoding);
    }
    Ok(major)
}

fn relation(
    row: &PgRow,
    columns: &mut HashMap<u32, Vec<Column>>,
) -> Result<Relation, CatalogError> {
    let oid = oid(row, 0)?;
    let parents: Vec<i64> = row.try_get(4)?;
    Ok(Relation {
        oid,
        schema: row.try_get(1)?,
        name: row.try_get(2)?,
        kind: match row.try_get(3)? {
            "r" => RelationKind::Table,
            "p" => RelationKind::PartitionedTable,
            "v" => RelationKind::View,
            "m" => RelationKind::MaterializedView,
            "f" => RelationKind::ForeignTable,
            _ => RelationKind::Sequence,
        },
        columns: columns.remove(&oid).unwrap_or_default(),
        parents: parents
            .into_iter()
            .filter_map(|parent| parent.try_into().ok())
            .collect(),
        definition: row.try_get(5)?,
        has_rules: row.try_get(6)?,
    })
}

fn column(row: &PgRow) -> Result<Column, CatalogError> {
    let base = oid(row, 4)?;
    let (is_enum, is_array): (bool, bool) = (row.try_get(9)?, row.try_get(10)?);
    let base_name: String = row.try_get(6)?;
    let domain: Option<String> = row.try_get(7)?;
    let kind = match (is_enum, is_array) {
        (true, _) => TypeKind::Enum,
        (_, true) => TypeKind::Array,
        _ => TypeKind::from_oid(base),
    };
    let (name, base) = match domain {
        Some(domain) => (domain, Some(base_name)),
        None => (base_name, None),
    };
    Ok(Column {
        attnum: row.try_get(1)?,
        name: row.try_get(2)?,
        ty: ColumnType {
            oid: oid(row, 3)?,
            typmod: row.try_get(5)?,
            name,
            kind,
            not_null_domain: row.try_get(8)?,
            collation: row.try_get(11)?,
            base,
        },
        generated: row.try_get(12)?,
    })
}

fn oid(row: &PgRow, index: usize) -> Result<u32, CatalogError> {
    u32::try_from(row.try_get::<i64, _>(index)?)
        .map_err(|_| CatalogError::Query("an oid does not fit 32 bits".to_owned()))
}
