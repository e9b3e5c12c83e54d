//! Relations of `pg_catalog` and `information_schema`.
//!
//! `relations.txt`: `schema.relation allow|deny majors [hidden=a,b] [where=filter]  # why denied`.
//! A hidden column reads as NULL of its type, so that `\d`, `SELECT *` and drivers keep their
//! shape; a filter drops rows, see [`CatalogRelation::filter`].

use std::collections::HashMap;
use std::sync::LazyLock;

use super::table;

/// A catalog relation that clients may read.
#[derive(Debug)]
pub(crate) struct CatalogRelation {
    /// Columns that read as NULL: statistics, passwords, options, values of sequences.
    pub(crate) hidden_columns: &'static [&'static str],
    /// Condition on the relation's own columns that its rows must meet, as SQL over unqualified
    /// column names; place it in the derived table's WHERE.
    pub(crate) filter: Option<&'static str>,
}

/// The catalog relation `schema.name`, if clients may read it.
pub(crate) fn catalog_relation(schema: &str, name: &str) -> Option<&'static CatalogRelation> {
    RELATIONS.get(schema)?.get(name)?.as_ref().ok()
}

/// Why the catalog relation `schema.name` is denied.
pub(crate) fn catalog_relation_denied(schema: &str, name: &str) -> Option<&'static str> {
    RELATIONS.get(schema)?.get(name)?.as_ref().err().copied()
}

type BySchema = HashMap<&'static str, HashMap<&'static str, Result<CatalogRelation, &'static str>>>;

static RELATIONS: LazyLock<BySchema> = LazyLock::new(|| {
    let mut relations = BySchema::new();
    for row in table::rows(include_str!("relations.txt")) {
        let Some((schema, name)) = row.word(0).split_once('.') else {
            continue;
        };
        let relation = match row.word(1) {
            "allow" => Ok(CatalogRelation {
                // Leaked once for the life of the process: the table is read once.
                hidden_columns: Box::leak(
                    row.word(3)
                        .strip_prefix("hidden=")
                        .map(|list| list.split(',').collect::<Vec<_>>())
                        .unwrap_or_default()
                        .into_boxed_slice(),
                ),
                filter: filter(row.word(3)).or_else(|| filter(row.word(4))),
            }),
            _ => Err(row.remark()),
        };
        relations.entry(schema).or_default().insert(name, relation);
    }
    relations
});

/// The SQL behind the name that a row gives its filter.
fn filter(word: &str) -> Option<&'static str> {
    Some(match word.strip_prefix("where=")? {
        // The gateway's keys are settings of the session.
        "no-gateway-settings" => "\"name\" OPERATOR(pg_catalog.!~~) 'phigate.%'::pg_catalog.text",
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
            "pg_stat_activity",
            "pg_stat_user_tables",
            "pg_statio_all_tables",
            "pg_shadow",
            "pg_authid",
            "pg_user_mapping",
            "pg_largeobject",
            "pg_prepared_statements",
            "pg_cursors",
            "pg_prepared_xacts",
            "pg_file_settings",
            "pg_hba_file_rules",
            "pg_locks",
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
        let hidden = |name| catalog_relation("pg_catalog", name).unwrap().hidden_columns;
        for column in ["reltuples", "relpages", "relallvisible"] {
            assert!(hidden("pg_class").contains(&column), "{column}");
        }
        // The default of a column added later, which stands for the cell of every older row.
        assert!(hidden("pg_attribute").contains(&"attmissingval"));
        assert!(hidden("pg_sequences").contains(&"last_value"));
        assert!(hidden("pg_subscription").contains(&"subconninfo"));
        assert!(hidden("pg_db_role_setting").contains(&"setconfig"));
    }

    #[test]
    fn the_gateways_keys_are_not_settings_anyone_sees() {
        let settings = catalog_relation("pg_catalog", "pg_settings").unwrap();
        assert!(settings.filter.unwrap().contains("phigate"));
    }
}
