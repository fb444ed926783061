//! `cargo xtask gen`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use connectome_codegen::diagnostic::render_all;
use connectome_codegen::emit::Layout;
use connectome_codegen::{generate, input, output};

/// Runs it. 0: done or nothing to do; 1: `--check` found differences, or the disk failed; 2: mistakes in specs or options.
pub fn run(options: &[&str]) -> ExitCode {
    match Options::read(options).map_err(|message| (2, message)).and_then(|options| options.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, message)) => {
            eprintln!("{}", message.trim_end());
            ExitCode::from(code)
        }
    }
}

struct Options {
    check: bool,
    specs: PathBuf,
    out: PathBuf,
    root: PathBuf,
}

type Failure = (u8, String);

impl Options {
    fn read(options: &[&str]) -> Result<Self, String> {
        // This crate stands one level below the workspace.
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default();
        let mut read = Self { check: false, specs: PathBuf::from("specs"), out: PathBuf::from("generated"), root };
        if std::env::current_dir().ok().as_deref() != Some(&read.root) {
            (read.specs, read.out) = (read.root.join("specs"), read.root.join("generated"));
        }
        let mut rest = options.iter();
        while let Some(option) = rest.next() {
            let mut folder = || rest.next().map(PathBuf::from).ok_or(format!("{option} needs a folder"));
            match *option {
                "--check" => read.check = true,
                "--specs" => read.specs = folder()?,
                "--out" => read.out = folder()?,
                other => return Err(format!("unknown option `{other}`; there are --check, --specs DIR and --out DIR")),
            }
        }
        Ok(read)
    }

    fn run(&self) -> Result<(), Failure> {
        let sources = input::read(&self.specs)
            .map_err(|error| (2, format!("the specs in {} cannot be read: {error}", self.specs.display())))?;
        if sources.is_empty() {
            return Err((
                2,
                format!("{} holds no specs; each connector is a folder of .yaml files in it", self.specs.display()),
            ));
        }
        let files = generate(&sources, &self.layout()).map_err(|mistakes| (2, render_all(&mistakes, &sources)))?;
        let disk = |error: std::io::Error| (1, format!("{}: {error}", self.out.display()));
        if !self.check {
            if let Some(foreign) = output::foreign(&self.out, &files).map_err(disk)? {
                let (foreign, out) = (self.out.join(foreign), self.out.display());
                return Err((
                    2,
                    format!(
                        "{} was not generated, and {out} would lose it; name a folder of its own with --out",
                        foreign.display()
                    ),
                ));
            }
            let changes = output::write(&self.out, &files).map_err(disk)?;
            self.lock().map_err(disk)?;
            println!(
                "{} files in {}: {} written, {} removed",
                files.len(),
                self.out.display(),
                changes.written.len(),
                changes.removed.len()
            );
            return Ok(());
        }
        let changes = output::compare(&self.out, &files).map_err(disk)?;
        if changes.is_empty() {
            return Ok(());
        }
        print!("{}", output::diff(&self.out, &files, &changes).map_err(disk)?);
        let (written, removed) = (changes.written.len(), changes.removed.len());
        Err((
            1,
            format!("{written} files differ from the specs and {removed} should not be there; run `cargo xtask gen`"),
        ))
    }

    /// A crate outside this workspace begins with the versions that are tried here. Afterwards the file is its owner's.
    fn lock(&self) -> std::io::Result<()> {
        let lock = self.out.join("Cargo.lock");
        if self.layout().standalone && !lock.exists() {
            std::fs::copy(self.root.join("Cargo.lock"), lock)?;
        }
        Ok(())
    }

    fn layout(&self) -> Layout {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let (out, runtime) = (absolute(&self.out), absolute(&self.root.join("runtime")));
        let standalone = out != absolute(&self.root.join("generated"));
        Layout { runtime: output::relative(&out, &runtime).to_string_lossy().replace('\\', "/"), standalone }
    }
}
