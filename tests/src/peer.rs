//! Real clients and servers from public registries. `cargo xtask test` installs them below `target/peers`; plain
//! `cargo test` names those it has to skip.

use std::path::{Path, PathBuf};

/// The Python of the folder in which peers are installed, or a word about what is skipped.
pub fn python(what: &str) -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/venv/bin/python");
    if python.is_file() {
        return Some(python);
    }
    let demanded = std::env::var_os("CONNECTOME_PEERS_REQUIRED").is_some();
    assert!(!demanded, "{what} is not installed; `cargo xtask test` installs it");
    eprintln!("SKIPPED: {what} is not installed; `cargo xtask test` installs it and runs this test");
    None
}
