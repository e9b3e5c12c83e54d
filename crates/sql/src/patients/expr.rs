//! Values: which subqueries they show, and which calls make one of several rows.

use super::Walk;
use crate::allow::{self, FunctionKind};
use crate::ir::{Bound, Call, Expr, Over, Quantified, Select, Subscript, Window};

/// Aggregates whose value has every one of its inputs. Another could hide them in digits; these do it
/// by themselves.
pub(super) const COLLECTING: [&str; 16] = [
    "array_agg",
    "json_agg",
    "json_agg_strict",
    "json_object_agg",
    "json_object_agg_strict",
    "json_object_agg_unique",
    "json_object_agg_unique_strict",
    "jsonb_agg",
    "jsonb_agg_strict",
    "jsonb_object_agg",
    "jsonb_object_agg_strict",
    "jsonb_object_agg_unique",
    "jsonb_object_agg_unique_strict",
    "range_agg",
    "string_agg",
    "xmlagg",
];

/// `ARRAY(SELECT ...)` does the same.
const ARRAY: &str = "ARRAY(SELECT ...)";

/// Window functions whose value is another row's.
const OF_ANOTHER_ROW: [&str; 5] = ["first_value", "lag", "last_value", "lead", "nth_value"];

/// What a select list is computed over: its SELECT, and the patients whose keys are grouped by.
pub(super) type Scan<'a> = Option<(&'a Select, &'a [usize])>;

impl Walk<'_> {
    /// A value that leaves: what it shows of other rows than its own.
    pub(super) fn value(&mut self, expr: &Expr, scan: Scan<'_>) {
        let groups = self.level().groups.clone();
        self.shows(expr, scan, &groups);
    }

    /// `groups` are those of FROM.
    fn shows(&mut self, expr: &Expr, scan: Scan<'_>, groups: &[usize]) {
        match expr {
            Expr::Scalar(query) => {
                let rows = self.query(query);
                self.level().groups.extend(rows.groups);
                return;
            }
            Expr::ArrayQuery(query) => {
                let rows = self.query(query);
                let here: Vec<usize> = self
                    .levels
                    .iter()
                    .flat_map(|l| &l.groups)
                    .copied()
                    .collect();
                let here = self.groups.roots(&here);
                let is_here = |root: &usize| here.binary_search(root).is_ok();
                if !self.groups.roots(&rows.groups).iter().all(is_here) {
                    self.pools.get_or_insert(ARRAY);
                }
                self.level().groups.extend(rows.groups);
                return;
            }
            // Conditions: whether there is a row, not what is in it.
            Expr::Exists(_) => return,
            Expr::Quantified {
                right: Quantified::Query(_),
                ..
            } => return,
            Expr::Call(call) => self.call(call, scan, groups),
            _other => {}
        }
        let mut parts = Vec::new();
        each(expr, &mut |part| parts.push(part));
        for part in parts {
            self.shows(part, scan, groups);
        }
    }

    fn call(&mut self, call: &Call, scan: Scan<'_>, groups: &[usize]) {
        let Some(name) = call.path.last().map(|name| &*name.name) else {
            return;
        };
        let collects = COLLECTING.iter().copied().find(|known| *known == name);
        let looks = OF_ANOTHER_ROW.contains(&name);
        let Some((select, keys)) = scan.filter(|_| collects.is_some() || looks) else {
            return;
        };
        let partition: Vec<usize>;
        let keys = match call.over.as_ref() {
            None => keys,
            Some(over) => {
                partition = self.partition(over, select);
                &partition
            }
        };
        let covered = groups.iter().all(|group| self.survives(*group, keys));
        match collects {
            Some(collects) if !covered || (call.over.is_none() && self.is_of_outer(call)) => {
                self.pools.get_or_insert(collects);
            }
            None if !covered => {
                let group = self.groups.add(false);
                self.level().groups.push(group);
            }
            Some(_) | None => {}
        }
    }

    /// An aggregate over nothing but outer columns is the outer query's (`parse_agg.c`,
    /// check_agg_arguments).
    fn is_of_outer(&self, call: &Call) -> bool {
        let mut columns = Vec::new();
        for argument in &call.arguments {
            columns_of(&argument.value, &mut columns);
        }
        let outer = self.levels.split_last().map_or(&[][..], |(_, outer)| outer);
        outer.iter().any(|level| !level.groups.is_empty())
            && !columns.into_iter().any(|expr| match expr {
                Expr::Column(column) => self.is_local(column),
                _row => true,
            })
    }

    /// The groups whose keys a window is partitioned by.
    fn partition(&self, over: &Over, select: &Select) -> Vec<usize> {
        let mut keys = Vec::new();
        let mut next = match over {
            Over::Window(window) => Some(window),
            Over::Named(name) => defined(select, &name.name),
        };
        // A definition names one before it, so no chain of them is longer than the list.
        for _ in 0..=select.windows.len() {
            let Some(window) = next else { break };
            let partition = window.partition_by.iter();
            keys.extend(partition.filter_map(|expr| Some(self.key(expr)?.group)));
            next = window
                .base
                .as_ref()
                .and_then(|base| defined(select, &base.name));
        }
        keys
    }
}

fn defined<'s>(select: &'s Select, name: &str) -> Option<&'s Window> {
    let found = select
        .windows
        .iter()
        .find(|(known, _)| &*known.name == name);
    found.map(|(_, window)| window)
}

/// Whether a value is made of many rows of its own level.
pub(super) fn has_aggregate(expr: &Expr) -> bool {
    if let Expr::Call(call) = expr
        && call.over.is_none()
        && !call.built_in
        && let Some(name) = call.path.last()
        && allow::function(&name.name, call.arguments.len()).is_some_and(|function| {
            matches!(
                function.kind,
                FunctionKind::Aggregate | FunctionKind::OrderedSet
            )
        })
    {
        return true;
    }
    let mut found = false;
    each(expr, &mut |part| found = found || has_aggregate(part));
    found
}

fn columns_of<'e>(expr: &'e Expr, columns: &mut Vec<&'e Expr>) {
    if let Expr::Column(_) | Expr::Row { .. } = expr {
        columns.push(expr);
    }
    each(expr, &mut |part| columns_of(part, columns));
}

/// The parts that an expression's value is computed of, but for queries.
fn each<'e>(expr: &'e Expr, say: &mut dyn FnMut(&'e Expr)) {
    match expr {
        Expr::Unresolved(_)
        | Expr::UnresolvedRow(_)
        | Expr::Column(_)
        | Expr::Row { .. }
        | Expr::Output(_)
        | Expr::Literal(_)
        | Expr::Default
        | Expr::CurrentOf(_)
        | Expr::Parameter(_)
        | Expr::ValueFunction(_)
        | Expr::Exists(_)
        | Expr::ArrayQuery(_)
        | Expr::Scalar(_) => {}
        Expr::And(list) | Expr::Or(list) | Expr::Special(_, list) => list.iter().for_each(say),
        Expr::Not(operand)
        | Expr::Is { operand, .. }
        | Expr::IsJson { operand, .. }
        | Expr::Unary { operand, .. }
        | Expr::Cast { operand, ty: _ }
        | Expr::Collate {
            operand,
            collation: _,
        }
        | Expr::Field { operand, name: _ } => say(operand),
        Expr::Json(json) => {
            for (key, value) in &json.members {
                key.iter().for_each(&mut *say);
                say(value);
            }
        }
        Expr::Binary {
            first,
            rest,
            place: _,
        } => {
            say(first);
            for (_, operand) in rest {
                say(operand);
            }
        }
        Expr::IsDistinct { left, right, .. } => {
            say(left);
            say(right);
        }
        Expr::InList { operand, list, .. } => {
            say(operand);
            list.iter().for_each(say);
        }
        Expr::Between {
            operand, low, high, ..
        } => [operand, low, high].into_iter().for_each(|part| say(part)),
        Expr::Quantified { left, right, .. } => {
            say(left);
            if let Quantified::Array(array) = right {
                say(array);
            }
        }
        Expr::Case {
            operand,
            arms,
            otherwise,
        } => {
            if let Some(part) = operand {
                say(part);
            }
            for (condition, result) in arms {
                say(condition);
                say(result);
            }
            if let Some(part) = otherwise {
                say(part);
            }
        }
        Expr::Call(call) => of_call(call, say),
        Expr::Subscript {
            operand,
            subscripts,
        } => {
            say(operand);
            for subscript in subscripts {
                match subscript {
                    Subscript::Index(index) => say(index),
                    Subscript::Slice(low, high) => {
                        for part in low.iter().chain(high) {
                            say(part);
                        }
                    }
                }
            }
        }
    }
}

fn of_call<'e>(call: &'e Call, say: &mut dyn FnMut(&'e Expr)) {
    for argument in &call.arguments {
        say(&argument.value);
    }
    for item in call.order_by.iter().chain(&call.within_group) {
        say(&item.expr);
    }
    if let Some(filter) = &call.filter {
        say(filter);
    }
    let Some(Over::Window(window)) = &call.over else {
        return;
    };
    for expr in &window.partition_by {
        say(expr);
    }
    for item in &window.order_by {
        say(&item.expr);
    }
    let bounds = window.frame.iter().flat_map(|frame| {
        [Some(&frame.start), frame.end.as_ref()]
            .into_iter()
            .flatten()
    });
    for bound in bounds {
        match bound {
            Bound::Preceding(Some(distance)) | Bound::Following(Some(distance)) => say(distance),
            Bound::Current | Bound::Preceding(None) | Bound::Following(None) => {}
        }
    }
}
