//! Lists: their pages, ranges and counts.

use std::collections::BTreeSet;

use connectome_core::time::whole_seconds;
use connectome_tests::simulated::vision_one;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::{PUBLIC, all, get, get_with, ids, post, statuses};

#[tokio::test]
async fn lists_come_in_pages_whose_links_name_the_public_host() {
    let service = vision_one(|options| options.scale = 3).await;
    let yesterday = whole_seconds(Timestamp::now() - SignedDuration::from_hours(25), false);
    for (path, headers, field, pages) in [
        ("/workbench/alerts?orderBy=createdDateTime%20desc", &[][..], "id", 8),
        ("/iam/apiKeys?top=100", &[], "id", 2),
        (&format!("/oat/detections?top=50&detectedStartDateTime={yesterday}"), &[], "uuid", 2),
        ("/eiqs/endpoints?top=50", &[("TMV1-Query", "not (osName eq 'none')")], "agentGuid", 1),
        ("/search/endpointActivities?top=100", &[("TMV1-Query", "*")], "uuid", 4),
    ] {
        let (records, read) = all(&service, path, headers).await;
        assert_eq!(ids(&records, field).len(), records.len(), "{path}: some records came twice");
        assert_eq!(read, pages, "{path}: {} records", records.len());
    }
}

#[tokio::test]
async fn a_further_page_keeps_what_the_first_asked_for() {
    let service = vision_one(|_| {}).await;
    let query = [("TMV1-Query", "endpointHostName:\"ledger\" or dpt:\"443\"")];
    let (records, pages) = all(&service, "/search/endpointActivities?top=50&select=uuid,dpt", &query).await;
    assert!(pages > 1, "{pages}");
    for record in &records {
        assert_eq!(
            record.as_object().expect("an object").keys().collect::<BTreeSet<_>>(),
            BTreeSet::from([&"dpt".to_owned(), &"uuid".to_owned()])
        );
    }
    let link = get_with(&service, "/search/endpointActivities?top=50&select=uuid,dpt", &query).await.json()["nextLink"]
        .as_str()
        .expect("a link")
        .to_owned();
    let further = link.strip_prefix(&format!("{PUBLIC}/v3.0")).expect("the public address");
    assert_eq!(get(&service, further).await.status, 400, "a further page wants the query as well");
    let token = further.split("skipToken=").nth(1).expect("a token");
    for elsewhere in
        [format!("/workbench/alerts?skipToken={token}"), "/workbench/alerts?skipToken=made-up.0".to_owned()]
    {
        let got = get(&service, &elsewhere).await;
        assert_eq!((got.status, got.message().as_str()), (400, "The request token expired."), "{elsewhere}");
    }
}

#[tokio::test]
async fn a_list_that_is_being_read_keeps_its_records_in_place() {
    let service = vision_one(|_| {}).await;
    let path = "/threatintel/suspiciousObjects?top=50";
    let first = get(&service, path).await.json();
    let second = first["nextLink"]
        .as_str()
        .and_then(|it| it.strip_prefix(&format!("{PUBLIC}/v3.0")))
        .expect("a link")
        .to_owned();
    let before = get(&service, &second).await.json()["items"].clone();
    // Something of the first page goes; the second page does not move up.
    let gone = first["items"].as_array().and_then(|it| it.iter().find_map(|it| it["ip"].as_str())).expect("an address");
    assert_eq!(
        statuses(&post(&service, "/threatintel/suspiciousObjects/delete", &json!([{ "ip": gone }])).await),
        [204]
    );
    assert_eq!(get(&service, &second).await.json()["items"], before);
}

#[tokio::test]
async fn a_search_that_only_counts_gives_no_records_and_the_right_number() {
    let service = vision_one(|_| {}).await;
    for (query, some) in [("dpt:\"443\"", true), ("dpt:\"80\"", false)] {
        let headers = [("TMV1-Query", query)];
        let counted = get_with(&service, "/search/endpointActivities?mode=countOnly&top=500", &headers).await.json();
        let (records, _) = all(&service, "/search/endpointActivities?mode=default&top=500", &headers).await;
        assert_eq!(counted, json!({ "totalCount": records.len() }));
        assert_eq!(!records.is_empty(), some);
    }
}

#[tokio::test]
async fn ranges_of_time_bound_what_is_listed_and_the_order_is_the_one_asked_for() {
    let service = vision_one(|_| {}).await;
    let (every, _) = all(&service, "/workbench/alerts?orderBy=createdDateTime%20asc", &[]).await;
    let times: Vec<&str> = every.iter().filter_map(|it| it["createdDateTime"].as_str()).collect();
    assert!(times.is_sorted() && times.len() > 20, "{times:?}");
    let (from, to) = (times[5], times[9]);
    let (some, _) = all(
        &service,
        &format!("/workbench/alerts?startDateTime={from}&endDateTime={to}&orderBy=createdDateTime%20desc"),
        &[],
    )
    .await;
    let found: Vec<&str> = some.iter().filter_map(|it| it["createdDateTime"].as_str()).collect();
    assert_eq!(found, times[5..=9].iter().rev().copied().collect::<Vec<_>>(), "both ends belong to the range");
}
