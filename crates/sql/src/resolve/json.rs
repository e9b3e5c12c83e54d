//! The standard's functions of JSON.

use super::Resolver;
use crate::ir::json::Json;
use crate::lower::unsupported;
use crate::refusal::{Place, Result};

/// The first major version with IS JSON.
const IS_JSON_SINCE: u16 = 16;

impl Resolver<'_> {
    /// Settles what such a call takes.
    pub(super) fn json(&mut self, json: &mut Json) -> Result<()> {
        let Json {
            form,
            members,
            nulls: _,
            returning,
            place,
        } = json;
        if self.cx.snapshot.major < form.since() {
            return Err(unsupported(form.keyword(), *place));
        }
        for (key, value) in members {
            for part in key.iter_mut().chain(std::iter::once(value)) {
                self.expr(part)?;
            }
        }
        if let Some(ty) = returning {
            self.type_ref(ty)?;
        }
        self.out.functions.insert(form.word());
        Ok(())
    }

    /// Refuses IS JSON where the server does not have it.
    pub(super) fn check_is_json(&self, place: Place) -> Result<()> {
        if self.cx.snapshot.major < IS_JSON_SINCE {
            return Err(unsupported("IS JSON", place));
        }
        Ok(())
    }
}
