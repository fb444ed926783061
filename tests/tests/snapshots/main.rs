//! A list that is read as a whole each time: what goes over the wire, what a process that is stopped or killed leaves behind,
//! and what a search engine holds in the end.

mod kills;
mod readings;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use connectome::jupiterone::simulator::SERVICE;
use connectome_sim::{Options, Running, Simulator};
use connectome_sinks::elasticsearch::API_KEY;
use connectome_sinks::elasticsearch::simulated::Search;
use connectome_tests::command::{binary, connectome, told};
use connectome_tests::simulated::{TOKEN, serve};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The key of the search engine.
const KEY: &str = "MARKER-search-c0ffee==";
/// What the simulation calls its records.
const COLLECTIONS: [&str; 3] = ["alerts", "findings", "vulnerabilities"];

/// A simulated account, a simulated Elasticsearch in which everything is installed, and the home of a user.
struct World {
    home: TempDir,
    account: Running,
    search: Running<Search>,
    _runtime: Runtime,
}

impl World {
    fn new(change: impl FnOnce(&mut Options)) -> Self {
        // Built before anything is timed.
        binary();
        let runtime = Runtime::new().expect("a runtime");
        let mut options = Options::new(TOKEN);
        change(&mut options);
        let account = runtime.block_on(serve(Simulator::new(&SERVICE, options)));
        let search = runtime.block_on(serve(Search::new(Some(&format!("ApiKey {KEY}")))));
        let world = Self { home: tempfile::tempdir().expect("a folder"), account, search, _runtime: runtime };
        let set_up = ["setup", "elasticsearch", "jupiterone", "--to", &world.to()];
        let (code, _, said) = told(&world.command(&set_up).output().expect("the command runs"));
        assert_eq!(code, 0, "{said}");
        world
    }

    fn to(&self) -> String {
        format!("elasticsearch+{}", self.search.url())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = connectome(self.home.path());
        command.args(arguments).envs([
            ("CONNECTOME_JUPITERONE_URL", self.account.url().as_str()),
            ("CONNECTOME_JUPITERONE_API_TOKEN", TOKEN),
            ("CONNECTOME_JUPITERONE_ACCOUNT_ID", "j1dev"),
            (API_KEY, KEY),
        ]);
        command
    }

    /// `connectome collect jupiterone` with these: exit code, standard output, standard error.
    fn collect(&self, arguments: &[&str]) -> (i32, String, String) {
        told(&self.command(&[&["collect", "jupiterone"], arguments].concat()).output().expect("the command runs"))
    }

    /// One reading into the search engine, which must end well; what it says of itself.
    fn reading(&self, arguments: &[&str]) -> Value {
        self.read_into(&self.to(), arguments)
    }

    fn read_into(&self, to: &str, arguments: &[&str]) -> Value {
        let (code, shown, said) = self.collect(&[&["--once", "--output", "json", "--to", to][..], arguments].concat());
        assert_eq!(code, 0, "{shown}{said}");
        let told = if to.starts_with("stdout") { &said } else { &shown };
        serde_json::from_str::<Value>(told.lines().last().expect("a line")).expect("JSON")["collected"][0].clone()
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(&[&["collect", "jupiterone"], arguments].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts")
    }

    /// What `--status` shows.
    fn status(&self) -> Value {
        let (code, shown, said) = self.collect(&["--status", "--output", "json", "--to", &self.to()]);
        assert_eq!(code, 0, "{shown}{said}");
        serde_json::from_str::<Value>(&shown).expect("JSON")[0].clone()
    }

    /// The ids of all records of the account.
    fn there(&self) -> BTreeSet<String> {
        let records = COLLECTIONS.iter().flat_map(|collection| self.account.simulator.records(collection));
        records.map(|text| id(&serde_json::from_str(&text).expect("JSON"), "/id")).collect()
    }

    fn documents(&self) -> Vec<Value> {
        self.search.simulator.documents().into_iter().map(|(_, _, document)| document).collect()
    }

    /// The latest document of each record, by its id.
    fn latest(&self) -> BTreeMap<String, Value> {
        self.documents().into_iter().map(|document| (id(&document, "/event/id"), document)).collect()
    }

    /// The ids of the records that are not marked as gone.
    fn alive(&self) -> BTreeSet<String> {
        let alive = self.latest().into_iter().filter(|(_, document)| !is_gone(document));
        alive.map(|(id, _)| id).collect()
    }
}

fn id(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).expect("an id").to_owned()
}

fn is_gone(document: &Value) -> bool {
    document.pointer("/jupiter_one/asset/entity/_deleted") == Some(&json!(true))
}
