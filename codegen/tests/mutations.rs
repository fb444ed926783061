//! Whatever stands in a spec, the generator tells mistakes and places them; it never panics.
//!
//! Specs of this repository are cut, shuffled and spoilt. What is still accepted must become Rust that parses.

use std::fs;
use std::path::{Path, PathBuf};

use connectome_codegen::diagnostic::{Diagnostic, render_all};
use connectome_codegen::emit::Layout;
use connectome_codegen::generate;
use connectome_codegen::source::Source;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What is put into specs: all that means something to YAML, to the language or to Rust, and what should mean nothing.
const BITS: &[&str] = &[
    "\t",
    " ",
    "\n",
    "\r\n",
    "\r",
    "{",
    "}",
    "[",
    "]",
    "{}",
    "[]",
    ": ",
    ":",
    ",",
    ", ",
    "- ",
    "-",
    "? ",
    "\"",
    "'",
    "\\",
    "# ",
    "#",
    "| ",
    ">-\n",
    "%",
    "@",
    "`",
    "&a ",
    "*a",
    "!x ",
    "<<: ",
    "---\n",
    "...\n",
    "null",
    "~",
    "true",
    "yes",
    "-1",
    "0",
    "1.5",
    "1e999",
    "99999999999999999999",
    "00012",
    "[[[[[[[[",
    "{{{{{{{{",
    "[a, b]",
    "{ a: b }",
    "{a}",
    "é",
    "²",
    "𝒳",
    "ß",
    "\u{301}",
    "\u{feff}",
    "\u{2028}",
    "\u{0}",
    "_",
    "Self",
    "self",
    "Option",
    "type",
    "GET ",
    "/",
    "..",
    " if guid",
    "{id}",
    "least ",
    "body.",
    "\u{0e33}",
];

/// One way to spoil a text. Places are fractions of whatever length the text has by then.
#[derive(Debug, Clone)]
enum Change {
    DeleteLine(Index),
    DuplicateLine(Index),
    ReplaceLine(Index, Index),
    SwapLines(Index, Index),
    SwapLetters(Index),
    DeleteLetters(Index, usize),
    Insert(Index, &'static str),
    Value(Index, &'static str),
    Key(Index, &'static str),
    Indent(Index, usize),
    Cut(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    let bit = || select(BITS);
    prop_oneof![
        at().prop_map(Change::DeleteLine),
        at().prop_map(Change::DuplicateLine),
        (at(), at()).prop_map(|(a, b)| Change::ReplaceLine(a, b)),
        (at(), at()).prop_map(|(a, b)| Change::SwapLines(a, b)),
        at().prop_map(Change::SwapLetters),
        (at(), 1..4usize).prop_map(|(a, count)| Change::DeleteLetters(a, count)),
        (at(), bit()).prop_map(|(a, bit)| Change::Insert(a, bit)),
        (at(), bit()).prop_map(|(a, bit)| Change::Value(a, bit)),
        (at(), bit()).prop_map(|(a, bit)| Change::Key(a, bit)),
        (at(), 0..5usize).prop_map(|(a, blanks)| Change::Indent(a, blanks)),
        at().prop_map(Change::Cut),
    ]
}

fn apply(text: &str, change: &Change) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let mut letters: Vec<char> = text.chars().collect();
    if lines.is_empty() {
        return "~".to_owned();
    }
    match change {
        Change::DeleteLine(at) => {
            lines.remove(at.index(lines.len()));
        }
        Change::DuplicateLine(at) => {
            let at = at.index(lines.len());
            lines.insert(at, lines[at].clone());
        }
        Change::ReplaceLine(at, by) => {
            let by = lines[by.index(lines.len())].clone();
            let at = at.index(lines.len());
            lines[at] = by;
        }
        Change::SwapLines(a, b) => {
            let (a, b) = (a.index(lines.len()), b.index(lines.len()));
            lines.swap(a, b);
        }
        // `key: value` keeps its key.
        Change::Value(at, bit) => {
            let line = &mut lines[at.index(text.split_inclusive('\n').count())];
            if let Some((key, _)) = line.split_once(": ") {
                *line = format!("{key}: {bit}\n");
            }
        }
        Change::Key(at, bit) => {
            let line = &mut lines[at.index(text.split_inclusive('\n').count())];
            if let Some((key, value)) = line.split_once(':') {
                let indent = &key[..key.len() - key.trim_start().len()];
                *line = format!("{indent}{bit}:{value}");
            }
        }
        Change::Indent(at, blanks) => {
            let line = &mut lines[at.index(text.split_inclusive('\n').count())];
            *line = format!("{}{}", " ".repeat(*blanks), line.trim_start_matches(' '));
        }
        Change::SwapLetters(at) => {
            let at = at.index(letters.len());
            if at > 0 {
                letters.swap(at - 1, at);
            }
            return letters.into_iter().collect();
        }
        Change::DeleteLetters(at, count) => {
            let at = at.index(letters.len());
            letters.drain(at..(at + count).min(letters.len()));
            return letters.into_iter().collect();
        }
        Change::Insert(at, bit) => {
            let at = at.index(letters.len());
            letters.splice(at..at, bit.chars());
            return letters.into_iter().collect();
        }
        Change::Cut(at) => {
            letters.truncate(at.index(letters.len()));
            return letters.into_iter().collect();
        }
    }
    lines.concat()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn folders(path: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(root().join(path))
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

/// The specs of a folder, as if they stood in `specs/<name>/`.
fn sources(folder: &Path, name: &str) -> Vec<Source> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .collect();
    files.sort();
    let file = |path: &PathBuf| Source {
        path: format!("specs/{name}/{}", path.file_name().expect("a name").to_string_lossy()),
        text: fs::read_to_string(path).expect("a spec"),
    };
    files.iter().map(file).collect()
}

fn layout() -> Layout {
    Layout { runtime: "../runtime".to_owned(), standalone: false }
}

/// Mistakes lie in their files and can be shown; what is no mistake is Rust.
fn is_told_or_parses(sources: &[Source], parse: bool) -> Result<(), TestCaseError> {
    match generate(sources, &layout()) {
        Ok(files) => {
            for file in files.iter().filter(|file| parse && file.path.ends_with(".rs")) {
                prop_assert!(syn::parse_file(&file.text).is_ok(), "{} does not parse:\n{}", file.path, file.text);
            }
        }
        Err(mistakes) => {
            prop_assert!(!mistakes.is_empty());
            for mistake in &mistakes {
                is_placed(mistake, sources)?;
            }
            let told = render_all(&mistakes, sources);
            prop_assert!(told.ends_with("in the specs; nothing was written\n"));
        }
    }
    Ok(())
}

fn is_placed(mistake: &Diagnostic, sources: &[Source]) -> Result<(), TestCaseError> {
    let span = mistake.span;
    let Some(source) = sources.get(span.file as usize) else {
        return Err(TestCaseError::fail(format!("no such file: {mistake:?}")));
    };
    let (start, end) = (span.start as usize, span.end as usize);
    prop_assert!(start <= end && end <= source.text.len(), "outside of the file: {mistake:?}");
    prop_assert!(
        source.text.is_char_boundary(start) && source.text.is_char_boundary(end),
        "within a letter: {mistake:?}"
    );
    prop_assert!(!mistake.message.is_empty() && mistake.help.is_some(), "nothing to go by: {mistake:?}");
    Ok(())
}

/// `CASES=20` tries twenty times as many.
fn settings(cases: u32) -> ProptestConfig {
    let times: u32 = std::env::var("CASES").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    ProptestConfig {
        cases: cases * times,
        failure_persistence: None,
        max_shrink_iters: 500,
        ..ProptestConfig::default()
    }
}

#[test]
fn spoilt_fragments_are_told_or_parse() {
    let name = |folder: &Path| folder.file_name().expect("a name").to_string_lossy().into_owned();
    let mut fragments: Vec<Vec<Source>> = folders("tests/language").iter().map(|it| sources(it, &name(it))).collect();
    fragments.extend(folders("tests/mistakes").iter().map(|it| sources(it, "example")));
    proptest!(settings(600), |(which in any::<Index>(), file in any::<Index>(), changes in vec(change(), 0..6))| {
        let mut sources = fragments[which.index(fragments.len())].clone();
        let file = file.index(sources.len());
        for change in &changes {
            sources[file].text = apply(&sources[file].text, change);
        }
        is_told_or_parses(&sources, true)?;
    });
}

#[test]
fn spoilt_specs_are_told() {
    let specs: Vec<Source> = folders("specs")
        .iter()
        .flat_map(|folder| sources(folder, &folder.file_name().expect("a name").to_string_lossy()))
        .collect();
    proptest!(settings(150), |(file in any::<Index>(), changes in vec(change(), 1..5))| {
        let mut sources = specs.clone();
        let file = file.index(sources.len());
        for change in &changes {
            sources[file].text = apply(&sources[file].text, change);
        }
        is_told_or_parses(&sources, false)?;
    });
}

#[test]
fn a_spec_cut_anywhere_is_told_or_parses() {
    let text = "connector: { name: x, title: \"é²𝒳\", version: 1.0.0, doc: >-\n  Gr\u{fc}ße.\n }\n# ü\nroles:\n  Ärzte: { grants: unknown, doc: 'ß' }\n  \"…\": {}\n";
    for (end, _) in text.char_indices() {
        let sources = vec![Source { path: "specs/x/spec.yaml".to_owned(), text: text[..end].to_owned() }];
        is_told_or_parses(&sources, true).unwrap_or_else(|error| panic!("cut at {end}: {error}"));
    }
}
