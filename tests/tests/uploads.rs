//! `connectome sync --to` as whole commands against the platform of `connectome simulate`.

use connectome_sinks::jupiterone::KEY_VARIABLE;
use connectome_tests::command::{Simulation, parsed, run};
use serde_json::{Value, json};
use tempfile::TempDir;

const NAME: &str = "pagerduty";

/// A simulated account, a simulated platform, and the home of somebody who brings one to the other.
struct Clinic {
    home: TempDir,
    simulation: Simulation,
}

impl Clinic {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let simulation = Simulation::start(home.path(), NAME, &["jupiterone-platform"]);
        Self { home, simulation }
    }

    fn destination(&self) -> &str {
        self.simulation.destination.as_deref().expect("a destination")
    }

    fn run(&self, key: Option<&str>, arguments: &[&str]) -> (i32, String, String) {
        let account = self.simulation.all_variables();
        let key = key.map(|key| (KEY_VARIABLE, key));
        let variables: Vec<_> =
            account.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(key).collect();
        run(self.home.path(), arguments, &variables)
    }

    /// A run that uploads with this key: its exit code, its report, and what it said besides.
    fn sync(&self, key: &str) -> (i32, Value, String) {
        let (code, out, said) = self.run(Some(key), &["sync", NAME, "--to", self.destination(), "--output", "json"]);
        (code, parsed(&out), said)
    }

    /// A run that works, and what it did.
    fn good(&self) -> (Done, Value) {
        let (code, report, said) = self.sync(&self.simulation.token);
        assert_eq!((code, said.as_str()), (0, ""), "{report}");
        (Done::of(&report), report["uploads"][0].clone())
    }

    /// How many entities and relationships are kept here.
    fn kept(&self) -> [u64; 2] {
        let (code, out, said) = self.run(None, &["graph", "show", "--output", "json"]);
        assert_eq!(code, 0, "{said}");
        let rows = parsed(&out)["graph"].as_array().expect("rows").clone();
        let count = |entity: bool| {
            let rows = rows.iter().filter(|row| (row["kind"] == "entity") == entity);
            rows.map(|row| row["count"].as_u64().expect("a number")).sum()
        };
        [count(true), count(false)]
    }
}

/// How many objects a run created and updated here.
#[derive(Debug, PartialEq)]
struct Done {
    created: u64,
    updated: u64,
}

impl Done {
    fn of(report: &Value) -> Self {
        let types = report["types"].as_object().expect("types");
        let sum = |what: &str| types.values().map(|counts| counts[what].as_u64().expect("a number")).sum();
        Self { created: sum("created"), updated: sum("updated") }
    }
}

/// That an upload took so many entities and relationships, and what became of the entities there.
fn uploaded(upload: &Value, [entities, relationships]: [u64; 2], became: [u64; 3]) {
    assert_eq!(upload["uploaded"], true, "{upload}");
    assert_eq!(upload["status"], "FINISHED", "{upload}");
    assert_eq!([&upload["entities"], &upload["relationships"]], [&json!(entities), &json!(relationships)], "{upload}");
    let counters = ["Created", "Updated", "Deleted"].map(|what| &upload["counters"][format!("numEntities{what}")]);
    assert_eq!(counters, became.map(|count| json!(count)).each_ref(), "{upload}");
}

#[test]
fn a_graph_is_uploaded_when_it_changed_and_only_then() {
    let clinic = Clinic::new();
    let (done, upload) = clinic.good();
    let kept = clinic.kept();
    assert_eq!((done, kept), (Done { created: 104, updated: 0 }, [34, 70]));
    assert_eq!(upload["destination"], clinic.destination());
    uploaded(&upload, kept, [34, 0, 0]);

    let nothing = Done { created: 0, updated: 0 };
    let (done, upload) = clinic.good();
    assert_eq!((done, upload), (nothing, json!({ "destination": clinic.destination(), "uploaded": false })));
    let (code, out, said) = clinic.run(Some(&clinic.simulation.token), &["sync", NAME, "--to", clinic.destination()]);
    assert_eq!((code, said.as_str()), (0, ""), "{out}");
    assert!(out.contains(&format!("{}: as it is here already; nothing was uploaded", clinic.destination())), "{out}");

    // From now on every entity carries the account's name. The instance names the destination itself.
    let lines = format!(
        "[instances.{NAME}]\nconnector = \"{NAME}\"\naccount_name = \"Harbor PD\"\ntag_with_account_name = true\nto = [{:?}]\n",
        clinic.destination()
    );
    std::fs::write(clinic.home.path().join("connectome.toml"), lines).expect("a file");
    let (code, out, said) = clinic.run(Some(&clinic.simulation.token), &["sync", NAME, "--output", "json"]);
    assert_eq!((code, said.as_str()), (0, ""), "{out}");
    let report = parsed(&out);
    assert_eq!(Done::of(&report).created, 0, "{report}");
    uploaded(&report["uploads"][0], kept, [0, 34, 0]);
}

#[test]
fn what_the_platform_refuses_is_kept_here_and_uploaded_by_the_next_run() {
    const WRONG: &str = "MARKER-key-of-somebody-else";
    let clinic = Clinic::new();
    for created in [104, 0] {
        let (code, report, said) = clinic.sync(WRONG);
        assert_eq!((code, Done::of(&report)), (1, Done { created, updated: 0 }), "{said}");
        let upload = &report["uploads"][0];
        assert_eq!((&upload["destination"], &upload["uploaded"]), (&json!(clinic.destination()), &Value::Null));
        assert_eq!(upload["error"]["kind"], "auth", "{upload}");
        for told in ["401", KEY_VARIABLE, "the local graph is up to date: run it again to upload it"] {
            assert!(said.contains(told), "{told}: {said}");
        }
        // The platform says what it was sent.
        assert!(!said.contains(WRONG) && !report.to_string().contains(WRONG), "{said}");
        assert_eq!(clinic.kept(), [34, 70]);
    }
    let (done, upload) = clinic.good();
    assert_eq!(done, Done { created: 0, updated: 0 });
    uploaded(&upload, [34, 70], [34, 0, 0]);
}

#[test]
fn a_destination_that_cannot_be_used_is_told_before_anything_is_read() {
    let clinic = Clinic::new();
    let key = Some(clinic.simulation.token.as_str());
    for (key, to, wanted) in [
        (None, clinic.destination(), KEY_VARIABLE),
        (key, "elsewhere+https://platform.example", "it does not begin with `jupiterone+`"),
        (key, "jupiterone+https://platform.example?account=harbor", "integration_instance is missing"),
    ] {
        let (code, out, said) = clinic.run(key, &["sync", NAME, "--to", to]);
        assert_eq!((code, out.as_str()), (2, ""), "{to}: {said}");
        assert!(said.contains(wanted), "{to}: {said}");
        let (code, _, said) = clinic.run(None, &["graph", "show"]);
        assert!(code == 2 && said.contains("there is no local graph"), "{to}: {said}");
    }
}
