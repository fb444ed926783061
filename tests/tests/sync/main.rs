//! `connectome sync` and what it keeps, as whole commands against simulated accounts that change between runs.

mod instances;
mod plans;
mod runs;

use std::process::Command;

use connectome::{pagerduty, trend_micro};
use connectome_core::connection::environment_prefix;
use connectome_sim::{Fault, Options, Running, Service, Simulator};
use connectome_tests::command::{connectome, parsed, told};
use connectome_tests::simulated::{TOKEN, serve};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const NAMES: [&str; 2] = ["pagerduty", "trend-micro"];
const SERVICES: [&Service; 2] = [&pagerduty::simulator::SERVICE, &trend_micro::simulator::SERVICE];

/// Two simulated accounts of a clinic, and the home of somebody who watches them.
struct Clinic {
    home: TempDir,
    accounts: [Running; 2],
    runtime: Runtime,
}

impl Clinic {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl Fn(&mut Options)) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let accounts = SERVICES.map(|service| start(&runtime, service, &change));
        Self { home: tempfile::tempdir().expect("a folder"), accounts, runtime }
    }

    /// The same accounts again, with something wrong.
    fn worsen(&mut self, change: impl Fn(&mut Options)) {
        self.accounts = SERVICES.map(|service| start(&self.runtime, service, &change));
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = connectome(self.home.path());
        command.args(arguments);
        for (name, account) in NAMES.iter().zip(&self.accounts) {
            let prefix = environment_prefix(name);
            command.env(format!("{prefix}API_URL"), account.url()).env(format!("{prefix}API_KEY"), TOKEN);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        told(&self.command(arguments).output().expect("the command runs"))
    }

    /// A command that works, and what it prints.
    fn good(&self, arguments: &[&str]) -> String {
        let (code, out, said) = self.run(arguments);
        assert_eq!((code, said.as_str()), (0, ""), "{arguments:?}: {out}");
        out
    }

    fn sync(&self, name: &str) -> Value {
        parsed(&self.good(&["sync", name, "--output", "json"]))
    }

    /// Everything that is kept.
    fn graph(&self) -> Vec<Value> {
        self.good(&["graph", "export", "--raw"]).lines().map(parsed).collect()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.home.path().join(name), text).expect("a file");
    }

    fn requests(&self) -> [u64; 2] {
        self.accounts.each_ref().map(|account| account.simulator.requests())
    }

    /// Somebody at work in PagerDuty gives a user another role.
    fn promote(&self, id: &str, role: &str) -> String {
        let simulator = &self.accounts[0].simulator;
        let before = simulator.record("users", "id", id).expect("a user");
        assert!(simulator.change("users", "id", id, json!({ "role": role }).as_object().unwrap()));
        before["role"].as_str().expect("a role").to_owned()
    }
}

fn start(runtime: &Runtime, service: &'static Service, change: impl Fn(&mut Options)) -> Running {
    let mut options = Options::new(TOKEN);
    // Times of records do not depend on the test's.
    options.start = "2026-06-11T07:00:00Z".parse().expect("a time");
    change(&mut options);
    runtime.block_on(serve(Simulator::new(service, options)))
}

fn fault(text: &str) -> Fault {
    text.parse().expect("a fault")
}

/// How many objects of all types a run created, updated, deleted and so on.
fn sum(report: &Value, what: &str) -> u64 {
    report["types"].as_object().expect("types").values().map(|counts| counts[what].as_u64().expect("a number")).sum()
}

fn of_type<'a>(graph: &'a [Value], ty: &str) -> Vec<&'a Value> {
    graph.iter().filter(|object| object["_type"] == ty).collect()
}

const USER: &str = "PUSIM1003";

fn refused(clinic: &Clinic, name: &str, wanted: &[&str], what: &str) {
    let (code, out, said) = clinic.run(&["sync", name]);
    assert_eq!((code, out.as_str()), (2, ""), "{what}: {said}");
    assert!(said.contains("what to do: "), "{what}: {said}");
    wanted.iter().for_each(|wanted| assert!(said.contains(wanted), "{what}: {wanted}: {said}"));
}
