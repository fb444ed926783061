//! Specs are read: a crate, or mistakes, and the same each time.

use std::fs;
use std::path::{Path, PathBuf};

use connectome_codegen::diagnostic::render_all;
use connectome_codegen::emit::Layout;
use connectome_codegen::generate;
use connectome_codegen::source::Source;
use connectome_fuzz::{near, search};
use proptest::prelude::*;

/// What means something to YAML or to the language.
const PIECES: &[&str] = &[
    "{", "}", "[", "]", ":", ": ", ",", "- ", "\n", "\n  ", "\t", "#", "'", "\"", "|", ">", "&a ", "*a", "!x ", "%",
    "?", "---\n", "...\n", "~", "null", "true", "1e9", "{a}", "{}", "{a", "type", "fields", "secret", "from", "[]",
    "é", "\u{feff}", "\u{2028}", "\r\n", "<<", "{from:}", "{int:}",
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|it| it == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn specs_become_a_crate_or_mistakes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["tests/mistakes", "tests/first-connector", "tests/language/obstacle-course"];
    let seeds = folders.iter().flat_map(|folder| files(&root.join(folder)));
    let seeds: Vec<Vec<u8>> = seeds.map(|path| fs::read(path).expect("a spec")).collect();
    // Beside a spec that is good by itself, so that a theme of another has something to be about.
    let connector = fs::read_to_string(root.join("tests/first-connector/harbor-watch/connector.yaml")).expect("a spec");
    let layout = Layout { runtime: "../runtime".to_owned(), standalone: false };
    search(300, &(near(seeds, PIECES), any::<bool>()), |(bytes, beside)| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut sources = vec![Source { path: "specs/harbor-watch/spec.yaml".to_owned(), text }];
        if beside {
            sources.push(Source { path: "specs/harbor-watch/z.yaml".to_owned(), text: connector.clone() });
        }
        match (generate(&sources, &layout), generate(&sources, &layout)) {
            (Ok(first), Ok(second)) => prop_assert_eq!(first, second),
            (Err(first), Err(second)) => {
                prop_assert!(!first.is_empty());
                prop_assert_eq!(render_all(&first, &sources), render_all(&second, &sources));
            }
            _ => prop_assert!(false, "accepted once, and once not"),
        }
        Ok(())
    });
}
