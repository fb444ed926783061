//! Files and folders that only their owner can read.

use std::fs;
use std::io;
use std::path::Path;

/// Makes the file, and the folder it is in, unless they are there.
pub fn file(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        self::folder(folder)?;
    }
    options().open(path).map(drop)
}

#[cfg(unix)]
fn options() -> fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn options() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true);
    options
}

#[cfg(unix)]
fn folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if folder.is_dir() { Ok(()) } else { fs::DirBuilder::new().recursive(true).mode(0o700).create(folder) }
}

#[cfg(not(unix))]
fn folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}
