//! The file in which the gateway keeps which column each classified name meant when it first saw it:
//! `DIRECTORY/DATABASE.columns.json`, of mode 0600, replaced as a whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use phigate_phi::EffectivePolicy;
use phigate_sql::{KnownColumns, Snapshot, Strangers, classification_id};
use phigate_types::DatabaseName;

/// Classifications that are remembered: one a change of the file, and old grants have old ones.
const REMEMBERED: usize = 64;

/// The known columns of one database, by classification, the latest last.
#[derive(Debug)]
pub(crate) struct Columns {
    file: PathBuf,
    known: Mutex<Vec<(String, KnownColumns)>>,
}

impl Columns {
    /// What is known from before; nothing where there is no file.
    pub(crate) fn open(directory: &Path, database: &DatabaseName) -> io::Result<Self> {
        let file = directory.join(format!("{database}.columns.json"));
        let wrong = |error: &dyn std::fmt::Display| {
            io::Error::other(format!(
                "{}: {error}; without this file, columns are taken to be what they are called now",
                file.display()
            ))
        };
        let known = match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| wrong(&error))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(wrong(&error)),
        };
        fs::create_dir_all(directory).map_err(|error| wrong(&error))?;
        Ok(Self {
            file,
            known: Mutex::new(known),
        })
    }

    /// The columns that are not what the policy's names meant; what is new is kept before this
    /// returns. Blocks on the file.
    pub(crate) fn strangers(
        &self,
        policy: &EffectivePolicy,
        snapshot: &Snapshot,
    ) -> io::Result<Strangers> {
        let id = classification_id(policy);
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = all.clone();
        let place = match next.iter().position(|(known, _)| *known == id) {
            Some(place) => place,
            None => {
                next.push((id, KnownColumns::default()));
                next.drain(..next.len().saturating_sub(REMEMBERED));
                next.len() - 1
            }
        };
        let Some((_, known)) = next.get_mut(place) else {
            return Err(io::Error::other("no place for a classification"));
        };
        let changed = known.learn(policy, snapshot);
        let strangers = known.strangers(policy, snapshot);
        if changed {
            self.write(&next)?;
            *all = next;
        }
        if !strangers.is_empty() {
            tracing::warn!(file = %self.file.display(), "columns were renamed since they were classified");
        }
        Ok(strangers)
    }

    fn write(&self, known: &[(String, KnownColumns)]) -> io::Result<()> {
        let draft = self.file.with_extension("draft");
        let _ = fs::remove_file(&draft);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(&serde_json::to_vec(known)?)?;
        file.sync_all()?;
        fs::rename(&draft, &self.file)?;
        match self.file.parent() {
            Some(directory) => File::open(directory)?.sync_all(),
            None => Ok(()),
        }
    }
}
