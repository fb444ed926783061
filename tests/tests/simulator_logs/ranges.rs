//! Which events a range holds, in which order, and what is refused.

use super::*;

#[tokio::test]
async fn a_range_holds_every_event_whose_time_is_in_it_once_and_its_ends_are_each_list_s_own() {
    let (service, _) = service(|options| options.scale = 20).await;
    for log in &LOGS {
        let all = held(&service, log.collection, "").await;
        assert!(all.len() > 400, "{}: {}", log.path, all.len());
        let whole = events(&service, &log.range(after(start(), -2 * DAY), start(), "")).await;
        assert_eq!(counted(&whole), counted(&all), "{}: the longest range is not all there is", log.path);
        // Both ends stand on events.
        let mut times: Vec<i64> = all.iter().map(|event| log.moment(event).div_euclid(1000)).collect();
        times.sort_unstable();
        let (from, to) = (times[times.len() / 4], times[times.len() / 2]);
        let ends = |second| Timestamp::from_second(second).expect("a time");
        let found = events(&service, &log.range(ends(from), ends(to), "")).await;
        let wanted: Vec<Value> = all
            .iter()
            .filter(|event| {
                let moment = log.moment(event);
                moment >= from * 1000 && (moment < to * 1000 || log.end && moment == to * 1000)
            })
            .cloned()
            .collect();
        assert_eq!(counted(&found), counted(&wanted), "{}", log.path);
        assert!(wanted.len() > 80, "{}: {}", log.path, wanted.len());
    }
}

#[tokio::test]
async fn events_come_newest_first_unless_another_order_is_asked_for() {
    let (service, _) = service(|options| options.scale = 3).await;
    for log in &LOGS {
        let range = |more: &str| log.range(after(start(), -2 * DAY), start(), more);
        let times = async |path: &str| -> Vec<i64> {
            events(&service, path).await.iter().map(|event| log.moment(event)).collect()
        };
        let usual = times(&range("")).await;
        assert!(usual.iter().rev().is_sorted() && usual[0] > usual[usual.len() - 1], "{}: {usual:?}", log.path);
        if log.sorts() {
            let asked = |direction: &str| range(&format!("&orderBy={}%20{direction}", log.clock));
            assert_eq!(times(&asked("desc")).await, usual, "{}", log.path);
            assert!(times(&asked("asc")).await.is_sorted(), "{}", log.path);
            assert_eq!(get(&service, &format!("/v3.0{}", asked("upward"))).await.status, 400);
        }
    }
}

#[tokio::test]
async fn a_page_has_the_size_that_was_asked_for_and_only_some_sizes_may_be() {
    let (service, _) = service(|options| options.scale = 40).await;
    for log in &LOGS {
        let range = format!("{}?{}={}", log.path, log.from, after(start(), -2 * DAY));
        for top in [1, 10, 49, 50, 51, 100, 200, 500, 1000, 5000, 10_000] {
            let got = get(&service, &format!("/v3.0{range}&top={top}")).await;
            match log.sizes {
                [] => assert_eq!(got.json()["items"].as_array().map(Vec::len), Some(10), "{}", log.path),
                sizes if sizes.contains(&top) => {
                    let page = got.json();
                    let held = held(&service, log.collection, "").await.len();
                    assert_eq!(page["items"].as_array().map(Vec::len), Some(top.min(held)), "{} {top}", log.path);
                    assert_eq!(link(&page).is_some(), top < held, "{} {top}", log.path);
                }
                _ => assert_eq!((got.status, got.message()), (400, "Invalid parameter: top.".to_owned())),
            }
        }
        let page = good(&service, &range).await;
        assert!(link(&page).is_some_and(|link| link.contains(&format!("{}=", log.token))), "{page}");
        let counts = [page["totalCount"].as_u64(), page["count"].as_u64()];
        let items = page["items"].as_array().map(|items| items.len() as u64);
        let held = held(&service, log.collection, "").await.len() as u64;
        assert_eq!(counts, if log.counts { [Some(held), items] } else { [None, None] }, "{}", log.path);
    }
}

#[tokio::test]
async fn a_request_that_names_no_start_means_a_usual_one() {
    let (service, _) = service(|options| {
        options.scale = 20;
        options.history = Duration::from_secs(4 * DAY as u64);
    })
    .await;
    for log in &LOGS {
        let all = held(&service, log.collection, "").await;
        let recent = all.iter().filter(|event| log.moment(event) >= after(start(), -log.usual).as_millisecond());
        let recent: Vec<Value> = recent.cloned().collect();
        assert_eq!(counted(&events(&service, log.path).await), counted(&recent), "{}", log.path);
        assert!(!recent.is_empty() && (recent.len() < all.len() || log.usual > 4 * DAY), "{}", log.path);
    }
}

#[tokio::test]
async fn what_the_service_would_not_answer_is_refused() {
    let (service, _) = service(|_| {}).await;
    let (search, workbench, audit, oat) = ("/search/detections", "/workbench/alerts", "/audit/logs", "/oat/detections");
    let now = start();
    let oat_range = |from: Timestamp, to: Timestamp| format!("?detectedStartDateTime={from}&detectedEndDateTime={to}");
    for (path, query, status) in [
        (oat, oat_range(after(now, -60), after(now, 1)), 400),
        (oat, oat_range(after(now, -60), now), 200),
        (oat, oat_range(after(now, -365 * DAY - 1), now), 400),
        (oat, oat_range(after(now, -365 * DAY), now), 200),
        (oat, format!("?detectedStartDateTime={}", after(now, -365 * DAY - 1)), 400),
        (oat, format!("?ingestedStartDateTime={}&ingestedEndDateTime={}", after(now, -60), after(now, 1)), 400),
        (audit, format!("?startDateTime={}", after(now, -180 * DAY - 1)), 400),
        (audit, format!("?startDateTime={}", after(now, -180 * DAY)), 200),
        (audit, format!("?startDateTime={}&endDateTime={}", after(now, -60), after(now, 60)), 200),
        (audit, "?dateTimeTarget=loggedDateTime".to_owned(), 200),
        (audit, "?dateTimeTarget=createdDateTime".to_owned(), 400),
        (workbench, "?startDateTime=1970-01-01T00:00:00Z".to_owned(), 200),
        (workbench, "?dateTimeTarget=ingestedDateTime".to_owned(), 400),
        (search, "?startDateTime=2026-03-02T07:00:00.000Z".to_owned(), 400),
        (search, "?endDateTime=2026-03-02T07:00:00%2B00:00".to_owned(), 400),
        (search, "?mode=default".to_owned(), 200),
        (search, "?skipToken=made-up.0".to_owned(), 400),
    ] {
        let got = get(&service, &format!("/v3.0{path}{query}")).await;
        assert_eq!(got.status, status, "{path}{query}: {}", String::from_utf8_lossy(&got.body));
    }
}

#[tokio::test]
async fn every_page_of_a_search_wants_the_header_of_its_query() {
    let (service, _) = service(|options| options.scale = 3).await;
    let first = "/v3.0/search/detections?top=50".to_owned();
    let page = get(&service, &first).await.json();
    let second = format!("/v3.0{}", link(&page).expect("a link"));
    let bearer = format!("Bearer {TOKEN}");
    for target in [first, second] {
        assert_eq!(get(&service, &target).await.status, 200);
        let got = ask_with(&service, "GET", &target, &[("Authorization", &bearer)], b"").await;
        assert_eq!((got.status, got.message()), (400, "Missing header: TMV1-Query.".to_owned()), "{target}");
    }
}

#[tokio::test]
async fn the_field_of_the_range_can_be_another() {
    let (service, _) = service(|options| {
        options.scale = 20;
        options.late = Duration::from_secs(7200);
    })
    .await;
    let (from, to) = (after(start(), -6 * 3600), after(start(), -3600));
    for (path, collection, field) in [
        (
            format!("/workbench/alerts?dateTimeTarget=updatedDateTime&startDateTime={from}&endDateTime={to}"),
            "alerts",
            "updatedDateTime",
        ),
        (
            format!(
                "/audit/logs?dateTimeTarget=ingestedDateTime&startDateTime={from}&endDateTime={to}&orderBy=ingestedDateTime asc"
            ),
            "audit_logs",
            "ingestedDateTime",
        ),
        (
            format!("/oat/detections?ingestedStartDateTime={from}&ingestedEndDateTime={to}"),
            "detections",
            "ingestedDateTime",
        ),
        (
            format!("/workbench/alerts?dateTimeTarget=firstInvestigatedDateTime&startDateTime={from}&endDateTime={to}"),
            "alerts",
            "firstInvestigatedDateTime",
        ),
    ] {
        let inside = |event: &&Value| {
            let time = event[field].as_str().and_then(|text| text.parse::<Timestamp>().ok());
            time.is_some_and(|time| time >= from && (time < to || time == to && collection != "detections"))
        };
        let all = held(&service, collection, "?seen").await;
        let wanted: Vec<Value> = all.iter().filter(inside).cloned().collect();
        assert_eq!(counted(&events(&service, &path.replace(' ', "%20")).await), counted(&wanted), "{path}");
        assert_eq!(wanted.len() > 30, field != "firstInvestigatedDateTime", "{path}: {}", wanted.len());
    }
}

#[tokio::test]
async fn a_stream_wants_its_permission() {
    let denied = |name: &str| ("Trend Vision One".to_owned(), name.to_owned());
    for (at, name) in ["Workbench", "Observed Attack Techniques", "Search", "Audit Logs"].into_iter().enumerate() {
        let (service, _) = service(|options| options.tokens[0].grants = Grants::AllBut(vec![denied(name)])).await;
        for (other, log) in LOGS.iter().enumerate() {
            let status = get(&service, &format!("/v3.0{}", log.path)).await.status;
            assert_eq!(status, if other == at { 403 } else { 200 }, "without {name}: {}", log.path);
        }
    }
    let powerless = Token { secret: TOKEN.to_owned(), grants: Grants::Listed(Vec::new()) };
    let (service, _) = service(|options| options.tokens = vec![powerless]).await;
    for log in &LOGS {
        assert_eq!(get(&service, &format!("/v3.0{}", log.path)).await.status, 403, "{}", log.path);
    }
}
