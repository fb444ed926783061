//! What goes over the wire when all goes well.

use connectome_core::error::ServiceError;
use connectome_core::{Error, ErrorKind};
use connectome_graph::object::{Kind, Object};
use connectome_graph::report::Status;
use connectome_sinks::jupiterone::{Feed, Plan, Summary, upload};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{ACCOUNT, INSTANCE, KEY, bodies, edge, entity, fed, imaging, ines, platform, properties, report, run, to};

fn refused(status: u16, kind: ErrorKind) -> Error {
    Error::new(kind, "the service refused")
        .service(ServiceError { status, ..ServiceError::default() })
        .request("GET https://api.pagerduty.com/services?limit=100")
}

fn is_person() -> Object {
    let mapping = json!({
        "relationshipDirection": "FORWARD", "sourceEntityKey": "user:PUAAA01",
        "targetEntity": { "_class": "Person", "email": "ines.varga@harborclinic.example" },
        "targetFilterKeys": [["_class", "email"]], "skipTargetCreation": true,
    });
    Object {
        key: "user:PUAAA01|is|FORWARD:_class=Person:email=ines.varga@harborclinic.example".to_owned(),
        ty: "pagerduty_user_is_person".to_owned(),
        kind: Kind::Mapped { class: "IS".to_owned(), mapping },
        properties: properties(json!({ "displayName": "IS" })),
        raw: None,
    }
}

#[tokio::test]
async fn three_runs_go_over_the_wire_as_the_platform_documents_them() {
    let service = platform().await;
    let (destination, _) = to(&service.url());
    let service_entity = entity("service:PSAAA01", "pagerduty_service", "Service", json!({ "name": "PACS" }), None);
    let team_has_user = edge("team:PTAAA01", "HAS", "user:PUAAA01", "pagerduty_team_has_user");
    let oncall = edge("user:PUAAA01", "ONCALL", "service:PSAAA01", "pagerduty_user_oncall_service");

    // The first run: everything is there.
    let plan = Plan::of(&report(vec![("Fetch Teams", Status::Done)], &[]));
    let objects = fed(vec![imaging(), ines("Ines Varga"), team_has_user.clone(), is_person()]);
    let summary = upload(&destination, plan, objects, std::future::pending()).await.expect("an upload");
    let seen = service.simulator.seen();
    let id = &summary.job.id;
    let jobs = "/persister/synchronization/jobs";
    let asked: Vec<(String, Value)> = seen.iter().map(|seen| (seen.path.clone(), seen.body.clone())).collect();
    let event = |name: &str, text: &str| json!({ "events": [{ "name": name, "description": text }] });
    let look = (format!("{jobs}/{id}"), Value::Null);
    let expected = [
        (jobs.to_owned(), json!({ "source": "integration-external", "integrationInstanceId": INSTANCE })),
        (format!("{jobs}/{id}/events"), event("step_start", "Starting step \"Fetch Teams\"...")),
        (
            format!("{jobs}/{id}/entities"),
            json!({"entities":[
                {"_key":"team:PTAAA01","_type":"pagerduty_team","_class":["Team"],"id":"PTAAA01","name":"Imaging Platform","displayName":"Imaging Platform","tag.AccountName":"Harbor PD","_rawData":[{"name":"default","rawData":{"id":"PTAAA01","name":"Imaging Platform"}}]},
                {"_key":"user:PUAAA01","_type":"pagerduty_user","_class":["User"],"id":"PUAAA01","name":"Ines Varga","displayName":"Ines Varga","username":"Ines.Varga@harborclinic.example","email":"Ines.Varga@harborclinic.example","tag.AccountName":"Harbor PD","_rawData":[{"name":"default","rawData":{"id":"PUAAA01","name":"Ines Varga"}}]}
            ]}),
        ),
        (
            format!("{jobs}/{id}/relationships"),
            json!({"relationships":[
                {"_key":"team:PTAAA01|has|user:PUAAA01","_type":"pagerduty_team_has_user","_class":"HAS","displayName":"HAS","_fromEntityKey":"team:PTAAA01","_toEntityKey":"user:PUAAA01"},
                {"_key":"user:PUAAA01|is|FORWARD:_class=Person:email=ines.varga@harborclinic.example","_type":"pagerduty_user_is_person","_class":"IS","displayName":"IS","_mapping":{"relationshipDirection":"FORWARD","sourceEntityKey":"user:PUAAA01","targetEntity":{"_class":"Person","email":"ines.varga@harborclinic.example"},"targetFilterKeys":[["_class","email"]],"skipTargetCreation":true}}
            ]}),
        ),
        (format!("{jobs}/{id}/events"), event("step_end", "Completed step \"Fetch Teams\".")),
        (format!("{jobs}/{id}/finalize"), json!({ "partialDatasets": { "types": [] } })),
        look.clone(),
        look.clone(),
        look,
    ];
    assert_eq!(asked, expected);
    for one in &seen {
        assert_eq!(one.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
        assert_eq!(one.header("jupiterone-account"), Some(ACCOUNT));
        let is_upload = one.call == "entities" || one.call == "relationships";
        assert_eq!(one.header("content-encoding"), is_upload.then_some("gzip"), "{}", one.call);
        assert_eq!(one.header("jupiterone-correlation-id").is_some(), is_upload, "{}", one.call);
        assert!(one.query.is_empty());
    }
    assert_eq!((summary.job.status.as_str(), summary.entities, summary.relationships), ("FINISHED", 2, 2));
    let counted = |summary: &Summary, names: [&str; 4]| names.map(|name| summary.job.count(name));
    const COUNTED: [&str; 4] =
        ["numEntitiesCreated", "numRelationshipsCreated", "numEntitiesDeleted", "numRelationshipsDeleted"];
    assert_eq!(counted(&summary, COUNTED), [2, 1, 0, 0]);

    // Between the two, services and who is on call were there as well.
    let all = vec![imaging(), ines("Ines Varga"), service_entity, team_has_user, oncall.clone()];
    run(&destination, all).await.expect("an upload");
    let object = |key: &str| service.simulator.object(ACCOUNT, key).expect("an object");
    let before = object("user:PUAAA01");
    let services = [object("service:PSAAA01"), object(&oncall.key)];

    // The second run: `/services` failed, the user was renamed, the team was deleted.
    let partial = ["pagerduty_service", "pagerduty_team_assigned_service", "pagerduty_user_oncall_service"];
    let failed = Status::Failed(refused(500, ErrorKind::Server));
    let plan = Plan::of(&report(vec![("Fetch Services", failed)], &partial));
    let objects = fed(vec![ines("Ines Varga-Holt")]);
    let summary = upload(&destination, plan, objects, std::future::pending()).await.expect("an upload");
    let finalized = bodies(&service.simulator.calls("finalize"));
    assert_eq!(finalized.last(), Some(&json!({ "partialDatasets": { "types": partial } })));
    assert_eq!(counted(&summary, COUNTED), [0, 0, 1, 1]);
    let after = object("user:PUAAA01");
    assert_eq!((&after["_version"], &after["name"]), (&json!(2), &json!("Ines Varga-Holt")));
    assert!(after["_beginOn"].as_i64() > before["_beginOn"].as_i64());
    assert_eq!(after["_createdOn"], before["_createdOn"]);
    assert_eq!(service.simulator.past(ACCOUNT, "user:PUAAA01")[0]["_endOn"], after["_beginOn"]);
    for gone in ["team:PTAAA01", "team:PTAAA01|has|user:PUAAA01"] {
        let gone = object(gone);
        assert!(gone["_deleted"] == true && gone["_endOn"].is_i64(), "{gone}");
    }
    assert_eq!([object("service:PSAAA01"), object(&oncall.key)], services);
    let log = service.simulator.jobs().pop().expect("a job").2;
    assert_eq!(log[1]["name"], "step_failure");

    // The third run: the service's key was revoked.
    let graph = service.simulator.objects(ACCOUNT);
    let (sender, objects) = mpsc::channel(1);
    sender.send(Feed::Failed(refused(401, ErrorKind::Auth))).await.expect("room");
    let error = upload(&destination, Plan::default(), objects, std::future::pending()).await.expect_err("no upload");
    assert_eq!(error.kind(), ErrorKind::Auth);
    let reason = "Provider authentication failed at https://api.pagerduty.com/services?limit=100: 401 Unauthorized";
    assert_eq!(bodies(&service.simulator.calls("abort")), [json!({ "reason": reason })]);
    assert_eq!(service.simulator.objects(ACCOUNT), graph);
}
