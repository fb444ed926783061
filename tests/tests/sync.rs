//! `connectome sync` and what it keeps, as whole commands against simulated accounts that change between runs.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use connectome::{pagerduty, trend_micro};
use connectome_sim::{Fault, Grants, Options, Running, Service, Simulator, serve};
use connectome_tests::command::{Simulation, connectome, run, told};
use connectome_tests::simulated::TOKEN;
use serde_json::{Map, Value, json};
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
            let prefix = format!("CONNECTOME_{}_", name.to_uppercase().replace('-', "_"));
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
    runtime.block_on(serve(Simulator::new(service, options), ([127, 0, 0, 1], 0).into(), None)).expect("a port")
}

fn fault(text: &str) -> Fault {
    text.parse().expect("a fault")
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// How many objects of all types a run created, updated, deleted and so on.
fn sum(report: &Value, what: &str) -> u64 {
    report["types"].as_object().expect("types").values().map(|counts| counts[what].as_u64().expect("a number")).sum()
}

fn of_type<'a>(graph: &'a [Value], ty: &str) -> Vec<&'a Value> {
    graph.iter().filter(|object| object["_type"] == ty).collect()
}

const USER: &str = "PUSIM1003";

#[test]
fn a_second_run_finds_what_the_first_one_left() {
    let home = tempfile::tempdir().unwrap();
    let simulation = Simulation::start(home.path(), NAMES[0], &[NAMES[1]]);
    let variables = simulation.all_variables();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for (name, title, entities) in
        [(NAMES[0], "PagerDuty, pagerduty", 34), (NAMES[1], "Trend Micro Workload Security, trend-micro", 113)]
    {
        let (code, out, said) = run(home.path(), &["sync", name], &variables);
        assert_eq!((code, said.as_str()), (0, ""), "{out}");
        assert!(out.starts_with(title) && out.contains(&format!("`connectome graph changes {name}`")), "{out}");
        let (code, out, _) = run(home.path(), &["sync", name, "--output", "json"], &variables);
        let report = parsed(&out);
        assert_eq!((code, &report["instance"]), (0, &json!(name)));
        assert_eq!(["created", "updated", "deleted", "kept"].map(|what| sum(&report, what)), [0; 4], "{report}");
        let types = report["types"].as_object().unwrap().values().filter(|it| it["kind"] == "entity");
        assert_eq!(types.map(|it| it["unchanged"].as_u64().unwrap()).sum::<u64>(), entities, "{report}");
        let (code, out, said) = run(home.path(), &["sync", name], &variables);
        assert_eq!((code, said.as_str(), out.lines().last()), (0, "", Some("nothing changed")));
    }
    let (_, out, _) = run(home.path(), &["graph", "show", "--output", "json"], &[]);
    let kept = parsed(&out);
    let instances: Vec<&Value> = kept["graph"].as_array().unwrap().iter().map(|row| &row["instance"]).collect();
    assert!(instances.contains(&&json!(NAMES[0])) && instances.contains(&&json!(NAMES[1])), "{out}");
}

#[test]
fn a_graph_that_is_forgotten_is_gone_with_its_history_and_others_stay() {
    let home = tempfile::tempdir().unwrap();
    let simulation = Simulation::start(home.path(), NAMES[0], &[NAMES[1]]);
    let variables = simulation.all_variables();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let run = |arguments: &[&str]| run(home.path(), arguments, &variables);
    for name in NAMES {
        assert_eq!(run(&["sync", name]).0, 0);
    }
    let (_, shown, _) = run(&["state", "show", "--output", "json"]);
    let names: Vec<Value> = parsed(&shown).as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, [json!("graph/pagerduty"), json!("graph/trend-micro")]);
    let (code, _, said) = run(&["state", "reset", "graph/pagerduty"]);
    assert!(code == 2 && said.contains("--yes"), "{said}");
    assert_eq!(run(&["state", "reset", "graph/pagerduty", "--yes"]).0, 0);
    let (_, exported, _) = run(&["graph", "export"]);
    assert!(!exported.contains("pagerduty") && exported.contains("trend_micro_computer"));
    let (code, _, said) = run(&["graph", "changes", "pagerduty"]);
    assert!(code == 2 && said.contains("never synchronised"), "{said}");
    let (code, shown, _) = run(&["sync", "pagerduty", "--output", "json"]);
    assert_eq!((code, sum(&parsed(&shown), "created") > 0), (0, true));
}

#[test]
fn what_changed_in_the_account_is_told_property_by_property() {
    let clinic = Clinic::new();
    assert_eq!(sum(&clinic.sync(NAMES[0]), "created"), 104);
    let before = clinic.promote(USER, "read_only_user");
    let simulator = &clinic.accounts[0].simulator;
    assert!(simulator.remove("services", "id", "PSSIM1002"));
    let report = clinic.sync(NAMES[0]);
    let gone = 1 + of_edges(&report);
    assert_eq!((sum(&report, "updated"), sum(&report, "created"), sum(&report, "deleted")), (1, 0, gone), "{report}");

    let text = clinic.good(&["graph", "changes", NAMES[0]]);
    let updated: Vec<&str> = text.lines().filter(|line| line.starts_with('~')).collect();
    assert_eq!(updated.len(), 1, "{text}");
    let user = format!("~ pagerduty_user user:{USER} (");
    assert!(updated[0].starts_with(&user), "{text}");
    assert!(updated[0].contains(&format!("): role \"{before}\" -> \"read_only_user\"")), "{text}");
    assert!(text.contains("- pagerduty_service service:PSSIM1002 ("), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with('-')).count() as u64, gone, "{text}");

    let changes: Vec<Value> = clinic.good(&["graph", "changes", "--output", "jsonl"]).lines().map(parsed).collect();
    let change = changes.iter().find(|change| change["change"] == "updated").unwrap();
    assert_eq!(change["_key"], format!("user:{USER}"));
    let role = json!({ "name": "role", "before": before, "after": "read_only_user" });
    assert!(change["properties"].as_array().unwrap().contains(&role), "{change}");

    // A run that finds nothing leaves the last changes as they are; from the start on there are those of the first run.
    clinic.sync(NAMES[0]);
    assert_eq!(clinic.good(&["graph", "changes"]), text);
    let all = clinic.good(&["graph", "changes", "--since", "2020-01-01T00:00:00Z"]);
    assert_eq!(all.lines().count(), 104 + text.lines().count());
    let (code, out, said) = clinic.run(&["graph", "changes", "--since", "2100-01-01T00:00:00Z"]);
    assert_eq!((code, out.as_str(), said.trim()), (0, "", "nothing changed"));
}

/// How many relationships went with what they hung on.
fn of_edges(report: &Value) -> u64 {
    let types = report["types"].as_object().unwrap().values().filter(|it| it["kind"] != "entity");
    types.map(|it| it["deleted"].as_u64().unwrap()).sum()
}

#[test]
fn a_step_that_fails_is_told_and_nothing_of_its_types_goes() {
    let denied = || Grants::AllBut(vec![("Trend Micro Workload Security".into(), "View roles".into())]);
    let table: [(usize, &str, &str, &[&str], u64); 2] = [
        (0, "Who is on call", "pagerduty_user_oncall_service", &["500", "/oncalls", "what to do: try again later"], 20),
        (1, "Administrator roles", "trend_micro_administrator_role", &["403", "View roles", "what to do: the key"], 3),
    ];
    for (which, step, ty, causes, kept) in table {
        let mut clinic = Clinic::new();
        clinic.sync(NAMES[which]);
        let before = clinic.graph();
        clinic.worsen(|options| {
            options.faults = vec![fault("server-error@/oncalls")];
            options.tokens[0].grants = denied();
        });
        let (code, out, said) = clinic.run(&["sync", NAMES[which]]);
        assert_eq!(code, 3, "{out}{said}");
        let line = out.lines().find(|line| line.starts_with(step)).expect("the step");
        assert!(line.contains("failed: ") && causes.iter().all(|cause| line.contains(cause)), "{line}");
        for told in ["read in part", ty, &format!("the step {step:?} failed"), "run it again"] {
            assert!(said.contains(told), "{told}: {said}");
        }
        assert_eq!(clinic.graph(), before);

        let (code, out, said) = clinic.run(&["sync", NAMES[which], "--output", "json"]);
        let (report, error) = (parsed(&out), parsed(&said));
        assert_eq!((code, &error["error"]["kind"]), (3, &json!("partial")));
        let failed: Vec<&Value> =
            report["steps"].as_array().unwrap().iter().filter(|step| step["status"] != "done").collect();
        assert_eq!((failed.len(), &failed[0]["title"], &failed[0]["status"]), (1, &json!(step), &json!("failed")));
        assert!(failed[0]["cause"].is_string() && failed[0]["remedy"].is_string(), "{failed:?}");
        assert_eq!((&report["types"][ty]["deleted"], &report["types"][ty]["kept"]), (&json!(0), &json!(kept)));
        assert!(report["partial"][ty].is_string() && sum(&report, "deleted") == 0, "{report}");
    }
}

#[test]
fn a_run_in_which_nobody_is_let_in_changes_nothing() {
    let mut clinic = Clinic::new();
    for name in NAMES {
        clinic.sync(name);
    }
    let before = clinic.graph();
    clinic.worsen(|options| options.tokens[0].grants = Grants::Expired);
    for (name, key) in NAMES.iter().zip(["General Access REST API key", "a role that may view computers"]) {
        let (code, out, said) = clinic.run(&["sync", name]);
        assert_eq!((code, out.as_str()), (1, ""), "{said}");
        assert!(said.contains("401") && said.contains(key), "{said}");
    }
    assert_eq!(clinic.graph(), before);
    assert_eq!(clinic.requests(), [1, 1], "no step runs");
}

#[test]
fn a_plan_shows_what_would_change_and_changes_nothing() {
    let clinic = Clinic::new();
    clinic.sync(NAMES[0]);
    let before = clinic.graph();
    let role = clinic.promote(USER, "read_only_user");
    let text = clinic.good(&["sync", NAMES[0], "--plan"]);
    assert!(text.starts_with(&format!("~ pagerduty_user user:{USER} (")) && text.contains(&role), "{text}");
    assert_eq!(text.lines().last(), Some("1 change; nothing was changed"));
    let plan = parsed(&clinic.good(&["sync", NAMES[0], "--plan", "--output", "json"]));
    assert_eq!(plan["changes"].as_array().unwrap().len(), 1);
    assert_eq!((&plan["changes"][0]["change"], &plan["plan"]["instance"]), (&json!("updated"), &json!(NAMES[0])));
    assert_eq!(clinic.graph(), before);

    // Of an account that was never read everything is new.
    let plan = parsed(&clinic.good(&["sync", NAMES[1], "--plan", "--output", "json"]));
    let count = plan["changes"].as_array().unwrap().len() as u64;
    assert_eq!((count, sum(&plan["report"], "updated")), (sum(&plan["report"], "created"), 0));
    assert_eq!(clinic.graph(), before);
    let (code, _, said) = clinic.run(&["graph", "changes", NAMES[1]]);
    assert!(code == 2 && said.contains("never synchronised"), "{said}");
}

#[test]
fn a_plan_is_applied_once_and_only_to_the_state_that_it_was_made_for() {
    let clinic = Clinic::new();
    let plan = |file: &str| clinic.write(file, &clinic.good(&["sync", NAMES[0], "--plan", "--output", "json"]));
    let refused = |file: &str| {
        let before = clinic.run(&["graph", "export", "--raw"]).1;
        let (code, out, said) = clinic.run(&["sync", NAMES[0], "--apply", file]);
        assert_eq!((code, out.as_str()), (1, ""), "{said}");
        assert!(said.contains("not as it was when the plan was made") && said.contains("--plan"), "{said}");
        assert_eq!(clinic.run(&["graph", "export", "--raw"]).1, before);
    };
    plan("first.json");
    clinic.good(&["sync", NAMES[0], "--apply", "first.json"]);
    assert_eq!(clinic.graph().len(), 104);
    // The graph has moved on, and then the account.
    refused("first.json");
    plan("second.json");
    clinic.promote(USER, "read_only_user");
    refused("second.json");
    plan("third.json");
    clinic.promote(USER, "restricted_access");
    refused("third.json");
    plan("fourth.json");
    let text = clinic.good(&["sync", NAMES[0], "--apply", "fourth.json"]);
    assert!(text.contains("1 change;"), "{text}");
    assert!(of_type(&clinic.graph(), "pagerduty_user").iter().any(|user| user["role"] == "restricted_access"));

    clinic.write("other.txt", "{}");
    let requests = clinic.requests();
    for (arguments, wanted) in [
        (&["sync", NAMES[1], "--apply", "fourth.json"][..], "of the instance \"pagerduty\""),
        (&["sync", NAMES[0], "--apply", "other.txt"], "it is not a plan"),
        (&["sync", NAMES[0], "--apply", "absent.json"], "absent.json"),
        (&["sync", NAMES[0], "--apply", "fourth.json", "--plan"], "cannot be used with"),
    ] {
        let (code, out, said) = clinic.run(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{said}");
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert_eq!(clinic.requests(), requests);
}

const CONFIGURATION: &str = r#"
[instances.watch]
connector = "pagerduty"
account_name = "Harbor Clinic"
description = "who answers at night"
polling_interval = "THIRTY_MINUTES"
tag_with_account_name = true

[instances.wards]
connector = "trend-micro"
polling_interval = "ONE_DAY"

[instances.soc]
connector = "trend-vision-one"
"#;

#[test]
fn all_instances_are_synchronised_and_one_that_fails_keeps_none_from_it() {
    let mut clinic = Clinic::new();
    clinic.write("connectome.toml", CONFIGURATION);
    let text = clinic.good(&["sync", "--all"]);
    assert!(text.contains("PagerDuty, Harbor Clinic: who answers at night\n"), "{text}");
    assert!(text.contains("Trend Micro Workload Security, wards\n"), "{text}");
    let graph = clinic.graph();
    let tagged = |object: &&Value| object["tag.AccountName"] == "Harbor Clinic";
    let entities = |name: &str| {
        let of = |it: &&Value| it["_instance"] == name && it.get("_rawData").is_some();
        graph.iter().filter(of).collect::<Vec<_>>()
    };
    assert_eq!((entities("watch").len(), entities("wards").len()), (34, 113));
    assert!(entities("watch").iter().all(tagged) && !entities("wards").iter().any(tagged));
    assert!(graph.iter().filter(tagged).all(|it| it.get("_rawData").is_some()), "relationships are not tagged");

    clinic.worsen(|options| options.faults = vec![fault("server-error@/users"), fault("server-error@/roles")]);
    let (code, out, said) = clinic.run(&["sync", "--all"]);
    assert_eq!(code, 1, "{out}{said}");
    assert!(said.contains("error: watch: ") && said.contains("error: wards: ") && said.contains("500"), "{said}");
    assert!(out.contains("Trend Micro Workload Security, wards\n") && !out.contains("PagerDuty"), "{out}");
    assert_eq!(clinic.graph().len(), graph.len());
    // What an instance is called, or its connector.
    for name in ["wards", "trend-micro"] {
        assert_eq!(clinic.run(&["sync", name]).0, 3);
    }
}

/// A command that goes on; it is killed with this value.
struct Watching(Child);

impl Watching {
    fn start(clinic: &Clinic) -> Self {
        let mut command = clinic.command(&["sync", "--all", "--watch"]);
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts"))
    }

    /// Stops it as Ctrl-C does, and gives what it printed.
    fn stop(mut self) -> (i32, String, String) {
        assert!(Command::new("kill").args(["-INT", &self.0.id().to_string()]).status().expect("kill runs").success());
        let mut texts = [String::new(), String::new()];
        let read = |from: &mut dyn std::io::Read, text: &mut String| {
            from.read_to_string(text).expect("text");
        };
        read(&mut self.0.stdout.take().expect("its output"), &mut texts[0]);
        read(&mut self.0.stderr.take().expect("its errors"), &mut texts[1]);
        let [out, said] = texts;
        (self.0.wait().expect("an end").code().unwrap_or(-1), out, said)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(unix)]
#[test]
fn instances_are_watched_at_their_intervals_until_somebody_stops_it() {
    let clinic = Clinic::new();
    clinic.write("connectome.toml", CONFIGURATION);
    let instances = || -> Vec<String> {
        let (code, out, _) = clinic.run(&["graph", "show", "--output", "json"]);
        let rows = if code == 0 { parsed(&out)["graph"].clone() } else { json!([]) };
        let mut names: Vec<String> =
            rows.as_array().unwrap().iter().map(|row| row["instance"].as_str().unwrap().to_owned()).collect();
        names.dedup();
        names
    };
    let watching = Watching::start(&clinic);
    wait_for("both accounts are read", || instances() == ["wards", "watch"]);
    let (code, out, said) = watching.stop();
    assert_eq!(code, 130, "{out}{said}");
    assert!(said.contains("interrupted"), "{said}");
    let (graph, requests) = (clinic.graph(), clinic.requests());

    // They are not due for half an hour; one that was never read is due at once.
    clinic.write(
        "connectome.toml",
        &format!("{CONFIGURATION}\n[instances.annex]\nconnector = \"pagerduty\"\npolling_interval = \"ONE_WEEK\"\n"),
    );
    let watching = Watching::start(&clinic);
    wait_for("the annex is read", || instances() == ["annex", "wards", "watch"]);
    assert_eq!(watching.stop().0, 130);
    assert_eq!(clinic.requests()[1], requests[1]);
    let others: Vec<Value> = clinic.graph().into_iter().filter(|object| object["_instance"] != "annex").collect();
    assert_eq!(others, graph);

    // Nothing to watch.
    clinic.write("connectome.toml", "[instances.watch]\nconnector = \"pagerduty\"\n");
    let (code, _, said) = clinic.run(&["sync", "--all", "--watch"]);
    assert!(code == 2 && said.contains("DISABLED") && said.contains("polling_interval"), "{said}");
}

/// What an instance of PagerDuty says, and what is said of that.
const MISTAKES: [(&str, &[&str]); 9] = [
    ("dialect = \"publishd-2022\"", &["no such dialect", "documented, published-2021, published-2022"]),
    ("lookups = { owner = \"owners.csv\" }", &["no lookup \"owner\""]),
    ("lookups = \"owners.csv\"", &["lookups is not a table", "{ NAME = \"FILE\" }"]),
    ("polling_interval = \"HOURLY\"", &["\"HOURLY\" is not a polling interval", "ONE_HOUR", "DISABLED"]),
    ("polling_interval = 60", &["polling_interval is not a text"]),
    ("strictness = \"strict\"", &["\"strict\" is not a strictness", "off, warn, error"]),
    ("tag_with_account_name = \"yes\"", &["neither true nor false"]),
    ("to = \"jupiterone\"", &["to is not a list"]),
    ("dialekt = \"documented\"", &["unknown key \"dialekt\"", "dialect"]),
];

#[test]
fn what_is_misspelt_is_told_before_anything_is_sent() {
    let clinic = Clinic::new();
    for (line, wanted) in MISTAKES {
        clinic.write("connectome.toml", &format!("[instances.watch]\nconnector = \"pagerduty\"\n{line}\n"));
        refused(&clinic, "watch", wanted, line);
    }
    clinic.write("connectome.toml", CONFIGURATION);
    for (name, wanted) in [
        ("wacth", &["\"wacth\"", "did you mean `watch`?"][..]),
        ("pagerdty", &["\"pagerdty\"", "did you mean `pagerduty`?"]),
        ("elsewhere", &["there are: ", "watch, wards"]),
        ("soc", &["trend-vision-one does not see an account as a graph", "these do: "]),
    ] {
        refused(&clinic, name, wanted, name);
    }
    for (text, wanted) in [
        ("ws-1,ines@harborclinic.example\nws-2", "line 2 is not KEY,VALUE"),
        ("{\"ws-1\": 7}", "owners.csv"),
        ("\"ws-1\",\"a,b\"", "line 1 is not KEY,VALUE"),
    ] {
        clinic.write("owners.csv", text);
        let lookups = "[instances.watch]\nconnector = \"trend-micro\"\nlookups = { owners = \"owners.csv\" }\n";
        clinic.write("connectome.toml", lookups);
        refused(&clinic, "watch", &[wanted, "write a JSON object of texts, or lines of KEY,VALUE"], text);
    }
    assert_eq!(clinic.requests(), [0, 0]);
}

fn refused(clinic: &Clinic, name: &str, wanted: &[&str], what: &str) {
    let (code, out, said) = clinic.run(&["sync", name]);
    assert_eq!((code, out.as_str()), (2, ""), "{what}: {said}");
    assert!(said.contains("what to do: "), "{what}: {said}");
    wanted.iter().for_each(|wanted| assert!(said.contains(wanted), "{what}: {wanted}: {said}"));
}

#[test]
fn an_instance_speaks_the_dialect_that_it_names() {
    let clinic = Clinic::new();
    for (dialect, there, absent) in [
        ("documented", "pagerduty_user_oncall_service", "pagerduty_user_monitors_service"),
        ("published-2022", "pagerduty_user_monitors_service", "pagerduty_user_oncall_service"),
        ("published-2021", "pagerduty_service_assigned_team", "pagerduty_team_assigned_service"),
    ] {
        let lines = format!("[instances.watch]\nconnector = \"pagerduty\"\ndialect = {dialect:?}\n");
        clinic.write("connectome.toml", &lines);
        clinic.sync("watch");
        let graph = clinic.graph();
        assert!(!of_type(&graph, there).is_empty() && of_type(&graph, absent).is_empty(), "{dialect}");
    }
}

#[test]
fn a_violation_of_the_data_model_means_what_the_instance_says() {
    for (strictness, code) in [("off", 0), ("warn", 0), ("error", 1)] {
        let clinic = Clinic::new();
        let without = json!({ "email": null });
        assert!(clinic.accounts[0].simulator.change("users", "id", USER, without.as_object().unwrap()));
        let lines = format!("[instances.watch]\nconnector = \"pagerduty\"\nstrictness = {strictness:?}\n");
        clinic.write("connectome.toml", &lines);
        let (ended, _, said) = clinic.run(&["sync", "watch"]);
        assert_eq!(ended, code, "{said}");
        let told = said.contains(&format!("warning: user:{USER} lacks username, which User demands"));
        assert_eq!(told, strictness != "off", "{said}");
        assert_eq!(said.contains("nothing was changed"), strictness == "error", "{said}");
        let kept = clinic.graph();
        assert_eq!(kept.len(), if code == 0 { 103 } else { 0 }, "{strictness}");
    }
}

#[test]
fn owners_come_from_the_operator_s_table() {
    let clinic = Clinic::new();
    let host = |id: &str| {
        let computer = clinic.accounts[1].simulator.record("computers", "ID", id).expect("a computer");
        computer["hostName"].as_str().expect("a name").to_owned()
    };
    let [one, two] = ["7", "8"].map(host);
    let label = two.split('.').next().unwrap();
    let csv = format!(
        "# who sits where\n\n {} , Ines@harborclinic.example\n{label},wei@harborclinic.example\n",
        one.to_uppercase()
    );
    let json = json!({ one.to_uppercase(): "Ines@harborclinic.example", label: "wei@harborclinic.example" });
    for (file, text) in [("owners.csv", csv), ("owners.json", json.to_string())] {
        clinic.write(file, &text);
        let lookups = format!("[instances.wards]\nconnector = \"trend-micro\"\nlookups = {{ owners = {file:?} }}\n");
        clinic.write("connectome.toml", &lookups);
        clinic.sync("wards");
        let graph = clinic.graph();
        let owned: Vec<(&Value, &Value)> = of_type(&graph, "person_owns_trend_micro_computer")
            .into_iter()
            .map(|edge| (&edge["_mapping"]["sourceEntityKey"], &edge["_mapping"]["targetEntity"]["email"]))
            .collect();
        let wanted = [
            (&json!("trend-micro-computer:7"), &json!("Ines@harborclinic.example")),
            (&json!("trend-micro-computer:8"), &json!("wei@harborclinic.example")),
        ];
        assert!(owned.len() == 2 && wanted.iter().all(|wanted| owned.contains(wanted)), "{file}: {owned:?}");
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn secrets_are_in_no_file_log_or_output() {
    let clinic = Clinic::new();
    let made = "2:bWFkZS1ieS10aGUtc2VydmljZQ==";
    let change = |collection, field, id: &str, set: Value| {
        assert!(SERVICES.iter().zip(&clinic.accounts).any(|(_, account)| {
            account.simulator.change(collection, field, id, &set.as_object().cloned().unwrap_or_else(Map::new))
        }));
    };
    change("api_keys", "ID", "1", json!({ "secretKey": made }));
    // A service may say what it was told.
    change("users", "id", USER, json!({ "description": format!("uses {TOKEN} at night"), "job_title": TOKEN }));
    change("computers", "ID", "7", json!({ "description": TOKEN, "displayName": TOKEN }));
    let mut told = String::new();
    for name in NAMES {
        for arguments in [
            &["sync", name, "--plan", "--output", "json", "--log", "trace", "--log-bodies"][..],
            &["sync", name, "--log", "trace", "--log-bodies"],
            &["graph", "changes", name, "--output", "json"],
            &["graph", "export", name, "--raw"],
        ] {
            let (code, out, said) = clinic.run(arguments);
            assert_eq!(code, 0, "{said}");
            told += &(out + &said);
        }
    }
    assert!(told.contains("graph-reader") || told.contains("key-"), "the key itself is told of");
    let holds = |bytes: &[u8], secret: &str| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
    let kept = files(clinic.home.path());
    assert!(kept.iter().any(|path| path.ends_with("state.sqlite")), "{kept:?}");
    for secret in [TOKEN, made] {
        let at = told.find(secret);
        assert!(at.is_none(), "{:?}", at.map(|at| &told[at.saturating_sub(300)..at]));
        for path in &kept {
            assert!(!holds(&std::fs::read(path).unwrap(), secret), "{} holds a secret", path.display());
        }
    }
}

#[test]
fn a_run_asks_for_as_many_pages_as_there_are_and_at_most_three_times_more() {
    // Lists of a hundred by offset; and by id, where a page of a thousand that is empty ends each of five lists.
    let pages = |scale: u64| -> [u64; 2] {
        let by_offset = [4, 20, 10, 10].map(|count: u64| (count * scale).div_ceil(100));
        let by_id = [4, 1, 2, 1, 100].map(|count: u64| (count * scale).div_ceil(1000) + 1);
        [by_offset.iter().sum(), by_id.iter().sum()]
    };
    for scale in [1, 100] {
        let clinic = Clinic::with(|options| options.scale = scale);
        for name in NAMES {
            clinic.sync(name);
        }
        for ((name, asked), pages) in NAMES.iter().zip(clinic.requests()).zip(pages(scale as u64)) {
            assert!((pages..=pages + 3).contains(&asked), "{name}: {asked} requests for {pages} pages");
        }
        let users = of_type(&clinic.graph(), "pagerduty_user").len();
        assert_eq!(users, 20 * scale);
    }
}
