//! Full files: `events.jsonl.20260302T081500Z-1`, with `.gz` behind it once it is compressed.
//!
//! A file is whole under one of its names at any instant. It is compressed beside itself, under a name that ends with
//! `.part`; that is renamed when it is on the disk, and only then the plain one is removed. Where a plain one is found, it
//! counts, and whatever else there is of it is made again.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use connectome_core::private;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;

use crate::append::sync_folder;

const PACKED: &str = ".gz";
const PART: &str = ".gz.part";

/// What a full file may be called with.
const ENDS: [&str; 3] = ["", PACKED, PART];

/// The name that the file gets when it is put aside now.
pub fn free_name(path: &Path, now: Timestamp) -> io::Result<PathBuf> {
    let time = now.strftime("%Y%m%dT%H%M%SZ");
    for number in 1.. {
        let name = with(path, &format!(".{time}-{number}"));
        let mut taken = false;
        for end in ENDS {
            taken |= with(&name, end).try_exists()?;
        }
        if !taken {
            return Ok(name);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Brings the full files of a file into the form that they are to have.
pub fn tidy(path: &Path, gzip: bool, keep: Option<usize>) -> io::Result<()> {
    let full = full(path)?;
    let spare = keep.map_or(0, |keep| full.len().saturating_sub(keep));
    for (number, (name, plain)) in full.into_values().enumerate() {
        if number < spare {
            for end in ENDS {
                remove(&with(&name, end))?;
            }
            tracing::info!(file = %name.display(), "the oldest of too many full files is removed");
        } else if plain && gzip {
            pack(&name)?;
        } else if plain {
            remove(&with(&name, PART))?;
            remove(&with(&name, PACKED))?;
        }
    }
    sync_folder(path)
}

/// The full files, the oldest first: the name without an end, and whether the plain one is there.
fn full(path: &Path) -> io::Result<BTreeMap<(String, u64), (PathBuf, bool)>> {
    let mut found = BTreeMap::new();
    let (Some(folder), Some(start)) = (path.parent(), path.file_name().and_then(|it| it.to_str())) else {
        return Ok(found);
    };
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(start)).and_then(|rest| rest.strip_prefix('.'));
        let Some(rest) = rest else { continue };
        let end = ENDS.into_iter().rev().find(|end| rest.ends_with(end)).unwrap_or_default();
        let stem = &rest[..rest.len() - end.len()];
        if let Some(order) = order(stem) {
            let entry = found.entry(order).or_insert_with(|| (with(path, &format!(".{stem}")), false));
            entry.1 |= end.is_empty();
        }
    }
    Ok(found)
}

/// What a name like `20260302T081500Z-1` says, and nothing of any other.
fn order(stem: &str) -> Option<(String, u64)> {
    let (time, number) = stem.split_once('-')?;
    let shape: String = time.chars().map(|it| if it.is_ascii_digit() { '0' } else { it }).collect();
    let number = Some(number).filter(|it| !it.starts_with('0') && it.bytes().all(|byte| byte.is_ascii_digit()))?;
    (shape == "00000000T000000Z").then_some((time.to_owned(), number.parse().ok()?))
}

/// Compresses a file.
fn pack(name: &Path) -> io::Result<()> {
    let part = with(name, PART);
    remove(&part)?;
    private::file(&part)?;
    let mut encoder = GzEncoder::new(OpenOptions::new().append(true).open(&part)?, Compression::default());
    io::copy(&mut fs::File::open(name)?, &mut encoder)?;
    encoder.finish()?.sync_all()?;
    fs::rename(&part, with(name, PACKED))?;
    sync_folder(name)?;
    remove(name)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    PathBuf::from(name)
}
