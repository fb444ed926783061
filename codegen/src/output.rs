//! Files that were generated: writing them, and saying how the disk differs from them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// A generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where, below the crate's folder.
    pub path: String,
    /// What.
    pub text: String,
}

impl File {
    /// A file.
    pub fn new(path: String, text: String) -> Self {
        Self { path, text }
    }

    /// A file of Rust.
    pub fn rust(path: String, text: String) -> Self {
        Self { path, text }
    }
}

/// What was done, or what differs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files written or to be written.
    pub written: Vec<String>,
    /// Files removed or to be removed.
    pub removed: Vec<String>,
}

impl Changes {
    /// Whether the disk holds exactly what was generated.
    pub fn is_empty(&self) -> bool {
        self.written.is_empty() && self.removed.is_empty()
    }
}

/// Writes what differs and removes what is no longer generated. A file that is as it should be is not touched.
///
/// Rust and texts come first and the manifest last: a run that is stopped half-way leaves a crate that cargo can read.
pub fn write(folder: &Path, files: &[File]) -> io::Result<Changes> {
    let changes = compare(folder, files)?;
    let mut ordered: Vec<&File> = files.iter().filter(|file| changes.written.contains(&file.path)).collect();
    ordered.sort_by_key(|file| file.path == "Cargo.toml");
    for file in ordered {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let part = path.with_extension("part");
        fs::write(&part, &file.text)?;
        fs::rename(&part, &path)?;
    }
    for stale in &changes.removed {
        fs::remove_file(folder.join(stale))?;
    }
    Ok(changes)
}

/// How the disk differs from what was generated.
pub fn compare(folder: &Path, files: &[File]) -> io::Result<Changes> {
    let mut changes = Changes::default();
    for file in files {
        if read(&folder.join(&file.path))?.as_deref() != Some(file.text.as_str()) {
            changes.written.push(file.path.clone());
        }
    }
    let made: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    changes.removed = present(folder)?.into_iter().filter(|path| !made.contains(path.as_str())).collect();
    Ok(changes)
}

/// The differences as a unified diff.
pub fn diff(folder: &Path, files: &[File], changes: &Changes) -> io::Result<String> {
    let mut text = String::new();
    let gone = changes.removed.iter().map(|path| (path, String::new()));
    let made = changes
        .written
        .iter()
        .filter_map(|path| Some((path, files.iter().find(|file| file.path == *path)?.text.clone())));
    for (path, new) in made.chain(gone) {
        let old = read(&folder.join(path))?.unwrap_or_default();
        let shown = folder.join(path).display().to_string();
        text.push_str(
            &similar::TextDiff::from_lines(&old, &new)
                .unified_diff()
                .header(&shown, &format!("{shown} (generated)"))
                .to_string(),
        );
    }
    Ok(text)
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Every file in the folders that the generator owns, and at the root those that it would write.
fn present(folder: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for owned in ["src", "docs", "schemas"] {
        walk(&folder.join(owned), owned, &mut found)?;
    }
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, shown: &str, found: &mut Vec<String>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let shown = format!("{shown}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &shown, found)?;
        } else {
            found.push(shown);
        }
    }
    Ok(())
}

/// The way from one folder to another, with `..` where needed, for a manifest's `path`. Both are absolute.
pub fn relative(from: &Path, to: &Path) -> PathBuf {
    let (from, to) = (plain(from), plain(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let ups = from[common..].iter().map(|_| Path::new("..").as_os_str());
    ups.chain(to[common..].iter().map(|part| part.as_os_str())).collect()
}

/// The parts of a path without any `..`.
fn plain(path: &Path) -> Vec<Component<'_>> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_between_folders_goes_up_and_down() {
        assert_eq!(relative(Path::new("/a/b/c"), Path::new("/a/d")), PathBuf::from("../../d"));
        assert_eq!(relative(Path::new("/a"), Path::new("/a/d")), PathBuf::from("d"));
        assert_eq!(relative(Path::new("/a/b/../../c"), Path::new("/a/d")), PathBuf::from("../a/d"));
    }
}
