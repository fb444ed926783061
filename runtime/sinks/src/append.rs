//! A file that whole lines are added to: on the disk when that is said, and all of them or none.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use connectome_core::{Error, ErrorKind, private};

/// A file that this process alone adds to.
#[derive(Debug)]
pub(crate) struct Appender {
    path: PathBuf,
    file: File,
    /// How long the file is to be before anything is added: what failed could not be taken back.
    undo: Option<u64>,
}

impl Appender {
    /// Opens a file, or makes one that only its owner can read, in a folder that is there. What stands behind the last
    /// line's end was never acknowledged, and is cut off.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let folder = path.parent().unwrap_or(path);
        if !folder.is_dir() {
            return Err(Error::new(ErrorKind::Storage, format!("there is no folder {}", folder.display()))
                .advice("make the folder, or name another file"));
        }
        if path.exists() && !path.is_file() {
            return Err(Error::new(ErrorKind::Storage, format!("{} is not a regular file", path.display()))
                .advice("name a file; `stdout:` is for pipes and terminals"));
        }
        let failed = |error: io::Error| cannot(path, &error);
        let new = !path.exists();
        private::file(path).map_err(failed)?;
        // A link stays where it is, and what it leads to is what is renamed later.
        let path = path.canonicalize().map_err(failed)?;
        let file = OpenOptions::new().read(true).append(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(ErrorKind::Storage, format!("another process writes to {}", path.display()))
                    .advice("wait until it has ended, or name another file"));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        if new {
            sync_folder(&path).map_err(failed)?;
        }
        let mut appender = Self { path, file, undo: None };
        appender.mend()?;
        Ok(appender)
    }

    /// Where it really is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How long it is. If somebody moved the file away, that is a new one.
    pub fn ready(&mut self) -> Result<u64, Error> {
        if !self.is_in_place() {
            *self = Self::open(&self.path)?;
        }
        if let Some(length) = self.undo {
            self.cut(length).map_err(|error| cannot(&self.path, &error))?;
            self.undo = None;
        }
        self.file.metadata().map(|it| it.len()).map_err(|error| cannot(&self.path, &error))
    }

    /// Adds lines. When this returns they are on the disk, or none of them is in the file.
    pub fn append(&mut self, lines: &[u8]) -> Result<(), Error> {
        let before = self.ready()?;
        self.file.write_all(lines).and_then(|()| self.file.sync_data()).map_err(|error| {
            self.undo = self.cut(before).is_err().then_some(before);
            cannot(&self.path, &error)
        })
    }

    #[cfg(unix)]
    fn is_in_place(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let ours = self.file.metadata().map(|it| (it.dev(), it.ino())).ok();
        ours.is_some() && ours == self.path.metadata().map(|it| (it.dev(), it.ino())).ok()
    }

    #[cfg(not(unix))]
    fn is_in_place(&self) -> bool {
        self.path.exists()
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.file.sync_data()
    }

    /// Cuts off a last line without an end.
    fn mend(&mut self) -> Result<(), Error> {
        let failed = |error: io::Error| cannot(&self.path, &error);
        let length = self.file.metadata().map_err(failed)?.len();
        let whole = end_of_last_line(&self.file, length).map_err(failed)?;
        if whole == length {
            return Ok(());
        }
        // Ours begins as an object does; or with zeros, where the machine stopped before the disk had written.
        let mut first = [0];
        (&self.file).seek(SeekFrom::Start(whole)).and_then(|_| (&self.file).read_exact(&mut first)).map_err(failed)?;
        if !matches!(first[0], b'{' | 0) {
            let message = format!("{} ends with something that is no event", self.path.display());
            return Err(Error::new(ErrorKind::Storage, message).advice("it is somebody else's: name another file"));
        }
        self.cut(whole).map_err(failed)?;
        tracing::warn!(
            file = %self.path.display(),
            bytes = length - whole,
            "the last line was torn, and was never acknowledged: it is cut off"
        );
        Ok(())
    }
}

/// Where the last whole line ends.
fn end_of_last_line(mut file: &File, length: u64) -> io::Result<u64> {
    let mut block = vec![0; 64 << 10];
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let part = &mut block[..usize::try_from(end - start).unwrap_or(0)];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Has the disk remember which files there are beside this one.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// A file that cannot be written.
pub(crate) fn cannot(path: &Path, error: &io::Error) -> Error {
    let advice = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "make room; nothing of it counts as delivered, and it is delivered again"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "name a file that this user may write, or change who may"
        }
        _ => "check the disk and the path",
    };
    Error::new(ErrorKind::Storage, format!("{} cannot be written: {error}", path.display())).advice(advice)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_torn_last_line_is_cut_off_and_nothing_else() {
        let long = format!("{{\"a\":\"{}\"}}\n", "x".repeat(200_000));
        let torn = &long[..150_000];
        for (before, after) in [
            ("", ""),
            ("{\"a\":1}\n", "{\"a\":1}\n"),
            ("{\"a\":1}\n{\"a\":2", "{\"a\":1}\n"),
            ("{\"a\":1}\n\0\0\0\0", "{\"a\":1}\n"),
            ("{\"a\":1", ""),
            (&format!("{long}{torn}"), &long),
            (torn, ""),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("events.jsonl");
            fs::write(&path, before).unwrap();
            Appender::open(&path).unwrap().append(b"{}\n").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{after}{{}}\n"));
        }
    }

    #[test]
    fn what_is_no_file_of_events_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let notes = folder.path().join("notes.txt");
        fs::write(&notes, "first\nsecond").unwrap();
        for (path, said) in [
            (notes.clone(), "ends with something that is no event"),
            (folder.path().to_owned(), "is not a regular file"),
            (folder.path().join("none/events.jsonl"), "there is no folder"),
            (notes.join("events.jsonl"), "there is no folder"),
            (folder.path().join("x".repeat(300)), "cannot be written"),
        ] {
            let error = Appender::open(&path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Storage);
            assert!(error.to_string().contains(said) && error.parts().advice.is_some(), "{error}");
        }
        assert_eq!(fs::read_to_string(&notes).unwrap(), "first\nsecond");
    }

    #[test]
    fn two_do_not_write_to_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let first = Appender::open(&path).unwrap();
        let error = Appender::open(&path).unwrap_err();
        assert!(error.to_string().contains("another process writes to"), "{error}");
        drop(first);
        Appender::open(&path).unwrap();
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("events.jsonl"), folder.path().join("moved"));
        let mut appender = Appender::open(&path).unwrap();
        appender.append(b"{\"a\":1}\n").unwrap();
        fs::rename(&path, &moved).unwrap();
        appender.append(b"{\"a\":2}\n").unwrap();
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        assert_eq!((read(&moved), read(&path)), ("{\"a\":1}\n".to_owned(), "{\"a\":2}\n".to_owned()));
    }

    #[test]
    fn what_could_not_be_taken_back_at_once_is_taken_back_before_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut appender = Appender::open(&path).unwrap();
        appender.append(b"{\"a\":1}\n").unwrap();
        appender.undo = Some(8);
        fs::write(&path, "{\"a\":1}\n{\"a\":2}\n{\"a\"").unwrap();
        appender.append(b"{\"a\":2}\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\":1}\n{\"a\":2}\n");
    }
}
