//! The page of a connector that sees an account as a graph: it leads through, and nothing that the program knows is
//! missing from it. `connectome describe` tells the same.

use std::fs;
use std::path::Path;

use connectome_tests::command::{Simulation, home, run};
use serde_json::Value;

const GRAPHS: [&str; 2] = ["pagerduty", "trend-micro"];

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../generated/docs").join(format!("{name}.md"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a command that succeeds prints.
fn shown(home: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let (code, out, said) = run(home, arguments, variables);
    assert_eq!((code, said.as_str()), (0, ""), "{arguments:?}: {out}");
    out
}

fn described(name: &str) -> Value {
    let home = home();
    let text = shown(home.path(), &["describe", name, "--output", "json"], &[]);
    serde_json::from_str(&text).expect("JSON")
}

fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of[key].as_str().unwrap_or_else(|| panic!("no {key} in {of}"))
}

/// The names that an error offers, after `there are:`.
fn offered(said: &str) -> Vec<&str> {
    let names = said.split("there are: ").nth(1).unwrap_or_else(|| panic!("no names in {said}"));
    names.lines().next().expect("a line").split(['.', ';']).next().expect("names").split(", ").collect()
}

#[test]
fn a_page_keeps_the_order_of_the_vendors_document() {
    let heads = [
        "What you get",
        "How it works",
        "What you need",
        "Help",
        "Setting it up",
        "Removing it",
        "Data model",
        "Dialects",
        "Records",
        "Limits",
        "Troubleshooting",
        "Version history",
        "Links",
    ];
    let entities: [&[&str]; 2] = [
        &[
            "Teams | `pagerduty_team` | `Team`",
            "User | `pagerduty_user` | `User`",
            "Service | `pagerduty_service` | `Service`",
        ],
        &[
            "Administrator | `trend_micro_administrator` | `User`",
            "Administrator Role | `trend_micro_administrator_role` | `AccessRole`",
            "API Key | `trend_micro_api_key` | `Key`",
            "Computer | `trend_micro_computer` | `Host`",
            "Computer Group | `trend_micro_computer_group` | `Group`",
        ],
    ];
    let edges: [&[&str]; 2] = [
        &[
            "`pagerduty_team` | **HAS** | `pagerduty_user`",
            "`pagerduty_team` | **ASSIGNED** | `pagerduty_service`",
            "`pagerduty_user` | **ONCALL** | `pagerduty_service`",
        ],
        &[
            "`trend_micro_computer_group` | **HAS** | `trend_micro_computer`",
            "`trend_micro_administrator` | **ASSIGNED** | `trend_micro_administrator_role`",
        ],
    ];
    for (at, name) in GRAPHS.iter().enumerate() {
        let page = page(name);
        let found: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(found, heads, "{name}");
        let rows = entities[at].iter().chain(edges[at]).map(|row| format!("\n| {row} |"));
        let places: Vec<usize> =
            rows.map(|row| page.find(&row).unwrap_or_else(|| panic!("{name} lacks {row}"))).collect();
        assert!(places.is_sorted(), "{name}: {places:?}");
    }
}

#[test]
fn the_walkthrough_of_a_page_leads_to_a_graph() {
    for name in GRAPHS {
        let (home, page) = (home(), page(name));
        let simulation = Simulation::start(home.path(), name, &[]);
        let block =
            |language: &str| page.split(&format!("```{language}\n")).nth(1).and_then(|it| it.split("```").next());
        fs::write(home.path().join("connectome.toml"), block("toml").expect("an instance")).expect("the file");
        let variable = page.split("as `export ").nth(1).and_then(|it| it.split("=…`").next()).expect("a variable");
        let place = format!("{}API_URL", connectome_core::connection::environment_prefix(name));
        let variables = [(variable, simulation.token.as_str()), (&place, &simulation.url)];
        let mut steps: Vec<Vec<&str>> = page
            .lines()
            .filter_map(|line| line.split_once(". `connectome ")?.1.split('`').next())
            .map(|command| command.split(' ').collect())
            .collect();
        let forget = steps.pop().expect("a way back");
        assert_eq!(steps, [["check", name], ["sync", name]], "{name}");
        for step in &steps {
            shown(home.path(), step, &variables);
        }
        let graph = shown(home.path(), &["graph", "export", name], &[]);
        let tagged = graph.lines().filter(|line| line.contains(r#""tag.AccountName":"Harbor Clinic""#)).count();
        let entities =
            graph.lines().filter(|line| !line.contains("_fromEntityKey") && !line.contains("_mapping")).count();
        assert!(tagged > 0 && tagged == entities, "{name}: {tagged} of {entities}");
        assert_eq!(run(home.path(), &["graph", "changes", name, "--output", "jsonl"], &[]).0, 0, "{name}");
        shown(home.path(), &[&forget[..], &["--yes"]].concat(), &[]);
        assert_eq!(run(home.path(), &["graph", "export", name], &[]).0, 2, "{name}: {forget:?} left it");
    }
}

#[test]
fn a_page_and_describe_name_every_setting_and_choice() {
    for name in GRAPHS {
        let (home, page) = (home(), page(name));
        let told = shown(home.path(), &["describe", name], &[]);
        for (line, in_terminal) in [
            ("colour = \"red\"", true),
            ("polling_interval = \"NEVER\"", false),
            ("strictness = \"fatal\"", true),
            ("dialect = \"klingon\"", true),
            ("parameters = { colour = \"red\" }", true),
        ] {
            let path = home.path().join("connectome.toml");
            fs::write(&path, format!("[instances.night]\nconnector = \"{name}\"\n{line}\n")).expect("the file");
            let prefix = connectome_core::connection::environment_prefix(name);
            let (code, _, said) = run(home.path(), &["sync", "night"], &[(&format!("{prefix}API_KEY"), "x")]);
            assert_ne!(code, 0, "{line}");
            // There is nothing to say about tables of one's own where nothing is looked up.
            let without = described(name).get("lookups").is_none();
            for choice in offered(&said).into_iter().filter(|choice| !(without && *choice == "lookups")) {
                let shown = page.contains(&format!("`{choice}`"));
                assert!(shown, "the page of {name} does not name {choice}");
                assert!(!in_terminal || told.contains(choice), "describe {name} does not name {choice}: {told}");
            }
        }
    }
}

#[test]
fn every_type_of_every_dialect_is_on_the_page_and_can_be_described() {
    for name in GRAPHS {
        let (home, page, entry) = (home(), page(name), described(name));
        let describe = |ty: &str| shown(home.path(), &["describe", name, ty], &[]);
        let mut seen = 0;
        for kind in ["entities", "relationships", "mapped_relationships"] {
            for one in list(&entry, kind) {
                let told = describe(text(one, "_type"));
                for property in list(one, "properties") {
                    let row = format!("| `{}` | {} |", text(property, "name"), text(property, "from"));
                    assert!(page.contains(&row), "{name} lacks {row}");
                    assert!(told.contains(&format!("  {} ", text(property, "name"))), "{told}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 20, "{name}: {seen}");
        for dialect in list(&entry, "dialects") {
            let called = text(dialect, "name");
            assert!(page.contains(&format!("- `{called}`")), "{name} lacks {called}");
            for word in list(dialect, "entities").iter().chain(list(dialect, "relationships")) {
                let documented = describe(text(word, "documented"));
                assert!(documented.contains(called), "{called}: {documented}");
                let Some(ty) = word["_type"].as_str() else { continue };
                assert!(page.contains(&format!("`{ty}`")), "{name} lacks {ty} of {called}");
                assert_eq!(describe(ty), documented, "{ty}");
            }
        }
        for step in list(&entry, "steps") {
            assert!(page.contains(&format!(
                "({}) | `{}`",
                format_args!("`{}`", text(step, "name")),
                text(step, "call")
            )));
        }
    }
}

#[test]
fn who_asks_for_what_is_not_there_is_told_what_is() {
    let home = home();
    for (name, asked, near) in [
        ("pagerduty", "pagerduty_usr", "did you mean `pagerduty_user`?"),
        ("trend-micro", "trend_micro_compter", "did you mean `trend_micro_computer`?"),
        ("pagerduty", "xyz", "`connectome describe pagerduty` lists them"),
    ] {
        let (code, out, said) = run(home.path(), &["describe", name, asked], &[]);
        assert_eq!((code, out.as_str()), (2, ""), "{asked}");
        assert!(said.contains(near) && said.contains("no entity or relationship"), "{said}");
    }
}
