//! Fragments that use the language well: each is accepted without a mistake and becomes Rust that parses.

use std::fs;
use std::path::{Path, PathBuf};

use connectome_codegen::diagnostic::render_all;
use connectome_codegen::emit::Layout;
use connectome_codegen::generate;
use connectome_codegen::source::Source;

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
