//! PostgreSQL's own relations, as psql and drivers ask for them.

use super::listing;
use crate::testing::World;

#[test]
fn catalogs_are_read_by_list() {
    let world = World::limited();
    shown!(listing(
        &world,
        &[
            "select relname, reltuples from pg_class where relkind in ('r', 'p')",
            "select c.oid, c.tableoid, c.xmin from pg_catalog.pg_class c",
            "select xmin from visits",
            "select ctid from patients",
            "select * from pg_stats",
            "select * from pg_catalog.pg_statistic",
            "select passwd from pg_shadow",
            "select query from pg_stat_activity",
            "select table_name from information_schema.tables",
            "select rolname from pg_roles",
        ]
    ));
}

#[test]
fn describe_as_psql_asks_for_it() {
    let world = World::limited();
    for statement in [
        "select c.oid, n.nspname, c.relname from pg_catalog.pg_class c left join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relname operator(pg_catalog.~) '^(patients)$' collate pg_catalog.default and pg_catalog.pg_table_is_visible(c.oid) order by 2, 3",
        "select a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (select pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) from pg_catalog.pg_attrdef d where d.adrelid = a.attrelid and d.adnum = a.attnum and a.atthasdef), a.attnotnull from pg_catalog.pg_attribute a where a.attrelid = '16646' and a.attnum > 0 and not a.attisdropped order by a.attnum",
        "select true as sametable, conname, pg_catalog.pg_get_constraintdef(r.oid, true) as condef, conrelid::pg_catalog.regclass as ontable from pg_catalog.pg_constraint r where r.conrelid = '16646' and r.contype = 'f' order by conname",
    ] {
        let batch = world.analyse(statement).unwrap();
        assert!(
            !batch.permits[0].masked(),
            "nothing of a patient is in it: {statement}"
        );
    }
}
