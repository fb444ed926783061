//! Events that are late, events that appear, and the service's clock.

use super::*;

#[tokio::test]
async fn an_event_is_seen_at_most_so_long_after_its_time_and_always_from_then_on() {
    let late = 1800;
    let (service, clock) = service(|options| {
        options.scale = 20;
        options.late = Duration::from_secs(late);
    })
    .await;
    let mut before: Vec<usize> = Vec::new();
    for step in 0..=18 {
        let now = after(start(), step * 100);
        for (at, log) in LOGS.iter().enumerate() {
            let all = held(&service, log.collection, "").await;
            let seen = events(&service, &log.range(after(start(), -2 * DAY), start(), "")).await;
            assert_eq!(counted(&seen), counted(&held(&service, log.collection, "?seen").await), "{}", log.path);
            let due = after(now, -(late as i64)).as_millisecond();
            let due: Vec<Value> = all.iter().filter(|event| log.moment(event) <= due).cloned().collect();
            let (seen_count, due) = (counted(&seen), counted(&due));
            assert!(due.iter().all(|(event, times)| seen_count.get(event) >= Some(times)), "{}: too late", log.path);
            match before.get_mut(at) {
                Some(last) => assert!(seen.len() >= std::mem::replace(last, seen.len()), "{}: went away", log.path),
                None => {
                    assert!(seen.len() < all.len(), "{}: nothing is late", log.path);
                    before.push(seen.len());
                }
            }
        }
        clock.advance(Duration::from_secs(100));
    }
    for (log, seen) in LOGS.iter().zip(before) {
        assert_eq!(seen, held(&service, log.collection, "").await.len(), "{}", log.path);
    }
}

#[tokio::test]
async fn events_appear_as_time_passes_and_the_same_seed_makes_the_same_ones() {
    let run = async |steps: i64| {
        let (service, clock) = service(|options| {
            options.rate = 120;
            options.late = Duration::from_secs(20);
        })
        .await;
        let mut lists = Vec::new();
        for _ in 0..steps {
            clock.advance(Duration::from_millis(60_000 / steps as u64));
            for log in &LOGS {
                let now = Timestamp::from_second(connectome_core::clock::Clock::now(&*clock).as_second()).unwrap();
                let seen = events(&service, &log.range(after(start(), -2 * DAY), now, "")).await;
                let latest = seen.iter().map(|event| log.moment(event)).max();
                assert!(latest <= Some(now.as_millisecond()), "{}: from the future", log.path);
            }
        }
        for log in &LOGS {
            let bearer = format!("Bearer {TOKEN}");
            let quiet = ask_with(&service, "POST", "/_simulator/quiet", &[("Authorization", &bearer)], b"").await;
            assert_eq!(quiet.status, 200);
            clock.advance(Duration::from_secs(60));
            let all = held(&service, log.collection, "").await;
            let fresh = all.iter().filter(|event| log.moment(event) > start().as_millisecond() - 20_000).count();
            assert!((120..=126).contains(&fresh), "{}: {fresh} in a minute", log.path);
            assert_eq!(
                counted(&events(&service, &log.range(after(start(), -2 * DAY), after(start(), 120), "")).await),
                counted(&all)
            );
            lists.push(counted(&all));
        }
        lists
    };
    // It does not matter how often somebody looks.
    assert_eq!(run(3).await, run(40).await);
}

#[tokio::test]
async fn some_records_of_the_list_without_ids_are_equal_in_everything() {
    let (service, _) = service(|options| options.scale = 5).await;
    let read = events(&service, &LOGS[3].range(after(start(), -2 * DAY), start(), "")).await;
    let twins = counted(&read).values().filter(|count| **count == 2).count();
    assert!((20..40).contains(&twins), "{twins} of {}", read.len());
    for log in &LOGS[..3] {
        let read = events(&service, &log.range(after(start(), -2 * DAY), start(), "")).await;
        let ids: HashMap<_, _> = read.iter().map(|event| (event[log.id()].as_str().expect("an id"), ())).collect();
        assert_eq!(ids.len(), read.len(), "{}", log.path);
    }
    let search = events(&service, &LOGS[2].range(after(start(), -2 * DAY), start(), "")).await;
    assert!(search.iter().any(|event| event["eventTime"].as_i64().is_some_and(|time| time % 1000 != 0)));
}

#[tokio::test]
async fn the_service_s_clock_may_be_another_and_every_answer_says_what_it_shows() {
    for skew in [0, -90, 3600] {
        let (service, _) = service(|options| options.skew = skew).await;
        let now = after(start(), skew);
        let oat = |end: i64| {
            format!(
                "/v3.0/oat/detections?detectedStartDateTime={}&detectedEndDateTime={}",
                after(now, -60),
                after(now, end)
            )
        };
        for (target, status) in [(oat(0), 200), (oat(1), 400), ("/v3.0/none".to_owned(), 404)] {
            let got = get(&service, &target).await;
            let date = got.header("Date").and_then(|it| jiff::fmt::rfc2822::parse(it).ok()).expect("a date");
            assert_eq!((got.status, date.timestamp()), (status, now), "{target}");
        }
    }
}

#[tokio::test]
async fn only_who_has_a_token_is_told_what_the_service_holds() {
    let (service, _) = service(|_| {}).await;
    for (method, path) in
        [("GET", "/_simulator/records/alerts"), ("POST", "/_simulator/quiet"), ("GET", "/_simulator/x")]
    {
        assert_eq!(ask_with(&service, method, path, &[], b"").await.status, 401, "{path}");
    }
    for path in ["/_simulator/records/none", "/_simulator/", "/v3.0/_simulator/records/alerts"] {
        assert_eq!(get(&service, path).await.status, 404, "{path}");
    }
}
