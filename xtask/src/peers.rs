//! Real clients from public registries, in a folder of their own below `target`.

use std::fs;
use std::process::Command;

use crate::{root, run};

/// Installs the Python clients that tests drive, unless they are there already.
pub fn prepare() -> Result<(), String> {
    let root = root();
    let wanted = fs::read_to_string(root.join("tests/peers/requirements.txt"))
        .map_err(|error| format!("tests/peers/requirements.txt: {error}"))?;
    let folder = root.join("target/peers");
    let installed = folder.join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(());
    }
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let venv = folder.join("venv");
    if let Err(message) = run(Command::new("python3").args(["-m", "venv"]).arg(&venv)) {
        eprintln!("{message}; trying to install Debian's python3-venv");
        run(Command::new("apt-get").args(["install", "--yes", "python3", "python3-venv"])).map_err(|message| {
            format!("{message}\nthe tests need Python 3 with venv: install it and run this again")
        })?;
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    run(Command::new(venv.join("bin/python")).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        "tests/peers/requirements.txt",
    ]))?;
    fs::write(&installed, wanted).map_err(|error| format!("{}: {error}", installed.display()))
}
