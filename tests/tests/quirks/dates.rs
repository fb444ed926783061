//! Dates.

use serde_json::{Value, json};

use crate::{built, detections, list, output, parameter, request, wrong};

// 20
#[test]
pub fn dates_are_taken_in_many_forms_and_sent_in_one() {
    for (given, start, end) in [
        ("2020-06-15T10:00:00Z", "2020-06-15T10:00:00Z", "2020-06-15T10:00:00Z"),
        ("2020-06-15 10:00:00+00:00", "2020-06-15T10:00:00Z", "2020-06-15T10:00:00Z"),
        ("2020-06-15T10:00:00z", "2020-06-15T10:00:00Z", "2020-06-15T10:00:00Z"),
        ("2020-06-15T10:00:00", "2020-06-15T10:00:00Z", "2020-06-15T10:00:00Z"),
        ("2020-06-15 12:00:00+0200", "2020-06-15T10:00:00Z", "2020-06-15T10:00:00Z"),
        ("2020-06-14T20:30:00-13:30", "2020-06-15T10:00:00Z", "2020-06-15T10:00:00Z"),
        ("2020-06-15T10:00:00.000Z", "2020-06-15T10:00:00Z", "2020-06-15T10:00:00Z"),
        ("2020-06-15T10:00:00.25Z", "2020-06-15T10:00:00Z", "2020-06-15T10:00:01Z"),
        ("2020-06-15T10:00:00.999999999Z", "2020-06-15T10:00:00Z", "2020-06-15T10:00:01Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
    ] {
        let searched = json!({ "fields": { "uuid": "u" }, "start_date_time": given, "end_date_time": given });
        for (action, input) in [
            ("get_alert_list", json!({ "start_date_time": given, "end_date_time": given })),
            ("get_email_activity_data_count", searched.clone()),
            ("get_endpoint_activity_data", searched),
        ] {
            let request = request(action, input);
            assert_eq!(
                (parameter(&request, "startDateTime"), parameter(&request, "endDateTime")),
                (Some(start), Some(end)),
                "{action} {given}"
            );
        }
    }
    // The services' own defaults stay theirs.
    let request = request("get_endpoint_activity_data", json!({ "fields": { "uuid": "u" } }));
    assert_eq!((parameter(&request, "startDateTime"), parameter(&request, "endDateTime")), (None, None));
}

#[test]
pub fn what_is_no_date_is_refused() {
    for given in [
        "startDateTime=2020-06-15T10:00:00Z",
        "2020-06-15",
        "yesterday",
        "2020-02-30T10:00:00Z",
        "2020-06-15T25:00:00Z",
        "2020-06-15T10:00:00 Z",
        "next_link",
        "",
    ] {
        assert_eq!(
            wrong("get_alert_list", json!({ "start_date_time": given, "end_date_time": "2024-06-12T00:00:00Z" })),
            ["/start_date_time"],
            "{given}"
        );
    }
    assert_eq!(
        wrong(
            "get_alert_list",
            json!({ "start_date_time": "2024-06-12T00:00:01Z", "end_date_time": "2024-06-12T01:00:00+01:00" })
        ),
        ["/end_date_time"]
    );
    let mut old = detections();
    old["detected_start_date_time"] = json!("2023-06-12T23:59:59Z");
    assert_eq!(wrong("get_oat_list", old.clone()), ["/detected_start_date_time"]);
    old["detected_start_date_time"] = json!("2023-06-13T00:00:00Z");
    assert!(built("get_oat_list", old).is_ok());
}

#[tokio::test]
pub async fn dates_of_answers_stay_as_they_came() {
    let times = ["2024-06-11T06:58:22.431Z", "2024-06-11T07:11:59.000000+00:00", "", "soon"];
    let items: Vec<Value> =
        times.iter().map(|time| json!({ "ip": { "updatedDateTime": time, "value": [] } })).collect();
    let told =
        output("get_endpoint_data", json!({ "fields": { "ip": "10.44.7.31" } }), 200, json!({ "items": items })).await;
    let given: Vec<&Value> =
        list(&told["endpoint_data"]).iter().map(|endpoint| &endpoint["ip"]["updated_date_time"]).collect();
    assert_eq!(given, times);
}
