//! What is sent: every relation, function, operator and type that PostgreSQL will look up.

use serde_json::Value;

use crate::lists::Lists;
use crate::policy::Policy;
use crate::tree;

/// Columns that every table has, by `heap.c`.
const SYSTEM_COLUMNS: [&str; 6] = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// The nodes that statements are made of. Others, such as those of DO, CALL or CREATE FUNCTION, must
/// not be sent; one that is new to PostgreSQL is looked at by a person first.
const NODES: &[&str] = &[
    // Statements.
    "AlterTableCmd",
    "AlterTableStmt",
    "ClosePortalStmt",
    "CopyStmt",
    "CreateStmt",
    "CreateTableAsStmt",
    "DeallocateStmt",
    "DeclareCursorStmt",
    "DeleteStmt",
    "DiscardStmt",
    "DropStmt",
    "ExecuteStmt",
    "ExplainStmt",
    "FetchStmt",
    "IndexStmt",
    "InsertStmt",
    "MergeStmt",
    "PrepareStmt",
    "RenameStmt",
    "SelectStmt",
    "TransactionStmt",
    "TruncateStmt",
    "UpdateStmt",
    "VacuumStmt",
    "VariableSetStmt",
    "VariableShowStmt",
    "ViewStmt",
    // Their clauses.
    "CommonTableExpr",
    "ColumnDef",
    "Constraint",
    "DefElem",
    "GroupingSet",
    "IndexElem",
    "JoinExpr",
    "LockingClause",
    "MergeWhenClause",
    "RangeFunction",
    "RangeSubselect",
    "RangeTableSample",
    "RangeVar",
    "ResTarget",
    "SortBy",
    "VacuumRelation",
    "WindowDef",
    // Expressions.
    "AArrayExpr",
    "AConst",
    "AExpr",
    "AIndices",
    "AIndirection",
    "AStar",
    "BoolExpr",
    "BooleanTest",
    "CaseExpr",
    "CaseWhen",
    "CoalesceExpr",
    "CollateClause",
    "ColumnRef",
    "FuncCall",
    "GroupingFunc",
    "List",
    "MinMaxExpr",
    "MultiAssignRef",
    "NamedArgExpr",
    "NullTest",
    "ParamRef",
    "RowExpr",
    "SqlvalueFunction",
    "String",
    "SubLink",
    "TypeCast",
    "TypeName",
    "XmlExpr",
];

/// `A_Expr_Kind` of DISTINCT, NOT DISTINCT, NULLIF, IN and the four kinds of BETWEEN.
const WITHOUT_SCHEMA: [u64; 8] = [4, 5, 6, 7, 11, 12, 13, 14];

/// Constants, and numbers within options.
const VALUES: [&str; 9] = [
    "BitString",
    "Boolean",
    "Boolval",
    "Bsval",
    "Float",
    "Fval",
    "Integer",
    "Ival",
    "Sval",
];

/// What was found in one statement.
#[derive(Default)]
pub(crate) struct Read {
    pub(crate) masks: usize,
    pub(crate) findings: Vec<String>,
}

struct Reader<'a> {
    policy: &'a Policy,
    lists: &'a Lists,
    ctes: Vec<&'a str>,
    reads_catalog: bool,
    read: Read,
}

/// Reads one statement.
pub(crate) fn read(statement: &Value, policy: &Policy, lists: &Lists) -> Read {
    let mut reader = Reader {
        policy,
        lists,
        ctes: ctes(statement),
        reads_catalog: reads_catalog(statement),
        read: Read::default(),
    };
    reader.value(statement);
    reader.read
}

/// The first argument of a call, if it is a string.
fn constant(call: &Value) -> Option<&str> {
    let first = tree::of(tree::list(call, "args").first()?, "AConst")?;
    first.get("val")?.get("Sval")?.get("sval")?.as_str()
}

fn reads_catalog(statement: &Value) -> bool {
    let mut found = false;
    tree::walk(statement, &mut |value| {
        found |= tree::is_relation(value)
            && matches!(
                tree::text(value, "schemaname"),
                "pg_catalog" | "information_schema"
            );
    });
    found
}

/// Every name that WITH gives.
pub(crate) fn ctes(statement: &Value) -> Vec<&str> {
    let mut names = Vec::new();
    tree::walk(statement, &mut |value| {
        if let Some(cte) = tree::of(value, "CommonTableExpr") {
            names.push(tree::text(cte, "ctename"));
        }
    });
    names
}

impl Reader<'_> {
    fn value(&mut self, value: &Value) {
        let is_select = value.get("target_list").is_some() && value.get("larg").is_some();
        if is_select {
            match self.policy.mask(value) {
                Some(Ok(())) => {
                    // The policy's own expressions: what they call is the policy's business.
                    self.read.masks += 1;
                    return;
                }
                Some(Err(what)) => return self.read.findings.push(what),
                None if self.is_filtered_catalog(value) => {
                    for (field, below) in value.as_object().into_iter().flatten() {
                        if field != "from_clause" {
                            self.value(below);
                        }
                    }
                    return;
                }
                None => {}
            }
        }
        if tree::is_relation(value) {
            self.relation(value);
        }
        if value.get("typmods").is_some() && value.get("names").is_some() {
            self.type_name(value);
        }
        if let Some((tag, fields)) = tree::node(value) {
            self.node(tag, fields);
        }
        match value {
            Value::Object(fields) => fields.values().for_each(|below| self.value(below)),
            Value::Array(items) => items.iter().for_each(|item| self.value(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Whether a query reads a catalog relation that hides columns, alone, and none of these.
    fn is_filtered_catalog(&self, select: &Value) -> bool {
        let [from] = tree::list(select, "from_clause") else {
            return false;
        };
        let Some(range) = tree::of(from, "RangeVar") else {
            return false;
        };
        let (schema, name) = (
            tree::text(range, "schemaname"),
            tree::text(range, "relname"),
        );
        let Some(hidden) = self
            .lists
            .relation(schema, name)
            .filter(|hidden| !hidden.is_nothing())
        else {
            return false;
        };
        let alias = range
            .get("alias")
            .map_or(name, |alias| tree::text(alias, "aliasname"));
        let mut hides = false;
        tree::walk(select, &mut |value| {
            let Some(column) = tree::of(value, "ColumnRef") else {
                return;
            };
            hides |= match tree::names(column, "fields").as_slice() {
                [column] => hidden.hides(column),
                [of, column] => *of == alias && hidden.hides(column),
                _ => true,
            };
        });
        !hides
    }

    fn relation(&mut self, range: &Value) {
        let (schema, name) = (
            tree::text(range, "schemaname"),
            tree::text(range, "relname"),
        );
        let problem = match schema {
            "" if self.ctes.contains(&name) || tree::text(range, "relpersistence") == "t" => return,
            "" => format!("relation {name} is looked up by the path"),
            "pg_temp" => return,
            "pg_catalog" | "information_schema" => match self.lists.relation(schema, name) {
                Some(hidden) if hidden.is_nothing() => return,
                Some(_) => format!("{schema}.{name} stands where hidden columns are read"),
                None => format!("{schema}.{name} is not on the list"),
            },
            _ => match self.policy.relation(schema, name) {
                Some(relation) if relation.is_open => return,
                Some(_) => format!("{schema}.{name} stands outside its mask"),
                None => format!("{schema}.{name} is not known to the policy"),
            },
        };
        self.read.findings.push(problem);
    }

    fn type_name(&mut self, fields: &Value) {
        if let [name] = tree::names(fields, "names").as_slice() {
            self.read
                .findings
                .push(format!("type {name} is looked up by the path"));
        }
    }

    fn node(&mut self, tag: &str, fields: &Value) {
        if !NODES.contains(&tag) && !VALUES.contains(&tag) {
            self.read
                .findings
                .push(format!("a node that must not be sent: {tag}"));
        }
        match tag {
            "FuncCall" => {
                let names = tree::names(fields, "funcname");
                let allowed = match names.as_slice() {
                    ["pg_catalog", "set_config"] => {
                        constant(fields).is_some_and(|name| self.lists.may_set(name))
                    }
                    [schema, name] => self.lists.allows_function(schema, name),
                    _ => false,
                };
                if !allowed {
                    self.read
                        .findings
                        .push(format!("function {} is not on the list", names.join(".")));
                }
            }
            "AExpr" => self.operator(&tree::names(fields, "name"), fields),
            "ColumnRef" => {
                let names = tree::names(fields, "fields");
                let system = names
                    .last()
                    .filter(|column| SYSTEM_COLUMNS.contains(column));
                // Those of catalogs tell of definitions alone.
                if let Some(column) = system.filter(|_| !self.reads_catalog) {
                    self.read.findings.push(format!("system column {column}"));
                }
            }
            _ => {}
        }
    }

    /// IN, BETWEEN, NULLIF and IS DISTINCT FROM have no place for a schema: the gateway refuses them where
    /// the database has a comparison of its own for the type.
    fn operator(&mut self, names: &[&str], fields: &Value) {
        let kind = &fields["kind"];
        let has_no_place = kind
            .as_u64()
            .is_some_and(|kind| WITHOUT_SCHEMA.contains(&kind));
        if !matches!(names, ["pg_catalog", _]) && !has_no_place {
            self.read.findings.push(format!(
                "operator {} (kind {kind}) is looked up by the path",
                names.join(".")
            ));
        }
    }
}
