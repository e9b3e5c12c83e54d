//! Relations of `pg_catalog` and `information_schema`.
//!
//! `relations.txt`: `schema.relation allow|deny majors [hidden=a,b|shown=a,b] [where=filter]
//! # why denied`. A hidden column reads as NULL of its type, so that `\d`, `SELECT *` and drivers keep
//! their shape; of statistics and activity all but the shown ones are hidden, whatever a later major
//! adds (`shown=-`: all). A filter drops rows, see [`CatalogRelation::filter`].

use std::collections::HashMap;
use std::sync::LazyLock;

use super::table;

/// A catalog relation that clients may read.
#[derive(Debug)]
pub(crate) struct CatalogRelation {
    columns: Columns,
    /// Condition on the relation's own columns that its rows must meet, as SQL over unqualified
    /// column names; place it in the derived table's WHERE.
    pub(crate) filter: Option<&'static str>,
}

/// Which columns of a catalog relation read as NULL.
#[derive(Debug)]
enum Columns {
    /// These: statistics, passwords, options, values of sequences.
    Hidden(Vec<&'static str>),
    /// All but these.
    Shown(Vec<&'static str>),
}

impl CatalogRelation {
    /// Whether a column reads as NULL.
    pub(crate) fn hides(&self, column: &str) -> bool {
        match &self.columns {
            Columns::Hidden(list) => list.contains(&column),
            Columns::Shown(list) => !list.contains(&column),
        }
    }

    /// Whether any column may.
    pub(crate) fn hides_any(&self) -> bool {
        !matches!(&self.columns, Columns::Hidden(list) if list.is_empty())
    }
}

/// The catalog relation `schema.name`, if clients may read it.
pub(crate) fn catalog_relation(schema: &str, name: &str) -> Option<&'static CatalogRelation> {
    RELATIONS.get(schema)?.get(name)?.as_ref().ok()
}

/// Why the catalog relation `schema.name` is denied.
pub(crate) fn catalog_relation_denied(schema: &str, name: &str) -> Option<&'static str> {
    RELATIONS.get(schema)?.get(name)?.as_ref().err().copied()
}

const OWN_SESSION: &str = "\"pid\" OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()";

/// What the session itself has locked by name: what it locks on its way there (rows, pages, where a
/// wide value is kept, which index a plan took) depends on values that are masked.
const OWN_LOCKS: &str = "\"pid\" OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() \
     AND \"locktype\" OPERATOR(pg_catalog.=) 'relation'::pg_catalog.text \
     AND \"mode\" OPERATOR(pg_catalog.<>) 'SIReadLock'::pg_catalog.text \
     AND EXISTS (SELECT FROM pg_catalog.pg_class AS o WHERE o.oid OPERATOR(pg_catalog.=) \"t\".\"relation\" \
         AND o.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f}'::pg_catalog.\"char\"[]))";

type BySchema = HashMap<&'static str, HashMap<&'static str, Result<CatalogRelation, &'static str>>>;

static RELATIONS: LazyLock<BySchema> = LazyLock::new(|| {
    let mut relations = BySchema::new();
    for row in table::rows(include_str!("relations.txt")) {
        let Some((schema, name)) = row.word(0).split_once('.') else {
            continue;
        };
        let relation = match row.word(1) {
            "allow" => Ok(CatalogRelation {
                columns: columns(row.word(3)),
                filter: filter(row.word(3)).or_else(|| filter(row.word(4))),
            }),
            _ => Err(row.remark()),
        };
        relations.entry(schema).or_default().insert(name, relation);
    }
    relations
});

fn columns(word: &'static str) -> Columns {
    let list = |list: &'static str| list.split(',').collect();
    match (word.strip_prefix("hidden="), word.strip_prefix("shown=")) {
        (_, Some(shown)) => Columns::Shown(list(shown)),
        (Some(hidden), None) => Columns::Hidden(list(hidden)),
        (None, None) => Columns::Hidden(Vec::new()),
    }
}

/// The SQL behind the name that a row gives its filter.
fn filter(word: &str) -> Option<&'static str> {
    Some(match word.strip_prefix("where=")? {
        // The gateway's keys are settings of the session.
        "no-gateway-settings" => "\"name\" OPERATOR(pg_catalog.!~~) 'phigate.%'::pg_catalog.text",
        "own-session" => OWN_SESSION,
        "own-locks" => OWN_LOCKS,
        // Rows that are the activity of others, and no more than a shape to clients.
        "no-rows" => "false",
        // A filter that nobody knows lets no row through.
        _ => "false",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_list_is_allowed() {
        for name in [
            "pg_class",
            "pg_attribute",
            "pg_namespace",
            "pg_type",
            "pg_index",
            "pg_constraint",
            "pg_proc",
            "pg_description",
            "pg_am",
            "pg_attrdef",
            "pg_roles",
            "pg_database",
            "pg_settings",
            "pg_tables",
            "pg_indexes",
            "pg_views",
            "pg_collation",
            "pg_trigger",
            "pg_rewrite",
            "pg_depend",
            "pg_inherits",
            "pg_enum",
            "pg_range",
            "pg_extension",
            "pg_stat_activity",
            "pg_stat_user_tables",
            "pg_statio_all_tables",
            "pg_stat_database",
            "pg_locks",
            "pg_prepared_statements",
            "pg_cursors",
        ] {
            assert!(catalog_relation("pg_catalog", name).is_some(), "{name}");
        }
        for name in [
            "tables",
            "columns",
            "table_constraints",
            "key_column_usage",
            "views",
        ] {
            assert!(
                catalog_relation("information_schema", name).is_some(),
                "{name}"
            );
        }
    }

    /// SQL.md 5.3: statistics, activity, passwords, what others run.
    #[test]
    fn what_holds_values_or_activity_is_denied_with_a_reason() {
        for name in [
            "pg_stats",
            "pg_statistic",
            "pg_statistic_ext_data",
            "pg_stats_ext",
            "pg_stats_ext_exprs",
            "pg_shadow",
            "pg_authid",
            "pg_user_mapping",
            "pg_largeobject",
            "pg_file_settings",
            "pg_hba_file_rules",
        ] {
            assert!(catalog_relation("pg_catalog", name).is_none(), "{name}");
            let reason = catalog_relation_denied("pg_catalog", name);
            assert!(reason.is_some_and(|reason| !reason.is_empty()), "{name}");
        }
        assert!(catalog_relation("pg_catalog", "patients").is_none());
        assert!(catalog_relation("public", "pg_class").is_none());
    }

    #[test]
    fn statistics_and_secrets_are_hidden() {
        let hides = |name, column| {
            let relation = catalog_relation("pg_catalog", name).unwrap();
            relation.hides(column)
        };
        for column in ["reltuples", "relpages", "relallvisible"] {
            assert!(hides("pg_class", column), "{column}");
        }
        // The default of a column added later, which stands for the cell of every older row.
        assert!(hides("pg_attribute", "attmissingval"));
        assert!(hides("pg_sequences", "last_value"));
        assert!(hides("pg_subscription", "subconninfo"));
        assert!(hides("pg_db_role_setting", "setconfig"));
    }

    /// Of statistics and activity, names and the session's own rows are shown: whatever a later major
    /// adds to these views is hidden.
    #[test]
    fn statistics_and_activity_are_shapes() {
        for row in table::rows(include_str!("relations.txt")) {
            let name = row.word(0).trim_start_matches("pg_catalog.");
            let named = [
                "pg_stat_",
                "pg_statio_",
                "pg_locks",
                "pg_cursors",
                "pg_prepared_",
            ];
            if row.word(1) == "allow" && named.iter().any(|prefix| name.starts_with(prefix)) {
                let relation = catalog_relation("pg_catalog", name).unwrap();
                assert!(relation.hides("a_column_of_postgresql_19"), "{name}");
                for column in [
                    "query",
                    "statement",
                    "n_live_tup",
                    "seq_scan",
                    "idx_scan",
                    "page",
                    "tuple",
                ] {
                    assert!(relation.hides(column), "{name}.{column}");
                }
            }
        }
        let filter = |name| {
            catalog_relation("pg_catalog", name)
                .unwrap()
                .filter
                .unwrap()
        };
        for name in [
            "pg_stat_activity",
            "pg_locks",
            "pg_stat_ssl",
            "pg_stat_gssapi",
        ] {
            assert!(filter(name).contains("pg_backend_pid"), "{name}");
        }
        assert_eq!(filter("pg_stat_replication"), "false");
    }

    #[test]
    fn the_gateways_keys_are_not_settings_anyone_sees() {
        let settings = catalog_relation("pg_catalog", "pg_settings").unwrap();
        assert!(settings.filter.unwrap().contains("phigate"));
    }
}
