//! What hardening made in the database is nobody's business but ours: the rows of catalogs that tell
//! of it are not shown.

use super::INNER;
use crate::snapshot::{INFORMATION_SCHEMA, Relation, Snapshot};

/// Roles that hardening made (POSIX expression): owner, readers, writers and logins.
const ROLES: &str = "^phigate_(definer$|[a-z]_[0-9a-f]{16})";
/// Schemas that hardening made, by name.
const SCHEMAS: &str = "^phigate(_p_[0-9a-f]{16})?$";
/// Event triggers that hardening made.
const EVENT_TRIGGERS: &str = "^phigate_";

/// How a catalog's rows tell what they are about.
enum About {
    /// A column holds the schema's oid.
    Schema(&'static str),
    /// A column holds a relation's oid.
    Class(&'static str),
    /// A column holds the schema's name.
    SchemaName(&'static str),
    /// A column holds a role's name.
    Role(&'static str),
    /// Two columns hold roles' oids.
    Member(&'static str, &'static str),
    /// Pairs of columns hold catalog and object.
    Object(&'static [(&'static str, &'static str)]),
    /// A column holds an event trigger's name.
    EventTrigger(&'static str),
}

/// Every catalog that tells of objects in schemas, or of roles.
const CATALOGS: &[(&str, About)] = &[
    ("pg_namespace", About::Schema("oid")),
    ("pg_class", About::Schema("relnamespace")),
    ("pg_type", About::Schema("typnamespace")),
    ("pg_proc", About::Schema("pronamespace")),
    ("pg_constraint", About::Schema("connamespace")),
    ("pg_statistic_ext", About::Schema("stxnamespace")),
    ("pg_default_acl", About::Schema("defaclnamespace")),
    ("pg_attribute", About::Class("attrelid")),
    ("pg_attrdef", About::Class("adrelid")),
    ("pg_index", About::Class("indrelid")),
    ("pg_trigger", About::Class("tgrelid")),
    ("pg_rewrite", About::Class("ev_class")),
    ("pg_inherits", About::Class("inhrelid")),
    ("pg_sequence", About::Class("seqrelid")),
    ("pg_policy", About::Class("polrelid")),
    ("pg_partitioned_table", About::Class("partrelid")),
    ("pg_tables", About::SchemaName("schemaname")),
    ("pg_views", About::SchemaName("schemaname")),
    ("pg_matviews", About::SchemaName("schemaname")),
    ("pg_indexes", About::SchemaName("schemaname")),
    ("pg_sequences", About::SchemaName("schemaname")),
    ("pg_rules", About::SchemaName("schemaname")),
    ("pg_policies", About::SchemaName("schemaname")),
    ("pg_publication_tables", About::SchemaName("schemaname")),
    ("pg_stat_all_tables", About::SchemaName("schemaname")),
    ("pg_stat_user_tables", About::SchemaName("schemaname")),
    ("pg_stat_all_indexes", About::SchemaName("schemaname")),
    ("pg_stat_user_indexes", About::SchemaName("schemaname")),
    ("pg_stat_xact_all_tables", About::SchemaName("schemaname")),
    ("pg_stat_xact_user_tables", About::SchemaName("schemaname")),
    ("pg_statio_all_tables", About::SchemaName("schemaname")),
    ("pg_statio_user_tables", About::SchemaName("schemaname")),
    ("pg_statio_all_indexes", About::SchemaName("schemaname")),
    ("pg_statio_user_indexes", About::SchemaName("schemaname")),
    ("pg_statio_all_sequences", About::SchemaName("schemaname")),
    ("pg_statio_user_sequences", About::SchemaName("schemaname")),
    ("pg_locks", About::Class("relation")),
    ("pg_roles", About::Role("rolname")),
    ("pg_user", About::Role("usename")),
    ("pg_group", About::Role("groname")),
    ("pg_auth_members", About::Member("roleid", "member")),
    (
        "pg_depend",
        About::Object(&[("classid", "objid"), ("refclassid", "refobjid")]),
    ),
    (
        "pg_shdepend",
        About::Object(&[("classid", "objid"), ("refclassid", "refobjid")]),
    ),
    ("pg_description", About::Object(&[("classoid", "objoid")])),
    ("pg_shdescription", About::Object(&[("classoid", "objoid")])),
    ("pg_init_privs", About::Object(&[("classoid", "objoid")])),
    ("pg_seclabel", About::Object(&[("classoid", "objoid")])),
    ("pg_seclabels", About::Object(&[("classoid", "objoid")])),
    ("pg_event_trigger", About::EventTrigger("evtname")),
];

/// Columns of the standard's views that hold a schema's name, the most telling first.
const STANDARD: [&str; 9] = [
    "table_schema",
    "specific_schema",
    "routine_schema",
    "constraint_schema",
    "trigger_schema",
    "sequence_schema",
    "object_schema",
    "schema_name",
    "udt_schema",
];

/// The condition under which a row of one of PostgreSQL's own relations is shown, over columns of
/// [`INNER`]; `None` where there is nothing to hide.
pub(super) fn hiding(relation: &Relation, snapshot: &Snapshot) -> Option<String> {
    let schemas = snapshot.machinery();
    if schemas.is_empty() {
        return None;
    }
    if relation.schema == INFORMATION_SCHEMA {
        let mut names = STANDARD.into_iter();
        let name = names.find(|name| relation.column(name).is_some())?;
        return Some(unlike(&column(name), SCHEMAS));
    }
    let (_, about) = CATALOGS.iter().find(|(name, _)| *name == relation.name)?;
    let list = schemas.iter().map(u32::to_string).collect::<Vec<_>>();
    let within = format!("ANY ('{{{}}}'::pg_catalog.oid[])", list.join(","));
    Some(match about {
        About::Schema(name) => format!("(NOT {})", eq(&column(name), &within)),
        About::Class(name) => {
            let is_ours = eq("h.relnamespace", &within);
            format!("(NOT {})", exists("pg_class", &column(name), &is_ours))
        }
        About::SchemaName(name) => unlike(&column(name), SCHEMAS),
        About::Role(name) => unlike(&column(name), ROLES),
        About::EventTrigger(name) => unlike(&column(name), EVENT_TRIGGERS),
        About::Member(role, member) => format!(
            "(NOT {} AND NOT {})",
            is_role(&column(role)),
            is_role(&column(member))
        ),
        About::Object(pairs) => {
            let shown = pairs.iter().map(|(catalog, object)| {
                let is_ours = is_object(&column(catalog), &column(object), &within);
                format!("(NOT {is_ours})")
            });
            shown.collect::<Vec<_>>().join(" AND ")
        }
    })
}

/// INVARIANT: qualified, for the conditions' own subselects have columns of the same names.
fn column(name: &str) -> String {
    format!("\"{INNER}\".\"{name}\"")
}

fn eq(left: &str, right: &str) -> String {
    format!("({left} OPERATOR(pg_catalog.=) {right})")
}

/// Whether a name is like an expression, byte by byte whatever the collations.
fn like(name: &str, operator: &str, expression: &str) -> String {
    format!(
        "(CAST({name} AS pg_catalog.text) COLLATE pg_catalog.\"C\" \
         OPERATOR(pg_catalog.{operator}) '{expression}'::pg_catalog.text)"
    )
}

/// A name that is NULL is like nothing.
fn unlike(name: &str, expression: &str) -> String {
    format!("({} IS NOT FALSE)", like(name, "!~", expression))
}

/// Whether the object of this oid in a catalog, called `h`, meets a condition.
fn exists(catalog: &str, oid: &str, condition: &str) -> String {
    let is_it = eq("h.oid", oid);
    format!("EXISTS (SELECT FROM pg_catalog.{catalog} AS h WHERE {is_it} AND {condition})")
}

fn is_role(oid: &str) -> String {
    exists("pg_roles", oid, &like("h.rolname", "~", ROLES))
}

/// Whether a catalog's object is one that hardening made.
fn is_object(catalog: &str, object: &str, within: &str) -> String {
    let is = |of: &str, condition: &str| {
        let this = eq(catalog, &format!("'pg_catalog.{of}'::pg_catalog.regclass"));
        format!("({this} AND {condition})")
    };
    let in_schema = |of: &str, schema: &str| {
        let is_ours = eq(&format!("h.{schema}"), within);
        is(of, &exists(of, object, &is_ours))
    };
    let of_class = |of: &str, class: &str| {
        let owner = eq("g.oid", &format!("h.{class}"));
        let is_ours = eq("g.relnamespace", within);
        let of_ours =
            format!("EXISTS (SELECT FROM pg_catalog.pg_class AS g WHERE {owner} AND {is_ours})");
        is(of, &exists(of, object, &of_ours))
    };
    let trigger = exists(
        "pg_event_trigger",
        object,
        &like("h.evtname", "~", EVENT_TRIGGERS),
    );
    let all = [
        is("pg_namespace", &eq(object, within)),
        in_schema("pg_class", "relnamespace"),
        in_schema("pg_type", "typnamespace"),
        in_schema("pg_proc", "pronamespace"),
        in_schema("pg_constraint", "connamespace"),
        of_class("pg_rewrite", "ev_class"),
        of_class("pg_attrdef", "adrelid"),
        of_class("pg_trigger", "tgrelid"),
        is("pg_authid", &is_role(object)),
        is("pg_event_trigger", &trigger),
    ];
    format!("({})", all.join(" OR "))
}
