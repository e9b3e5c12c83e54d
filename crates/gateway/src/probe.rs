//! One step of the hot path by itself, for benchmarks: what a text costs that was read before.

use std::path::Path;
use std::sync::Arc;

use phigate_catalog::{POLL_EVERY, Upstream, Watcher};
use phigate_phi::{EffectivePolicy, ReleaseContext};
use phigate_types::{DatabaseName, PgError};

use crate::columns::Columns;
use crate::database::Database;
use crate::enforce::{Enforcer, Facts, Form, Plans};
use crate::limits;
use crate::upstream::Address;

/// Judges statements as a session does, without a session.
pub struct Judge {
    enforcer: Enforcer,
    path: Vec<String>,
}

impl Judge {
    /// For a database in inline mode whose catalog is read now; `state` is a directory for what is
    /// kept of it.
    ///
    /// # Errors
    /// When the directory cannot be written, or the database not be read.
    pub async fn new(
        upstream: Upstream,
        state: &Path,
        policy: EffectivePolicy,
        release: ReleaseContext,
    ) -> std::io::Result<Self> {
        let name: DatabaseName = upstream.database.parse().map_err(std::io::Error::other)?;
        let database = Database::new(
            name.clone(),
            Address::of(&upstream)?,
            false,
            None,
            Columns::open(state, &name)?,
            Watcher::start(upstream, POLL_EVERY),
        );
        let looked = database.first_look(limits::FIRST_CATALOG).await;
        looked.map_err(std::io::Error::other)?;
        let facts = Facts {
            user: "probe".to_owned(),
            database: name.to_string(),
            session: "probe".to_owned(),
            grant: "probe".to_owned(),
            expires_at: String::new(),
            write: false,
            budget: None,
        };
        let enforcer = Enforcer::new(
            Arc::new(database),
            Arc::new(policy),
            release,
            facts,
            Plans::new(),
            None,
        );
        Ok(Self {
            enforcer,
            path: vec!["public".to_owned()],
        })
    }

    /// What a Parse with this text would send.
    ///
    /// # Errors
    /// The refusal.
    pub async fn judge(&mut self, text: &str) -> Result<Arc<str>, PgError> {
        let plan = self.enforcer.plan(text, Form::Extended, &self.path).await;
        plan.map(|plan| Arc::clone(&plan.sql))
            .map_err(|refused| refused.error)
    }
}
