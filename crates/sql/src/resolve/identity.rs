//! Who the session is, in views mode: its login has privileges on masked views alone and a name that
//! says nothing to its user. What clients ask about either is answered as in the inline mode.

use super::Resolver;
use crate::ir::{Argument, Call, Expr, Literal, TypeName};
use crate::policy::DEFINER;

/// Functions that ask whether a role may do something, with the number of arguments they take
/// when the role is not said and is that of the session (`acl.c`).
const PRIVILEGES: &[(&str, usize)] = &[
    ("has_any_column_privilege", 2),
    ("has_column_privilege", 3),
    ("has_database_privilege", 2),
    ("has_foreign_data_wrapper_privilege", 2),
    ("has_function_privilege", 2),
    ("has_language_privilege", 2),
    ("has_parameter_privilege", 2),
    ("has_schema_privilege", 2),
    ("has_sequence_privilege", 2),
    ("has_server_privilege", 2),
    ("has_table_privilege", 2),
    ("has_tablespace_privilege", 2),
    ("has_type_privilege", 2),
    ("pg_has_role", 2),
];

/// Functions that answer the session's role.
const USERS: [&str; 3] = ["current_user", "session_user", "getpgusername"];

/// Keywords that do.
const USER_KEYWORDS: [&str; 4] = ["CURRENT_USER", "SESSION_USER", "CURRENT_ROLE", "USER"];

impl Resolver<'_> {
    /// What stands for an expression that answers the session's role.
    pub(super) fn shown_user(&mut self, expr: &Expr) -> Option<Expr> {
        let user = self.cx.policy.shown_user()?;
        if !is_user(expr) {
            return None;
        }
        self.out.rewritten = true;
        Some(role(user))
    }

    /// Makes a call that asks what the session's role may do ask what the role may do that stands
    /// for it.
    pub(super) fn ask_for_definer(&mut self, call: &mut Call) {
        if self.cx.policy.shown_user().is_none() {
            return;
        }
        let name = call.path.last().map(|name| &*name.name);
        let Some((_, count)) = PRIVILEGES.iter().find(|(known, _)| Some(*known) == name) else {
            return;
        };
        let definer = Argument {
            name: None,
            value: role(DEFINER),
        };
        if call.arguments.len() == *count {
            call.arguments.insert(0, definer);
        } else if let Some(first) = call.arguments.first_mut() {
            if !is_user(&first.value) {
                return;
            }
            *first = definer;
        }
        self.out.rewritten = true;
    }
}

fn is_user(expr: &Expr) -> bool {
    match expr {
        Expr::ValueFunction(function) => USER_KEYWORDS.contains(&function.keyword),
        Expr::Call(call) => {
            call.arguments.is_empty()
                && call
                    .path
                    .last()
                    .is_some_and(|name| USERS.contains(&&*name.name))
        }
        Expr::Cast { operand, ty: _ } => is_user(operand),
        _other => false,
    }
}

/// A role's name, of the type that the functions take.
fn role(name: &str) -> Expr {
    Expr::Cast {
        operand: Box::new(Expr::Literal(Literal::String(name.into()))),
        ty: TypeName::built_in("name"),
    }
}
