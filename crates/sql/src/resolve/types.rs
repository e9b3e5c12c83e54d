//! Types, collations and operators.

use super::Resolver;
use crate::allow;
use crate::ir::{Ident, Operator, TypeName};
use crate::refusal::{Place, Reason, Refusal, Result};
use crate::snapshot::{PG_CATALOG, UserType};

/// Collations that every database has (`pg_collation.dat`).
const BUILT_IN_COLLATIONS: [&str; 4] = ["default", "C", "POSIX", "ucs_basic"];

impl Resolver<'_> {
    /// A type: a built-in one on the allow-list, or an enum or domain of the catalog.
    pub(super) fn type_ref(&mut self, ty: &mut TypeName) -> Result<()> {
        let (schema, name) = match ty.path.as_slice() {
            [name] => (None, name),
            [schema, name] => (Some(schema), name),
            other => {
                let place = other.first().map_or(Place::default(), |first| first.place);
                return Err(
                    Refusal::new(Reason::Type, "this type name is not understood").near(place),
                );
            }
        };
        let built_in = schema.is_none_or(|schema| &*schema.name == PG_CATALOG);
        if built_in && allow::type_name(&name.name).is_some() {
            ty.path = vec![Ident::made(PG_CATALOG), name.clone()];
            return Ok(());
        }
        let found = match schema {
            Some(schema) => self.user_type(&schema.name, &name.name),
            None => self
                .cx
                .session
                .search_path
                .iter()
                .find_map(|schema| self.user_type(schema, &name.name)),
        };
        match found {
            Some((schema, UserType::Enum | UserType::Domain)) => {
                ty.path = vec![Ident::made(&schema), name.clone()];
                Ok(())
            }
            Some((_, UserType::Composite | UserType::Other)) => Err(Refusal::new(
                Reason::Type,
                format!(
                    "a cast to type \"{}\" is not supported through the gateway",
                    name.name
                ),
            )
            .near(name.place)),
            None => Err(Refusal::new(
                Reason::Type,
                format!(
                    "type \"{}\" does not exist or may not be cast to",
                    name.name
                ),
            )
            .near(name.place)),
        }
    }

    fn user_type(&self, schema: &str, name: &str) -> Option<(String, UserType)> {
        let kind = self.cx.snapshot.user_type(schema, name)?;
        Some((schema.to_owned(), kind))
    }

    pub(super) fn collation(&self, path: &mut Vec<Ident>) -> Result<()> {
        let exists = |schema: &str, name: &str| {
            (schema == PG_CATALOG && BUILT_IN_COLLATIONS.contains(&name))
                || self.cx.snapshot.has_collation(schema, name)
        };
        let (schema, name) = match path.as_slice() {
            [name] if exists(PG_CATALOG, &name.name) => (Some(PG_CATALOG.to_owned()), name),
            [name] => {
                let mut schemas = self.cx.session.search_path.iter();
                (
                    schemas.find(|schema| exists(schema, &name.name)).cloned(),
                    name,
                )
            }
            [schema, name] => {
                let found = exists(&schema.name, &name.name);
                (found.then(|| schema.name.to_string()), name)
            }
            other => {
                let place = other.first().map_or(Place::default(), |first| first.place);
                return Err(
                    Refusal::new(Reason::Collation, "this collation is not understood").near(place),
                );
            }
        };
        let Some(schema) = schema else {
            return Err(Refusal::new(
                Reason::Collation,
                format!("collation \"{}\" does not exist", name.name),
            )
            .near(name.place));
        };
        *path = vec![Ident::made(&schema), name.clone()];
        Ok(())
    }

    /// `construct` looks its operator up by name, in the session's schemas too, and no qualified
    /// form has its meaning; so it is refused where PostgreSQL's own might not be what is found.
    pub(super) fn bare_comparison(&self, construct: &str, place: Place) -> Result<()> {
        if !self
            .cx
            .snapshot
            .has_own_comparison(self.cx.session.search_path)
        {
            return Ok(());
        }
        Err(Refusal::new(
            Reason::Operator,
            format!("{construct} might run an operator that is not PostgreSQL's own"),
        )
        .with_detail("the database has a comparison operator of its own, which may read anything")
        .with_hint("write the comparison out with =, or set a search_path without that schema")
        .near(place))
    }

    /// An operator between two operands.
    pub(super) fn operator(operator: &Operator, place: Place) -> Result<()> {
        allowed(allow::operator(&operator.0), operator, place)
    }

    /// An operator before its operand.
    pub(super) fn prefix_operator(operator: &Operator, place: Place) -> Result<()> {
        allowed(allow::prefix_operator(&operator.0), operator, place)
    }
}

fn allowed(allowed: bool, operator: &Operator, place: Place) -> Result<()> {
    if allowed {
        return Ok(());
    }
    let Operator(symbol) = operator;
    Err(Refusal::new(
        Reason::Operator,
        format!("operator {symbol} is not available through the gateway"),
    )
    .near(place))
}
