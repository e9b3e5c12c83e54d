//! Where a new relation goes, and which of the session's own relations a statement means.

use crate::allow;
use crate::ir::{Ident, Name};
use crate::lower::unsupported;
use crate::refusal::{Place, Reason, Refusal, Result};
use crate::render::Writer;
use crate::resolve::Resolver;
use crate::snapshot::{INFORMATION_SCHEMA, PG_CATALOG, Relation};
use crate::temporary::{FoundTemporary, MAX_TEMPORARY, PG_TEMP, is_temporary};
use crate::{Context, Touch};

/// Where a new relation goes.
pub(super) enum Destination {
    /// The session's own temporary schema.
    Own(Ident),
    /// A schema that others see.
    Permanent { schema: Name, name: Ident },
}

impl Destination {
    /// What `path` means in CREATE (`namespace.c`, RangeVarGetCreationNamespace).
    pub(super) fn of(path: Vec<Ident>, temporary: bool, cx: &Context<'_>) -> Result<Self> {
        let mut parts = path.into_iter();
        let (first, second, third) = (parts.next(), parts.next(), parts.next());
        match (first, second, third) {
            (Some(name), None, None) if temporary => Self::own(name, cx),
            (Some(schema), Some(name), None) if &*schema.name == PG_TEMP => Self::own(name, cx),
            (Some(schema), Some(_), _) if temporary => Err(Refusal::new(
                Reason::Construct,
                "a temporary relation cannot be made in another schema",
            )
            .near(schema.place)),
            (Some(name), None, None) => {
                let mut path = cx.session.search_path.iter();
                let schema = path.find(|schema| cx.snapshot.has_schema(schema));
                match schema {
                    Some(schema) => Self::permanent(schema.as_str().into(), name, cx),
                    None => Err(Refusal::new(
                        Reason::UnknownSchema,
                        "no schema has been selected to create in",
                    )
                    .near(name.place)),
                }
            }
            (Some(schema), Some(name), None) => Self::permanent(schema.name, name, cx),
            (_, _, third) => {
                let place = third.map(|name| name.place).unwrap_or_default();
                Err(unsupported("a name in another database", place))
            }
        }
    }

    fn own(name: Ident, cx: &Context<'_>) -> Result<Self> {
        // Code within the server may name types without their schema, and a relation is a type.
        if allow::type_name(&name.name).is_some() {
            return Err(Refusal::new(
                Reason::Construct,
                format!(
                    "a temporary relation cannot be named \"{}\", as a type is",
                    name.name
                ),
            )
            .with_hint("choose another name")
            .near(name.place));
        }
        if cx.temporary.relations().count() >= MAX_TEMPORARY {
            return Err(Refusal::new(
                Reason::TooComplex,
                "the session has too many temporary relations",
            )
            .with_hint("drop those that are not needed any more")
            .near(name.place));
        }
        Ok(Self::Own(name))
    }

    fn permanent(schema: Name, name: Ident, cx: &Context<'_>) -> Result<Self> {
        if !cx.snapshot.has_schema(&schema) {
            return Err(Refusal::new(
                Reason::UnknownSchema,
                format!("schema \"{schema}\" does not exist"),
            )
            .near(name.place));
        }
        if matches!(&*schema, PG_CATALOG | INFORMATION_SCHEMA) {
            return Err(Refusal::new(
                Reason::Statement,
                format!("nothing is made in schema {schema} through the gateway"),
            )
            .near(name.place));
        }
        if !cx.session.write {
            return Err(Refusal::new(
                Reason::NotGranted,
                "a permanent table is not made: the grant may only read",
            )
            .with_hint(
                "make it temporary (CREATE TEMPORARY TABLE, SELECT ... INTO TEMPORARY), or request a grant with --write",
            )
            .near(name.place));
        }
        Ok(Self::Permanent { schema, name })
    }

    /// The relation's own name.
    pub(super) fn name(&self) -> &Ident {
        match self {
            Self::Own(name) | Self::Permanent { schema: _, name } => name,
        }
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Own(name) => writer.chosen(&name.name),
            Self::Permanent { schema, name } => {
                writer.name(schema);
                writer.push(".");
                writer.name(&name.name);
            }
        }
    }

    /// What the record says is written.
    pub(super) fn touch(&self) -> Touch {
        Touch {
            relation: match self {
                Self::Own(_) => PG_TEMP.to_owned(),
                Self::Permanent { schema, name } => format!("{schema}.{}", name.name),
            },
            columns: Vec::new(),
            written: true,
        }
    }
}

/// The session's own relation of this name; `None` where there is nothing of that name at all.
pub(super) fn own_relation<'a>(
    path: &[Ident],
    what: &str,
    cx: &'a Context<'a>,
) -> Result<Option<&'a Relation>> {
    let temporary = match path {
        [schema, name] if &*schema.name == PG_TEMP => cx.temporary.find(&name.name),
        [name] => cx.temporary.find(&name.name),
        _ => FoundTemporary::None,
    };
    let found = match (temporary, path) {
        // What is not read any more may still be dropped.
        (FoundTemporary::Outdated(relation) | FoundTemporary::One(relation), _) => Ok(relation),
        (FoundTemporary::None, [schema, _]) if &*schema.name == PG_TEMP => return Ok(None),
        (FoundTemporary::None | FoundTemporary::Uncertain, path) => {
            Resolver::new(cx).relation_named(path)
        }
    };
    match found {
        Ok(relation) if is_temporary(relation.oid) => Ok(Some(relation)),
        Ok(_) => Err(permanent(path, what)),
        Err(refusal) if refusal.reason() == Reason::UnknownRelation => Ok(None),
        // A sequence is found, but not read.
        Err(refusal) if refusal.reason() == Reason::RefusedRelation => Err(permanent(path, what)),
        Err(refusal) => Err(refusal),
    }
}

fn permanent(path: &[Ident], what: &str) -> Refusal {
    Refusal::new(
        Reason::Statement,
        format!(
            "{what} of a permanent relation is not relayed: it is for the database's administrators"
        ),
    )
    .with_hint("the session's own temporary tables may be changed and dropped")
    .near(path.last().map_or(Place::default(), |name| name.place))
}

/// Refuses a relation that is not there.
pub(super) fn exists<'a>(found: Option<&'a Relation>, path: &[Ident]) -> Result<&'a Relation> {
    found.ok_or_else(|| {
        let name = path.last();
        Refusal::new(
            Reason::UnknownRelation,
            format!(
                "relation \"{}\" does not exist",
                name.map_or("", |name| &*name.name)
            ),
        )
        .near(name.map_or(Place::default(), |name| name.place))
    })
}
