//! Built-in functions, by name and number of arguments.
//!
//! `functions.txt`, one row for each set of overloads that look alike:
//!
//! ```text
//! name  arguments  allow|deny|setting|null4|null8|null4s|nullts  kind  majors  [columns]  # why denied
//! ```
//!
//! `arguments` is a list of counts, `2+` for a variadic function. For an ordered-set aggregate they
//! are the direct arguments, not those of WITHIN GROUP. All overloads of one count are judged
//! together: when one of them is denied, the count is.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::table::{self, Row};

/// A built-in function that clients may call.
#[derive(Debug)]
pub(crate) struct Function {
    /// Its name in `pg_catalog` (or `information_schema`).
    pub(crate) name: &'static str,
    /// What kind of function it is.
    pub(crate) kind: FunctionKind,
    /// Which columns it has in FROM.
    pub(crate) columns: Columns,
    /// What a call must look like beyond its number of arguments.
    pub(crate) guard: Guard,
    arguments: Arguments,
}

/// What kind of function: where it may be called and with which clauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FunctionKind {
    /// One value.
    Scalar,
    /// An aggregate: DISTINCT, ORDER BY, FILTER and OVER may follow.
    Aggregate,
    /// An ordered-set or hypothetical-set aggregate: WITHIN GROUP must follow.
    OrderedSet,
    /// A window function: OVER must follow.
    Window,
    /// A set of rows.
    SetReturning,
}

/// The columns a function has when it stands in FROM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Columns {
    /// These; a function that returns one value has one column of its own name.
    Named(&'static [&'static str]),
    /// Those of the column definition list that must follow (`json_to_record(...) AS t(a int)`).
    Definition,
    /// Those of its composite argument (`json_populate_record(null::t, ...)`).
    Argument,
}

/// What a call must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Nothing more.
    None,
    /// Its first argument is the name of a setting that may be shown.
    SettingName,
    /// Clients may call it and are told nothing: the answer is NULL of its type.
    Null(NullOf),
}

/// The type of an answer that tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NullOf {
    Bigint,
    Integer,
    Integers,
    Timestamp,
}

/// The built-in function that clients may call by this name with this many arguments.
pub(crate) fn function(name: &str, arguments: usize) -> Option<&'static Function> {
    find(&FUNCTIONS.allowed, name, arguments)
}

/// Why the built-in function of this name and number of arguments is denied.
pub(crate) fn function_denied(name: &str, arguments: usize) -> Option<&'static str> {
    let rows = FUNCTIONS.denied.get(name)?;
    rows.iter()
        .find(|(counts, _)| counts.take(arguments))
        .map(|(_, remark)| *remark)
}

/// The function of `information_schema` that clients may call.
pub(crate) fn information_schema_function(
    name: &str,
    arguments: usize,
) -> Option<&'static Function> {
    find(&INFORMATION_SCHEMA.allowed, name, arguments)
}

/// The names of all built-in functions that clients may call, in no order.
pub(super) fn allowed_names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.allowed.keys().copied()
}

/// The names of all aggregates that clients may call, in no order.
#[cfg(test)]
pub(crate) fn aggregates() -> impl Iterator<Item = &'static str> {
    let is_aggregate = |f: &&Function| f.kind == FunctionKind::Aggregate;
    let allowed = FUNCTIONS.allowed.values().flatten();
    allowed.filter(is_aggregate).map(|function| function.name)
}

/// With how many arguments the function of this name may be called, for people: `1`, `1 or 2`,
/// `2 or more`; `None` when it may not be called at all.
pub(super) fn allowed_counts(name: &str) -> Option<String> {
    let functions = FUNCTIONS.allowed.get(name)?;
    let takes = |count: usize| functions.iter().any(|f| f.arguments.take(count));
    let counts: Vec<String> = (0..=MOST_TOLD)
        .filter(|count| takes(*count))
        .map(|count| count.to_string())
        .collect();
    let more = takes(MOST_TOLD + 1);
    Some(match (counts.as_slice(), more) {
        ([first, ..], true) => format!("{first} or more"),
        ([], _) => return None,
        ([only], false) => only.clone(),
        ([first @ .., last], false) => format!("{} or {last}", first.join(", ")),
    })
}

impl Function {
    /// Whether it takes any number of arguments, or VARIADIC.
    pub(crate) fn is_variadic(&self) -> bool {
        self.arguments.variadic
    }
}

/// Numbers of arguments above this are told as "or more".
const MOST_TOLD: usize = 15;

/// Which numbers of arguments a row speaks of.
#[derive(Debug, Clone, Copy)]
struct Arguments {
    /// Bit n: n arguments.
    counts: u128,
    /// Any number above the highest bit too.
    variadic: bool,
}

impl Arguments {
    fn parse(text: &str) -> Self {
        let (list, variadic) = text
            .strip_suffix('+')
            .map_or((text, false), |list| (list, true));
        let counts = list
            .split(',')
            .filter_map(|count| count.parse::<u32>().ok())
            .filter(|count| *count < u128::BITS)
            .fold(0, |counts, count| counts | (1 << count));
        Self { counts, variadic }
    }

    fn take(self, arguments: usize) -> bool {
        let above = self.variadic
            && self
                .counts
                .checked_ilog2()
                .is_some_and(|most| arguments > most as usize);
        above || u32::try_from(arguments).is_ok_and(|n| n < u128::BITS && self.counts >> n & 1 == 1)
    }
}

#[derive(Default)]
struct Table {
    allowed: HashMap<&'static str, Vec<Function>>,
    denied: HashMap<&'static str, Vec<(Arguments, &'static str)>>,
}

static FUNCTIONS: LazyLock<Table> = LazyLock::new(|| read(include_str!("functions.txt")));
static INFORMATION_SCHEMA: LazyLock<Table> =
    LazyLock::new(|| read(include_str!("information_schema_functions.txt")));

fn find(
    table: &'static HashMap<&'static str, Vec<Function>>,
    name: &str,
    arguments: usize,
) -> Option<&'static Function> {
    table
        .get(name)?
        .iter()
        .find(|function| function.arguments.take(arguments))
}

fn read(text: &'static str) -> Table {
    let mut table = Table::default();
    for row in table::rows(text) {
        let arguments = Arguments::parse(row.word(1));
        let guard = match row.word(2) {
            "allow" => Guard::None,
            "setting" => Guard::SettingName,
            "null8" => Guard::Null(NullOf::Bigint),
            "null4" => Guard::Null(NullOf::Integer),
            "null4s" => Guard::Null(NullOf::Integers),
            "nullts" => Guard::Null(NullOf::Timestamp),
            _ => {
                table
                    .denied
                    .entry(row.word(0))
                    .or_default()
                    .push((arguments, row.remark()));
                continue;
            }
        };
        let Some(kind) = kind(row.word(3)) else {
            continue;
        };
        let function = Function {
            name: row.word(0),
            kind,
            columns: columns(&row),
            guard,
            arguments,
        };
        table
            .allowed
            .entry(function.name)
            .or_default()
            .push(function);
    }
    table
}

fn kind(word: &str) -> Option<FunctionKind> {
    Some(match word {
        "scalar" => FunctionKind::Scalar,
        "aggregate" => FunctionKind::Aggregate,
        "ordered" => FunctionKind::OrderedSet,
        "window" => FunctionKind::Window,
        "set" => FunctionKind::SetReturning,
        _ => return None,
    })
}

fn columns(row: &Row) -> Columns {
    match row.word(5) {
        "" => Columns::Named(Box::leak(Box::new([row.word(0)]))),
        "definition" => Columns::Definition,
        "argument" => Columns::Argument,
        // Leaked once for the life of the process: the table is read once.
        list => Columns::Named(Box::leak(list.split(',').collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_analysts_and_clients_call_is_allowed() {
        for (name, arguments) in [
            ("lower", 1),
            ("substr", 2),
            ("substring", 3),
            ("date_trunc", 2),
            ("extract", 2),
            ("count", 0),
            ("count", 1),
            ("avg", 1),
            ("string_agg", 2),
            ("concat", 7),
            ("format", 3),
            ("row_number", 0),
            ("lag", 3),
            ("percentile_cont", 1),
            ("mode", 0),
            ("rank", 0),
            ("width_bucket", 4),
            ("generate_series", 3),
            ("unnest", 1),
            ("json_each", 1),
            ("jsonb_path_query", 4),
            ("regexp_replace", 4),
            ("now", 0),
            ("to_char", 2),
            ("age", 2),
            ("justify_interval", 1),
            ("pg_get_expr", 2),
            ("pg_get_expr", 3),
            ("format_type", 2),
            ("pg_table_is_visible", 1),
            ("obj_description", 2),
            ("pg_get_userbyid", 1),
            ("pg_encoding_to_char", 1),
            ("has_table_privilege", 3),
            ("current_schemas", 1),
            ("pg_backend_pid", 0),
            ("quote_ident", 1),
            ("array_to_string", 2),
            ("version", 0),
            ("pg_sleep", 1),
            ("to_tsvector", 2),
            ("ts_rewrite", 3),
            ("make_interval", 7),
            ("gen_random_uuid", 0),
        ] {
            assert!(function(name, arguments).is_some(), "{name}/{arguments}");
        }
    }

    /// SQL.md 5.3: functions that read what no mask covers, or change state.
    #[test]
    fn what_reads_around_the_mask_is_denied_with_a_reason() {
        for (name, arguments) in [
            ("query_to_xml", 4),
            ("table_to_xml", 4),
            ("schema_to_xml", 4),
            ("database_to_xml", 3),
            ("cursor_to_xml", 5),
            ("ts_stat", 1),
            ("ts_stat", 2),
            ("ts_rewrite", 2),
            ("pg_read_file", 1),
            ("pg_read_binary_file", 3),
            ("pg_ls_dir", 1),
            ("pg_stat_file", 1),
            ("lo_get", 1),
            ("lo_export", 2),
            ("loread", 2),
            ("set_config", 3),
            ("nextval", 1),
            ("setval", 2),
            ("currval", 1),
            ("pg_notify", 2),
            ("pg_advisory_lock", 1),
            ("pg_terminate_backend", 2),
            ("pg_cancel_backend", 1),
            ("pg_export_snapshot", 0),
            ("pg_stat_get_activity", 1),
            ("pg_stat_get_backend_activity", 1),
            ("textin", 1),
            ("record_out", 1),
            ("pg_sequence_last_value", 1),
            ("pg_get_sequence_data", 1),
            ("currtid2", 2),
            ("binary_upgrade_set_next_pg_enum_oid", 1),
            ("pg_show_all_settings", 0),
            ("pg_prepared_statement", 0),
            ("pg_cursor", 0),
            ("current_query", 0),
            ("satisfies_hash_partition", 4),
            ("pg_logical_slot_get_changes", 4),
        ] {
            assert!(function(name, arguments).is_none(), "{name}/{arguments}");
            let reason = function_denied(name, arguments);
            assert!(
                reason.is_some_and(|reason| !reason.is_empty()),
                "{name}/{arguments}"
            );
        }
    }

    #[test]
    fn unknown_functions_and_counts_are_not_allowed() {
        assert!(function("f_secdef", 0).is_none());
        assert!(function("lower", 2).is_none(), "lower takes one argument");
        assert!(function("LOWER", 1).is_none(), "names come folded");
    }

    #[test]
    fn a_setting_must_be_named_literally() {
        let function = function("current_setting", 2).unwrap();
        assert_eq!(function.guard, Guard::SettingName);
    }

    #[test]
    fn counts_of_rows_and_sizes_are_answered_with_null() {
        for (name, arguments) in [
            ("pg_relation_size", 1),
            ("pg_stat_get_live_tuples", 1),
            ("pg_stat_get_numscans", 1),
            ("pg_stat_get_last_analyze_time", 1),
            ("pg_blocking_pids", 1),
        ] {
            let guard = function(name, arguments).unwrap().guard;
            assert!(matches!(guard, Guard::Null(_)), "{name}");
        }
    }

    #[test]
    fn columns_in_from_are_known() {
        let columns = |name, arguments| function(name, arguments).unwrap().columns;
        assert_eq!(columns("json_each", 1), Columns::Named(&["key", "value"]));
        assert_eq!(
            columns("generate_series", 2),
            Columns::Named(&["generate_series"])
        );
        assert_eq!(
            columns("jsonb_array_elements", 1),
            Columns::Named(&["value"])
        );
        assert_eq!(columns("json_to_recordset", 1), Columns::Definition);
        assert_eq!(columns("jsonb_populate_record", 2), Columns::Argument);
        let expand = information_schema_function("_pg_expandarray", 1).unwrap();
        assert_eq!(expand.columns, Columns::Named(&["x", "n"]));
    }

    #[test]
    fn kinds_and_counts_are_read() {
        let find = |name, arguments| function(name, arguments).unwrap();
        assert_eq!(find("sum", 1).kind, FunctionKind::Aggregate);
        assert_eq!(find("percentile_disc", 1).kind, FunctionKind::OrderedSet);
        assert_eq!(find("ntile", 1).kind, FunctionKind::Window);
        assert_eq!(find("unnest", 1).kind, FunctionKind::SetReturning);
        assert!(find("concat", 20).is_variadic() && find("concat", 1).is_variadic());
        assert!(!find("round", 1).is_variadic() && !find("round", 2).is_variadic());
    }

    #[test]
    fn every_row_is_well_formed_and_every_denial_has_a_reason() {
        for row in table::rows(include_str!("functions.txt")) {
            let name = row.word(0);
            assert!(
                Arguments::parse(row.word(1)).counts != 0,
                "{name}: arguments"
            );
            assert!(kind(row.word(3)).is_some(), "{name}: kind");
            match row.word(2) {
                "allow" | "setting" => {}
                "deny" | "null4" | "null8" | "null4s" | "nullts" => {
                    assert!(!row.remark().is_empty(), "{name}: why is it denied?");
                }
                other => panic!("{name}: decision {other}"),
            }
        }
    }
}
