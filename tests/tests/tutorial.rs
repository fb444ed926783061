//! `docs/your-first-connector.md`, followed as a reader would: its YAML is the spec in `tests/first-connector`, each piece is
//! accepted when it is added, each mistake is told as it says, and each command prints what it says, built of the pieces that
//! stand before it.
//!
//! In what a command prints, `…` on the page stands for what differs from run to run, and alone in a line for lines.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use connectome_codegen::diagnostic::render_all;
use connectome_codegen::emit::Layout;
use connectome_codegen::source::Source;
use connectome_codegen::{generate, output};
use connectome_tests::command::{clean, told};

const NAME: &str = "harbor-watch";
/// Where the reader keeps the spec, seen from the repository.
const SPECS: &str = "../harbor/specs";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository")
}

fn page() -> String {
    fs::read_to_string(root().join("docs/your-first-connector.md")).expect("the tutorial")
}

fn spec(file: &str) -> String {
    let path = root().join("tests/first-connector").join(NAME).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A block of the page: its language, what it holds, and the line before it.
struct Block {
    language: String,
    body: String,
    before: String,
}

fn blocks() -> Vec<Block> {
    let page = page();
    let (mut blocks, mut before) = (Vec::new(), String::new());
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            if !line.trim().is_empty() {
                before = line.to_owned();
            }
            continue;
        };
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(Block { language: language.to_owned(), body: body.join("\n"), before: before.clone() });
    }
    blocks
}

/// The file that a block of YAML is, by the line before it: "… in `sites.yaml`:".
fn file_of(block: &Block) -> &str {
    let name = block.before.rsplit('`').nth(1).filter(|name| name.ends_with(".yaml"));
    name.unwrap_or_else(|| panic!("no file is named before\n{}", block.body))
}

fn mistakes(files: &[(String, String)]) -> String {
    let source =
        |(name, text): &(String, String)| Source { path: format!("{SPECS}/{NAME}/{name}"), text: text.clone() };
    let mut sources: Vec<Source> = files.iter().map(source).collect();
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    let layout = Layout { runtime: "../runtime".to_owned(), standalone: true };
    generate(&sources, &layout).err().map(|mistakes| render_all(&mistakes, &sources)).unwrap_or_default()
}

/// `<!-- sites.yaml: effect: read => effect: reed -->`: what was written wrong, where.
fn made(block: &Block, files: &[(String, String)]) -> Vec<(String, String)> {
    let comment = block.before.strip_prefix("<!-- ").and_then(|it| it.strip_suffix(" -->"));
    let read =
        comment.and_then(|it| it.split_once(": ")).and_then(|(file, rest)| Some((file, rest.split_once(" => ")?)));
    let (file, (right, wrong)) =
        read.unwrap_or_else(|| panic!("no comment says what was written before\n{}", block.body));
    let mut files = files.to_vec();
    let text = files.iter_mut().find(|(name, _)| name == file).map(|(_, text)| text);
    let text = text.unwrap_or_else(|| panic!("{file} is not there yet"));
    assert_eq!(text.matches(right).count(), 1, "{file} holds {right:?} not once");
    *text = text.replace(right, wrong);
    files
}

#[test]
fn the_pieces_are_the_spec_and_each_is_accepted_when_it_is_added() {
    let mut files: Vec<(String, String)> = Vec::new();
    for block in blocks().iter().filter(|block| block.language == "yaml") {
        let file = file_of(block);
        assert_eq!(format!("{}\n", block.body), spec(file), "{file} is not what the page shows");
        files.push((file.to_owned(), spec(file)));
        assert_eq!(mistakes(&files), "", "after {file}");
    }
    let folder = root().join("tests/first-connector").join(NAME);
    assert_eq!(files.len(), fs::read_dir(folder).expect("the spec").count(), "a file is not on the page");
}

#[test]
fn each_mistake_is_told_as_the_page_says() {
    let (mut files, mut seen) = (Vec::new(), 0);
    for block in blocks() {
        match block.language.as_str() {
            "yaml" => files.push((file_of(&block).to_owned(), spec(file_of(&block)))),
            "text" if block.body.starts_with("error[") => {
                let told = mistakes(&made(&block, &files));
                assert_eq!(told.trim_end(), block.body, "the page shows another message than\n{told}");
                seen += 1;
            }
            _ => {}
        }
    }
    assert!(seen > 5, "{seen} mistakes");
}

/// Whether what was printed is what the page shows.
fn fits(shown: &str, printed: &str) -> bool {
    fn lines(shown: &[&str], printed: &[&str]) -> bool {
        match (shown, printed) {
            ([], []) => true,
            ([first, rest @ ..], _) if first.trim() == "…" => {
                (0..=printed.len()).any(|skipped| lines(rest, &printed[skipped..]))
            }
            ([first, rest @ ..], [line, others @ ..]) => self::line(first, line) && lines(rest, others),
            _ => false,
        }
    }
    let shown: Vec<&str> = shown.trim().lines().map(str::trim_end).collect();
    let printed: Vec<&str> = printed.trim().lines().map(str::trim_end).collect();
    lines(&shown, &printed)
}

fn line(shown: &str, printed: &str) -> bool {
    let Some((start, mut rest)) = shown.split_once('…') else { return shown == printed };
    let Some(mut printed) = printed.strip_prefix(start) else { return false };
    while let Some((part, after)) = rest.split_once('…') {
        let Some(at) = printed.find(part) else { return false };
        (printed, rest) = (&printed[at + part.len()..], after);
    }
    printed.ends_with(rest)
}

#[test]
fn three_dots_stand_for_what_differs() {
    assert!(fits("a … c\n…\nd", "a b b c\nx\ny\nd\n") && fits("a\n…\nb", "a\nb") && fits("…:… k", "x:1 k"));
    assert!(!fits("a … c", "a b") && !fits("a\n…\nd", "a\nb") && !fits("a", "a\nb") && !fits("a\nb", "a"));
}

/// The folder of everything that is built: a test runs from `PROFILE/deps` in it.
fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    test.ancestors().nth(3).expect("a folder").to_path_buf()
}

/// Builds the crate. The crates of others are shared with this workspace. The runtime is compiled once more, since a
/// crate on its own is a workspace of its own.
fn build(folder: &Path) -> PathBuf {
    let built = target().join("first-connector/target");
    let mut build = clean(env!("CARGO"));
    build.args(["build", "--quiet", "--offline"]).current_dir(folder);
    if !cfg!(debug_assertions) {
        build.arg("--release");
        // That takes nearly all the time, and far less where nothing is optimised. What is printed is the same.
        for room in fs::read_dir(root().join("runtime")).expect("the runtime") {
            let room = room.expect("a room").file_name().into_string().expect("a name");
            build.arg("--config").arg(format!("profile.release.package.connectome-{room}.opt-level=0"));
        }
    }
    build.env("CARGO_BUILD_BUILD_DIR", target()).env("CARGO_TARGET_DIR", &built);
    let (code, _, errors) = told(&build.output().expect("cargo runs"));
    assert_eq!((code, errors.as_str()), (0, ""), "the crate builds without a warning");
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    built.join(profile).join(format!("connectome{}", std::env::consts::EXE_SUFFIX))
}

/// A reader with a shell: what was exported, how the last command ended, the simulated service that runs beside it.
struct Reader {
    home: tempfile::TempDir,
    binary: PathBuf,
    variables: Vec<(String, String)>,
    code: i32,
    service: Option<Child>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stops();
    }
}

impl Reader {
    /// Ends the simulated service.
    fn stops(&mut self) {
        if let Some(mut service) = self.service.take() {
            let _ = service.kill();
            let _ = service.wait();
        }
    }

    /// Types a line; what is printed, errors after the rest.
    fn types(&mut self, line: &str) -> String {
        if line == "echo $?" {
            return self.code.to_string();
        }
        if line.starts_with("connectome simulate ") {
            return self.simulates(line);
        }
        assert!(
            line.starts_with("connectome ") || line.starts_with("head "),
            "the test does not know how to type {line:?}"
        );
        let folder = self.binary.parent().expect("a folder").display();
        let mut shell = clean("sh");
        shell.args(["-c", &format!("PATH={folder}:$PATH; {line}")]).current_dir(self.home.path());
        shell.env("HOME", self.home.path()).envs(self.variables.iter().cloned());
        let (code, printed, errors) = told(&shell.output().expect("a shell"));
        self.code = code;
        format!("{printed}{errors}")
    }

    fn simulates(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').skip(1).collect();
        let mut service = clean(&self.binary);
        // Any port: the page's own may be taken here.
        service.args(&words).args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut service = service.env("HOME", self.home.path()).spawn().expect("the command starts");
        let mut printed = BufReader::new(service.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let said: Vec<String> = printed.by_ref().take(3).collect();
        self.stops();
        self.service = Some(service);
        let exported = said.iter().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        self.variables = exported.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(self.variables.len(), 2, "{said:?}");
        said.join("\n")
    }
}

/// The commands of a block, and what the page shows of what each prints.
fn commands(body: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in body.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            (None, Some((command, _))) if command.ends_with('\\') => {
                command.pop();
                command.push_str(line.trim_start());
            }
            (None, Some((_, shown))) => shown.push_str(&format!("{line}\n")),
            (None, None) => panic!("no command stands before {line:?}"),
        }
    }
    commands
}

/// Writes the crate of the specs in this folder.
fn write_crate(specs: &Path, out: &Path) {
    let mut generate = clean(env!("CARGO"));
    generate.args(["xtask", "gen", "--specs"]).arg(specs).arg("--out").arg(out).current_dir(root());
    let (code, printed, errors) = told(&generate.output().expect("cargo runs"));
    assert_eq!(code, 0, "{printed}{errors}");
    assert!(fs::read_to_string(out.join("Cargo.toml")).expect("a manifest").starts_with(output::MARK));
}

#[test]
fn each_command_prints_what_the_page_shows() {
    let folder = target().join("first-connector");
    let (specs, out) = (folder.join("specs"), folder.join("crate"));
    let _ = fs::remove_dir_all(&specs);
    fs::create_dir_all(specs.join(NAME)).expect("a folder");
    let home = tempfile::tempdir().expect("a folder");
    let mut reader = Reader { home, binary: PathBuf::new(), variables: Vec::new(), code: 0, service: None };
    let (mut wrong, mut is_built) = (Vec::new(), false);
    for block in blocks() {
        if block.language == "yaml" {
            let file = file_of(&block);
            fs::write(specs.join(NAME).join(file), spec(file)).expect("a file");
            is_built = false;
        }
        if block.language != "console" {
            continue;
        }
        for (command, shown) in commands(&block.body) {
            if ["cargo ", "export ", "mkdir "].iter().any(|start| command.starts_with(start)) {
                continue;
            }
            // What was added to the spec since the last command is in the next one.
            if !is_built {
                reader.stops();
                write_crate(&specs, &out);
                reader.binary = build(&out);
                is_built = true;
            }
            let printed = reader.types(&command);
            if !fits(&shown, &printed) {
                wrong.push(format!("$ {command}\n{printed}"));
            }
        }
    }
    assert!(wrong.is_empty(), "the page shows something else for:\n\n{}", wrong.join("\n"));
    assert_eq!(reader.variables.len(), 2, "no service was simulated");
}
