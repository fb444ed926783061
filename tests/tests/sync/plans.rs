//! Plans.

use connectome_tests::command::parsed;
use serde_json::json;

use crate::{Clinic, NAMES, USER, of_type, sum};

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
