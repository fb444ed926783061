//! Local state: one SQLite database, private to the user.

use std::fs;
use std::path::{Path, PathBuf};

use connectome_core::{Error, ErrorKind, private};
use rusqlite::{Connection, OptionalExtension, params};

/// The version of the tables. A database of a newer one is refused, never changed.
const VERSION: i64 = 1;

/// A database of checkpoints.
#[derive(Debug)]
pub struct State {
    database: Connection,
    path: PathBuf,
}

/// A checkpoint as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it belongs to.
    pub key: String,
    /// What it holds, as JSON.
    pub value: String,
    /// When it was written.
    pub updated: String,
}

/// A checkpoint that is reserved for this process.
#[derive(Debug)]
pub struct Claim(#[expect(dead_code, reason = "the lock goes with the file")] fs::File);

impl State {
    /// Opens a database, or makes one that only its owner can read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        private::file(path).map_err(|error| disk(path, &error))?;
        let database = Connection::open(path).map_err(|error| broken(path, &error))?;
        let state = Self { database, path: path.to_path_buf() };
        state.prepare().map_err(|error| broken(path, &error))?;
        match state.version().map_err(|error| broken(path, &error))? {
            0 => state.create().map_err(|error| broken(path, &error))?,
            VERSION => {}
            newer => {
                return Err(Error::new(ErrorKind::Storage, format!("the state in {} was written by a newer connectome (its version is {newer}, this one knows {VERSION})", path.display()))
                    .advice(or_another("use that version")));
            }
        }
        Ok(state)
    }

    /// The database, for the tables of others.
    pub(crate) fn database(&self) -> &Connection {
        &self.database
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn prepare(&self) -> rusqlite::Result<()> {
        self.database.busy_timeout(std::time::Duration::from_secs(5))?;
        self.database.pragma_update(None, "journal_mode", "WAL")?;
        self.database.pragma_update(None, "synchronous", "FULL")
    }

    fn version(&self) -> rusqlite::Result<i64> {
        self.database.pragma_query_value(None, "user_version", |row| row.get(0))
    }

    fn create(&self) -> rusqlite::Result<()> {
        self.database.execute_batch(&format!(
            "BEGIN IMMEDIATE;
             CREATE TABLE IF NOT EXISTS checkpoint (key TEXT PRIMARY KEY, value TEXT NOT NULL, updated TEXT NOT NULL) STRICT;
             PRAGMA user_version = {VERSION};
             COMMIT;"
        ))
    }

    /// A checkpoint, if there is one.
    pub fn load(&self, key: &str) -> Result<Option<String>, Error> {
        self.database
            .query_row("SELECT value FROM checkpoint WHERE key = ?1", params![key], |row| row.get(0))
            .optional()
            .map_err(|error| broken(&self.path, &error))
    }

    /// Writes a checkpoint; it is on the disk when this returns.
    pub fn save(&self, key: &str, value: &str) -> Result<(), Error> {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        self.database
            .execute(
                "INSERT INTO checkpoint (key, value, updated) VALUES (?1, ?2, ?3)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated = excluded.updated",
                params![key, value, now],
            )
            .map(drop)
            .map_err(|error| broken(&self.path, &error))
    }

    /// Reserves a checkpoint for this process, so that two of them do not both give what follows it. It is free again
    /// when the claim goes, and when the process ends, however that happens.
    pub fn claim(&self, key: &str) -> Result<Claim, Error> {
        let mut path = self.path.clone().into_os_string();
        path.push(format!(".{}.lock", key.replace(|it: char| !it.is_ascii_alphanumeric() && it != '_', "-")));
        let path = PathBuf::from(path);
        private::file(&path).map_err(|error| disk(&path, &error))?;
        let file = fs::OpenOptions::new().append(true).open(&path).map_err(|error| disk(&path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Claim(file)),
            Err(fs::TryLockError::WouldBlock) => Err(Error::new(
                ErrorKind::Storage,
                format!("another connectome is at work on {key} in {}", self.path.display()),
            )
            .advice(or_another("wait until it has ended"))),
            Err(fs::TryLockError::Error(error)) => Err(disk(&path, &error)),
        }
    }

    /// Every checkpoint.
    pub fn entries(&self) -> Result<Vec<Entry>, Error> {
        let read = || -> rusqlite::Result<Vec<Entry>> {
            let mut statement = self.database.prepare("SELECT key, value, updated FROM checkpoint ORDER BY key")?;
            let rows = statement
                .query_map([], |row| Ok(Entry { key: row.get(0)?, value: row.get(1)?, updated: row.get(2)? }))?;
            rows.collect()
        };
        read().map_err(|error| broken(&self.path, &error))
    }

    /// Removes checkpoints whose key begins so; returns how many.
    pub fn reset(&self, start: &str) -> Result<usize, Error> {
        self.database
            .execute("DELETE FROM checkpoint WHERE substr(key, 1, length(?1)) = ?1", params![start])
            .map_err(|error| broken(&self.path, &error))
    }
}

/// What to do, or else to go without what is remembered.
pub(crate) fn or_another(advice: &str) -> String {
    format!("{advice}; another file, with --state, would begin anew")
}

fn disk(path: &Path, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Storage, format!("the state in {} cannot be used: {error}", path.display()))
        .advice(or_another("check the folder's permissions and space"))
}

pub(crate) fn broken(path: &Path, error: &rusqlite::Error) -> Error {
    let advice = match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            "the file is damaged or no database: move it away to begin anew; nothing was changed in it".to_owned()
        }
        Some(rusqlite::ErrorCode::DiskFull) => "free some space and run it again; nothing was lost".to_owned(),
        Some(rusqlite::ErrorCode::DatabaseBusy) => {
            or_another("another connectome is writing to it: wait until it has ended")
        }
        _ => or_another("check the folder's permissions and space"),
    };
    Error::new(ErrorKind::Storage, format!("the state in {}: {error}", path.display())).advice(advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_outlives_its_process_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/state.sqlite");
        State::open(&path).unwrap().save("trigger/a", "1").unwrap();
        State::open(&path).unwrap().save("trigger/a", "2").unwrap();
        assert_eq!(State::open(&path).unwrap().load("trigger/a").unwrap().as_deref(), Some("2"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn what_is_no_state_of_ours_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let damaged = folder.path().join("damaged");
        fs::write(&damaged, "this is no database, and it is long enough to be looked at as one".repeat(20)).unwrap();
        let error = State::open(&damaged).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage);
        assert!(error.to_string().contains("move it away"), "{error}");
        let newer = folder.path().join("newer");
        State::open(&newer).unwrap().database.pragma_update(None, "user_version", 7).unwrap();
        assert!(State::open(&newer).unwrap_err().to_string().contains("newer connectome"));
    }

    #[test]
    fn a_reset_takes_what_begins_so_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("state")).unwrap();
        for key in ["trigger/a", "trigger/ab", "trigger_/x"] {
            state.save(key, "{}").unwrap();
        }
        assert_eq!(state.reset("trigger/").unwrap(), 2);
        assert_eq!(state.entries().unwrap().len(), 1);
    }
}
