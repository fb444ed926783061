//! Further pages, their tokens, and what is odd about them and their events.

use super::*;

#[tokio::test]
async fn pages_are_of_the_moment_of_the_first_one_unless_they_move_with_the_records() {
    for log in &LOGS {
        for (fault, moved) in [("slow*0", 0), ("live-pages", 1)] {
            let fault = format!("{fault}@{}", log.path).parse::<Fault>().expect("a fault");
            let (service, clock) = service(|options| {
                options.scale = 5;
                options.rate = 600;
                options.faults = vec![fault];
            })
            .await;
            let path = format!("{}?{}={}", log.path, log.from, after(start(), -DAY));
            let top = log.sizes.first().map_or_else(String::new, |size| format!("&top={size}"));
            let first = good(&service, &format!("{path}{top}")).await;
            clock.advance(Duration::from_millis(150));
            let second = good(&service, link(&first).expect("a link")).await;
            let all = |page: &Value| page["items"].as_array().expect("a list").clone();
            let again = all(&second).iter().filter(|event| all(&first).contains(event)).count();
            // A twin looks like a record that came again.
            let twins = usize::from(log.collection == "audit_logs");
            assert!((moved..=moved + twins).contains(&again), "{}: {again} came again", log.path);
            if log.counts {
                let count = |page: &Value| page["totalCount"].as_u64().expect("a count");
                assert_eq!(count(&second) - count(&first), moved as u64, "{}", log.path);
            }
        }
    }
}

#[tokio::test]
async fn the_tokens_of_further_pages_have_a_life() {
    for life in [0, 5, 60] {
        let (service, clock) = service(|options| {
            options.scale = 10;
            options.page_life = Some(Duration::from_secs(life));
        })
        .await;
        for log in &LOGS {
            let path = log.range(after(start(), -2 * DAY), start(), "");
            let first = good(&service, &path).await;
            let next = format!("/v3.0{}", link(&first).expect("a link"));
            if life > 0 {
                clock.advance(Duration::from_secs(life) - Duration::from_millis(1));
                assert_eq!(get(&service, &next).await.status, 200, "{}", log.path);
                clock.advance(Duration::from_millis(1));
            }
            let got = get(&service, &next).await;
            assert_eq!((got.status, got.code().as_str()), (400, "BadRequest"), "{}", log.path);
            assert!(got.message().to_lowercase().contains("request token expired"), "{}", got.message());
            assert_eq!(get(&service, &format!("/v3.0{path}")).await.status, 200, "a new request is answered");
        }
    }
    // As a fault it meets further pages only, and as often as it is told to.
    let service = with_fault("expired-page*2@/workbench").await;
    let next = format!("/v3.0{}", link(&good(&service, "/workbench/alerts").await).expect("a link"));
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(get(&service, &next).await.status);
        seen.push(get(&service, "/v3.0/workbench/alerts").await.status);
    }
    assert_eq!(seen, [400, 200, 400, 200, 200, 200]);
}

#[tokio::test]
async fn what_is_odd_about_pages_hides_no_event() {
    let (well, _) = service(|options| options.scale = 3).await;
    for kind in ["empty-page", "empty-link", "blank-link", "no-count", "live-pages", "null-when-empty", "other-order"] {
        let fault = kind.parse::<Fault>().expect("a fault");
        let (service, _) = service(|options| {
            options.scale = 3;
            options.faults = vec![fault, "null-when-empty".parse().expect("a fault")];
        })
        .await;
        for log in &LOGS {
            let path = log.range(after(start(), -2 * DAY), start(), "");
            let usual = pages(&well, &path).await;
            let odd = pages(&service, &path).await;
            let list = |pages: &[Value]| -> Vec<Value> {
                pages.iter().flat_map(|page| page["items"].as_array().cloned().unwrap_or_default()).collect()
            };
            let (first, last) = (&odd[0], &odd[odd.len() - 1]);
            let links = |pages: &[Value]| pages.iter().filter_map(|it| link(it).map(str::to_owned)).collect::<Vec<_>>();
            let holds = match kind {
                "empty-page" => {
                    odd.len() == 2 * usual.len()
                        && odd
                            .iter()
                            .step_by(2)
                            .all(|page| page.get("items") == Some(&Value::Null) && link(page).is_some())
                }
                "empty-link" => {
                    last.get("nextLink") == Some(&json!("")) && usual[usual.len() - 1].get("nextLink").is_none()
                }
                "blank-link" => {
                    links(&odd).iter().all(|link| link.contains(' '))
                        && links(&usual).iter().all(|it| !it.contains(' '))
                }
                "no-count" => first.get("totalCount").is_none() && first.get("count").is_none(),
                "other-order" => {
                    list(&odd).iter().rev().map(|it| log.moment(it)).eq(list(&usual).iter().map(|it| log.moment(it)))
                }
                _ => odd.len() == usual.len(),
            };
            assert!(holds && odd.len() > 1, "{kind} {}: {first}", log.path);
            assert_eq!(counted(&list(&odd)), counted(&list(&usual)), "{kind} {}", log.path);
        }
    }
    let service = with_fault("null-when-empty").await;
    let nothing = good(&service, &LOGS[3].range(after(start(), -2), after(start(), -1), "")).await;
    assert_eq!(nothing.get("items"), Some(&Value::Null), "{nothing}");
}

#[tokio::test]
async fn ends_can_be_the_other_way_round() {
    let fault = "other-end".parse::<Fault>().expect("a fault");
    let (service, _) = service(|options| {
        options.scale = 100;
        options.faults = vec![fault];
    })
    .await;
    for log in &LOGS {
        let all = held(&service, log.collection, "").await;
        let moment =
            all.iter().map(|event| log.moment(event)).find(|moment| moment % 1000 == 0).expect("a whole second");
        let end = Timestamp::from_millisecond(moment).expect("a time");
        let found = events(&service, &log.range(after(end, -600), end, "")).await;
        let at_end = found.iter().any(|event| log.moment(event) == moment);
        assert_eq!(at_end, !log.end, "{}", log.path);
    }
}

#[tokio::test]
async fn poison_spoils_some_records_and_the_listing_says_which() {
    let fault = "poison@/audit".parse::<Fault>().expect("a fault");
    let everywhere = "poison".parse::<Fault>().expect("a fault");
    for (faults, spoilt) in [(vec![fault], 1), (vec![everywhere], LOGS.len())] {
        let (service, _) = service(|options| {
            options.scale = 30;
            options.faults = faults;
        })
        .await;
        let mut found = 0;
        for log in &LOGS {
            let read = events(&service, &log.range(after(start(), -2 * DAY), start(), "")).await;
            assert_eq!(counted(&read), counted(&held(&service, log.collection, "").await), "{}", log.path);
            let no_object = read.iter().filter(|event| !event.is_object()).count();
            let no_time = read.iter().filter(|event| event.is_object() && event[log.clock].is_null()).count();
            let odd_time =
                read.iter().filter(|event| event[log.clock].is_array() || event[log.clock] == "yesterday").count();
            let no_id = read
                .iter()
                .filter(|event| event.is_object() && !log.id().is_empty() && !event[log.id()].is_string())
                .count();
            let kinds = [no_object, no_time, odd_time, no_id];
            let all = kinds[..if log.id().is_empty() { 3 } else { 4 }].iter().all(|count| *count > 0);
            assert!(all || kinds == [0; 4], "{}: {kinds:?}", log.path);
            found += usize::from(all);
        }
        assert_eq!(found, spoilt);
    }
}
