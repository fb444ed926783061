//! Anyone's own specs become a whole crate, library and binary, that stands on its own and compiles.

use std::path::Path;
use std::process::Command;

#[test]
fn specs_of_another_folder_become_a_crate_that_compiles() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // Beside the crate that checks the compiler's messages, so that dependencies are compiled once for both.
    let shared = root.join("target/tests");
    std::fs::create_dir_all(&shared).unwrap();
    let scratch = tempfile::Builder::new().prefix("own-specs-").tempdir_in(&shared).unwrap();
    let (specs, out) = (scratch.path().join("specs"), scratch.path().join("crate"));
    let course = specs.join("obstacle-course");
    std::fs::create_dir_all(&course).unwrap();
    for entry in std::fs::read_dir(root.join("tests/language/obstacle-course")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), course.join(entry.file_name())).unwrap();
    }
    let cargo = || Command::new(env!("CARGO"));
    let generated = cargo()
        .args(["xtask", "gen", "--specs"])
        .arg(&specs)
        .arg("--out")
        .arg(&out)
        .current_dir(&root)
        .output()
        .unwrap();
    assert!(generated.status.success(), "{}", String::from_utf8_lossy(&generated.stderr));
    // With the same versions as here: nothing is asked of a registry that was not asked for before.
    let checked = cargo()
        .args(["check", "--offline", "--all-targets"])
        .env("CARGO_TARGET_DIR", shared.join("trybuild"))
        .current_dir(&out)
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
