//! Spec files on disk.

use std::fs;
use std::io;
use std::path::Path;

use crate::source::Source;

/// Reads every `.yaml` and `.yml` file in the folders of `root`, in the order of their paths.
pub fn read(root: &Path) -> io::Result<Vec<Source>> {
    let mut folders: Vec<_> = fs::read_dir(root)?.collect::<Result<_, _>>()?;
    folders.sort_by_key(fs::DirEntry::file_name);
    let mut sources = Vec::new();
    for folder in folders {
        if !folder.file_type()?.is_dir() {
            continue;
        }
        let mut files: Vec<_> = fs::read_dir(folder.path())?.collect::<Result<_, _>>()?;
        files.sort_by_key(fs::DirEntry::file_name);
        for file in files {
            let path = file.path();
            if matches!(path.extension().and_then(|it| it.to_str()), Some("yaml" | "yml")) {
                let text = fs::read(&path)?;
                let text = String::from_utf8(text).map_err(|_| {
                    io::Error::new(io::ErrorKind::InvalidData, format!("{} is not UTF-8", path.display()))
                })?;
                sources.push(Source { path: path.to_string_lossy().replace('\\', "/"), text });
            }
        }
    }
    Ok(sources)
}
