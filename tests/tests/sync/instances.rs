//! What an instance of the configuration says, and when it is run.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use connectome_tests::command::parsed;
use serde_json::{Value, json};

use crate::{Clinic, USER, fault, of_type, refused};

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

#[test]
fn of_several_instances_one_can_be_named() {
    let clinic = Clinic::new();
    clinic.write("connectome.toml", &format!("{CONFIGURATION}\n[instances.nights]\nconnector = \"pagerduty\"\n"));
    let text = clinic.good(&["sync", "pagerduty", "--instance", "nights"]);
    assert!(text.contains("PagerDuty, nights\n") && !text.contains("Harbor Clinic"), "{text}");
    let (code, out, said) = clinic.run(&["sync", "pagerduty", "--instance", "wards"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(
        said.contains("the instance \"wards\" is not of pagerduty") && said.contains("there are: watch, nights"),
        "{said}"
    );
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
    ("dialect = \"publishd-2022\"", &["there is no dialect", "documented, published-2021, published-2022"]),
    ("lookups = { owner = \"owners.csv\" }", &["no lookup \"owner\""]),
    ("lookups = \"owners.csv\"", &["lookups is not a table", "{ NAME = \"FILE\" }"]),
    ("polling_interval = \"HOURLY\"", &["\"HOURLY\" is not a polling interval", "ONE_HOUR", "DISABLED"]),
    ("polling_interval = 60", &["polling_interval is not a string"]),
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
