//! Every kind of mistake, each as the smallest spec that makes it, with the message to the letter.
//!
//! A folder of `tests/mistakes` is named after the code it shows, perhaps with `--` and what sets it apart. `UPDATE=1`
//! rewrites the expected messages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use connectome_codegen::diagnostic::render_all;
use connectome_codegen::model;
use connectome_codegen::source::Source;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/mistakes")
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(folder())
        .expect("tests/mistakes")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    cases
}

/// The spec files of a case, as if they stood in `specs/example/`.
fn sources(case: &Path) -> Vec<Source> {
    let mut files: Vec<PathBuf> = fs::read_dir(case)
        .expect("a case")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| Source {
            path: format!("specs/example/{}", path.file_name().expect("a name").to_string_lossy()),
            text: fs::read_to_string(path).expect("a spec"),
        })
        .collect()
}

#[test]
fn every_mistake_is_told_as_expected() {
    let mut wrong = Vec::new();
    for case in cases() {
        let sources = sources(&case);
        let told = match model(&sources) {
            Ok(_) => "no mistake\n".to_owned(),
            Err(mistakes) => render_all(&mistakes, &sources),
        };
        let expected = case.join("expected.txt");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&expected, &told).expect("expected.txt");
        } else if fs::read_to_string(&expected).unwrap_or_default() != told {
            wrong.push(format!("{}:\n{told}", case.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "these are told otherwise than expected; `UPDATE=1 cargo test -p connectome-codegen --test mistakes` takes them over:\n\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_folder_shows_the_mistake_it_is_named_after() {
    for case in cases() {
        let name = case.file_name().expect("a name").to_string_lossy().into_owned();
        let code = name.split("--").next().unwrap_or_default();
        let mistakes = model(&sources(&case)).expect_err(&name);
        assert!(
            mistakes.iter().any(|mistake| mistake.code == code),
            "{name} shows {:?}",
            mistakes.iter().map(|it| it.code).collect::<Vec<_>>()
        );
    }
}

#[test]
fn every_code_has_a_folder() {
    let shown: BTreeSet<String> = cases()
        .iter()
        .map(|case| {
            case.file_name().expect("a name").to_string_lossy().split("--").next().unwrap_or_default().to_owned()
        })
        .collect();
    let mut told = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut told);
    let missing: Vec<&String> = told.difference(&shown).collect();
    assert!(missing.is_empty(), "these codes have no folder in tests/mistakes: {missing:?}");
}

/// The codes that the sources name: the first text after `Diagnostic::new(` or `unknown(`.
fn collect(folder: &Path, codes: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, codes);
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source");
        for start in ["Diagnostic::new(", "unknown("] {
            for rest in text.split(start).skip(1) {
                let Some(rest) = rest.trim_start().strip_prefix('"') else { continue };
                codes.extend(rest.split('"').next().map(str::to_owned));
            }
        }
    }
}
