//! Fragments that use the language well: each is accepted without a mistake and becomes Rust that parses. The examples of
//! the reference are among them.

use std::fs;
use std::path::{Path, PathBuf};

use connectome_codegen::diagnostic::render_all;
use connectome_codegen::emit::Layout;
use connectome_codegen::source::Source;
use connectome_codegen::spec::field::{Converter, Format};
use connectome_codegen::{generate, input, output};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/language");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .expect("tests/language")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    cases
}

/// The spec files of a case, as if its folder stood in `specs/`.
fn sources(case: &Path) -> Vec<Source> {
    let folder = case.file_name().expect("a name").to_string_lossy();
    let mut files: Vec<PathBuf> = fs::read_dir(case)
        .expect("a case")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .collect();
    files.sort();
    let file = |path: &PathBuf| Source {
        path: format!("specs/{folder}/{}", path.file_name().expect("a name").to_string_lossy()),
        text: fs::read_to_string(path).expect("a spec"),
    };
    files.iter().map(file).collect()
}

#[test]
fn a_good_fragment_is_accepted_and_becomes_rust() {
    let layout = Layout { runtime: "../runtime".to_owned(), standalone: false };
    for case in cases() {
        let sources = sources(&case);
        let files = generate(&sources, &layout)
            .unwrap_or_else(|mistakes| panic!("{}:\n{}", case.display(), render_all(&mistakes, &sources)));
        let rust: Vec<_> = files.iter().filter(|file| file.path.ends_with(".rs")).collect();
        assert!(!rust.is_empty(), "{} became nothing", case.display());
        for file in rust {
            syn::parse_file(&file.text).unwrap_or_else(|error| {
                panic!("{}: {} does not parse: {error}\n{}", case.display(), file.path, file.text)
            });
        }
    }
}

#[test]
fn fragments_are_accepted_together() {
    let layout = Layout { runtime: "../runtime".to_owned(), standalone: false };
    let sources: Vec<Source> = cases().iter().flat_map(|case| sources(case)).collect();
    generate(&sources, &layout).unwrap_or_else(|mistakes| panic!("{}", render_all(&mistakes, &sources)));
}

#[test]
fn a_connector_is_named_like_a_feature_of_the_crate() {
    for name in ["acme", "acme-2", "x"] {
        assert_eq!(mistakes_of_name(name), Vec::<&str>::new(), "{name}");
    }
    for name in ["", "Acme", "acme_x", "2acme", "größe", "a.b", "cli", "core", "simulator", "main"] {
        assert_eq!(mistakes_of_name(name), ["wrong-name"], "{name}");
    }
}

fn mistakes_of_name(name: &str) -> Vec<&'static str> {
    let text = format!(
        "connector: {{ name: \"{name}\", title: T, version: 1.0.0, doc: D. }}\nconnection: {{ parameters: {{}}, base: https://api.example.com, auth: {{ value: none }}, test: {{ call: GET /ping }} }}\n"
    );
    let sources = [Source { path: format!("specs/{name}/spec.yaml"), text }];
    let layout = Layout { runtime: "../runtime".to_owned(), standalone: false };
    generate(&sources, &layout).err().unwrap_or_default().iter().map(|mistake| mistake.code).collect()
}

/// The blocks of a language in `specs/README.md`.
fn blocks(reference: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    reference
        .split(&opening)
        .skip(1)
        .filter_map(|rest| rest.split_once("```").map(|(block, _)| block.to_owned()))
        .collect()
}

fn reference() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/README.md")).expect("specs/README.md")
}

#[test]
fn the_examples_of_the_reference_are_one_spec() {
    let layout = Layout { runtime: "../runtime".to_owned(), standalone: false };
    let block = |(at, text)| Source { path: format!("specs/acme/{at:02}.yaml"), text };
    let sources: Vec<Source> = blocks(&reference(), "yaml").into_iter().enumerate().map(block).collect();
    assert!(sources.len() > 10);
    generate(&sources, &layout).unwrap_or_else(|mistakes| panic!("{}", render_all(&mistakes, &sources)));
}

#[test]
fn the_reference_shows_a_mistake_as_it_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/mistakes/unknown-type/expected.txt");
    let told = fs::read_to_string(folder).expect("a mistake");
    assert!(reference().contains(told.trim()), "specs/README.md shows another message than\n{told}");
}

#[test]
fn the_reference_lists_every_format_and_converter() {
    let reference = reference();
    let formats = Format::ALL.iter().map(|(name, doc, _)| (name, doc));
    let converters = Converter::ALL.iter().map(|(name, doc, _)| (name, doc));
    for (name, doc) in formats.chain(converters) {
        let row = format!("| `{name}` | {doc} |");
        assert!(reference.contains(&row), "specs/README.md lacks the line\n{row}");
    }
}

/// What a commit holds is what its specs say.
#[test]
fn the_generated_crate_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let layout = Layout { runtime: "../runtime".to_owned(), standalone: false };
    let mut sources = input::read(&root.join("specs")).expect("the specs");
    for source in &mut sources {
        let inside = source.path.rfind("specs/").expect("a path below specs");
        source.path.drain(..inside);
    }
    let files = generate(&sources, &layout).unwrap_or_else(|mistakes| panic!("{}", render_all(&mistakes, &sources)));
    let changes = output::compare(&root.join("generated"), &files).expect("the crate");
    assert!(changes.is_empty(), "run `cargo xtask gen`: {changes:?}");
}
