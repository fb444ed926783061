//! The rules of every input, by theme.

use serde_json::{Value, json};

use crate::rule::*;

pub const ID: &str = "an id without `/`, `?`, `#`, `\\`, blanks or control characters";
pub const FIELD: &str = "a field name: a letter followed by letters, digits and `_`, and none of `and`, `or`, `not`";
const DATE: &str = "a date and time such as 2024-06-11T07:12:44Z";
const HASH: &str = "40 hexadecimal digits";
const LONGEST_ADDRESS: &str = "0000:0000:0000:0000:0000:ffff:203.100.113.177";

// Places that several rules share.
const BLOCKED: &str = "add_to_block_list/block_objects/0 remove_from_block_list/block_objects/0";
const EXCEPTED: &str = "add_to_exception_list/block_objects/0 remove_from_exception_list/block_objects/0";
const SUSPECTED: &str = "add_to_suspicious_list/suspicious_block_objects/0 remove_from_suspicious_list/block_objects/0";
const LISTED: &str = "add_to_block_list/block_objects/0 remove_from_block_list/block_objects/0 \
    add_to_exception_list/block_objects/0 remove_from_exception_list/block_objects/0 \
    add_to_suspicious_list/suspicious_block_objects/0 remove_from_suspicious_list/block_objects/0";
const ENDPOINTS: &str = "isolate_endpoint/endpoint_identifiers/0 restore_endpoint/endpoint_identifiers/0";
const SEARCHES: [&str; 4] = [
    "get_email_activity_data",
    "get_email_activity_data_count",
    "get_endpoint_activity_data",
    "get_endpoint_activity_data_count",
];

pub fn rules() -> Vec<Rule> {
    let mut rules = vec![
        // Ids. They are safe in a path; what an alert's looks like is not insisted on.
        rule(
            "add_alert_note/alert_id get_alert_details/alert_id edit_alert_status/id",
            [json!("WB-31007-20240611-00004"), json!("WB-20837-20221111-0000"), json!("other"), long(200)],
            [empty(), not("a/b", ID), not("a?b", ID), not("a#b", ID), not("a\nb", ID), not("..", ID)],
        ),
        rule(
            "delete_custom_script/script_id download_custom_script/script_id update_custom_script/script_id \
             get_api_key/id update_api_key/id get_sandbox_submission_status/task_id \
             get_sandbox_analysis_result/report_id download_sandbox_analysis_result/id \
             download_sandbox_investigation_package/id get_sandbox_suspicious_list/id poll_sandbox_suspicious_list/id \
             get_task_result/task_id",
            [json!("1"), json!(6345645), long(36)],
            [empty(), longer(36), not("a/b", ID), no(true, "text", "true")],
        ),
        rule("get_task_result/task_id", [json!("00002195")], [not("None", "anything but \"None\"")]),
        up_to_ten("delete_api_keys/id", long(36)),
        rule("delete_api_keys/id/0", [json!("b667abdd-7739-4129-a36a-862c4ec019se")], [empty(), longer(36)]),
        // Alerts.
        rule("add_alert_note/content", [long(1), long(500_000)], [empty(), longer(500_000)]),
        rule(
            "edit_alert_status/status",
            ["New", "In Progress", "True Positive", "False Positive", "Benign True Positive", "Closed"]
                .map(Value::from),
            [not(
                "Open",
                r#"one of "New", "In Progress", "True Positive", "False Positive", "Benign True Positive", "Closed""#,
            )],
        ),
        rule(
            "edit_alert_status/if_match update_api_key/if_match",
            [long(128), json!("\"d41d8cd98f00b204\""), json!("W/\"d41d8cd98f00b204\""), json!("")],
            [longer(128), not("a\r\nb", "text without control characters")],
        ),
        // Scripts.
        rule(
            "add_custom_script/file_type update_custom_script/file_type",
            [json!("bash")],
            [not("python", r#"one of "powershell", "bash""#)],
        ),
        rule("add_custom_script/description update_custom_script/description", [long(2048), json!("")], [longer(2048)]),
        rule(
            "add_custom_script/file update_custom_script/file",
            [json!({ "content": "dGVzdA==", "filename": "a.SH" }), json!({ "content": "", "filename": "dir/a.sh" })],
            [
                no(
                    json!({ "content": "dGVzdA==", "filename": "a.ps1" }),
                    "a name that ends in .sh, since file_type is bash",
                    "\"a.ps1\"",
                )
                .at("/filename"),
                no(
                    json!({ "content": "//8=", "filename": "a.sh" }),
                    "a text file in UTF-8",
                    "bytes that are not UTF-8",
                )
                .at("/content"),
            ],
        ),
        rule(
            "add_custom_script",
            [json!({ "file_type": "powershell", "file": { "content": "dGVzdA==", "filename": "a.PS1" } })],
            [no(
                json!({ "file_type": "powershell", "file": { "content": "dGVzdA==", "filename": "a.sh" } }),
                "a name that ends in .ps1, since file_type is powershell",
                "\"a.sh\"",
            )
            .at("/file/filename")],
        ),
        rule(
            "add_custom_script/file update_custom_script/file submit_file_to_sandbox/file",
            [json!({ "content": "dGVzdA==", "filename": "a.sh" })],
            [
                no(
                    json!({ "content": "dGVzdA", "filename": "a.sh" }),
                    "the file's bytes in Base64",
                    "6 characters of something other than Base64",
                )
                .at("/content"),
                no(json!({ "content": "dGVzdA==", "filename": ".." }), "a file name", "\"..\"").at("/filename"),
                no(json!({ "filename": "a.sh" }), "the file's bytes in Base64", "nothing").at("/content"),
                no("dGVzdA==", "a file: {\"content\": BASE64, \"filename\": NAME}", "\"dGVzdA==\""),
            ],
        ),
        rule("run_custom_script/file_name", [long(1), long(255)], [empty(), longer(255)]),
        rule("run_custom_script/parameter", [long(8000), json!("")], [longer(8000)]),
        // Object lists. The kind comes in any case.
        rule(
            LISTED,
            [object("IP", "6.6.6.6"), object("filesha1", &"A".repeat(40)), object("url", "www.example.com")],
            [no(
                object("host", "client1"),
                r#"one of "domain", "ip", "fileSha1", "fileSha256", "senderMailAddress", "url""#,
                "\"host\"",
            )
            .at("/object_type")],
        ),
        rule(
            "add_to_block_list/block_objects remove_from_block_list/block_objects add_to_exception_list/block_objects \
             remove_from_exception_list/block_objects remove_from_suspicious_list/block_objects \
             add_to_suspicious_list/suspicious_block_objects",
            [many(&object("ip", "6.6.6.6"), 1), many(&object("ip", "6.6.6.6"), 1001)],
            [no(json!([]), "at least 1 element", "0"), no(object("ip", "6.6.6.6"), "a list", "an object")],
        ),
        objects(
            LISTED,
            "fileSha1",
            &[&"0aF9".repeat(10)],
            [(&"a".repeat(39), HASH, None), (&"a".repeat(41), HASH, None), (&"g".repeat(40), HASH, None)],
        ),
        objects(
            LISTED,
            "fileSha256",
            &[&"0aF9".repeat(16)],
            [(&"a".repeat(63), "64 hexadecimal digits", None), (&"a".repeat(65), "64 hexadecimal digits", None)],
        ),
        objects(
            LISTED,
            "ip",
            &["203.0.113.77", "fe80::1c2d:3e4f:5a6b:7c8d", &["fe80"; 8].join(":")],
            [
                ("203.0.113.0/24", "an IPv4 or IPv6 address", None),
                ("203.0.113.77 ", "an IPv4 or IPv6 address", None),
                ("203.0.113.*", "an IPv4 or IPv6 address", None),
            ],
        ),
        objects(BLOCKED, "ip", &[LONGEST_ADDRESS], []),
        objects(
            BLOCKED,
            "domain",
            &[&domain(255)],
            [(&domain(256), "at most 255 characters", Some(256)), ("*.example.com", "a domain name", None)],
        ),
        objects(
            BLOCKED,
            "url",
            &[&format!("http://a.example/{}", "x".repeat(238))],
            [
                (&format!("http://a.example/{}", "x".repeat(239)), "at most 255 characters", Some(256)),
                ("*.example.com/x", "a URL", None),
            ],
        ),
        objects(
            BLOCKED,
            "senderMailAddress",
            &[&format!("{}@a.example", "x".repeat(245))],
            [
                (&format!("{}@a.example", "x".repeat(246)), "at most 255 characters", Some(256)),
                ("a.example", "a full e-mail address", None),
            ],
        ),
        objects(
            EXCEPTED,
            "url",
            &["https://*.a.example/*", &format!("*.a.example/{}*", "x".repeat(2035))],
            [(&format!("*.a.example/{}*", "x".repeat(2036)), "at most 2048 characters", Some(2049))],
        ),
        objects(
            SUSPECTED,
            "url",
            &[&format!("http://a.example/{}", "x".repeat(2031))],
            [
                (&format!("http://a.example/{}", "x".repeat(2032)), "at most 2048 characters", Some(2049)),
                ("*.example.com/x", "a URL", None),
            ],
        ),
    ];
    for places in [EXCEPTED, SUSPECTED] {
        let [longest, more] = [251, 252].map(|length| format!("*.{}", domain(length)));
        rules.push(objects(places, "ip", &[], [(LONGEST_ADDRESS, "at most 39 characters", Some(45))]));
        rules.push(objects(
            places,
            "domain",
            &[&domain(253), &longest],
            [
                (&domain(254), "at most 253 characters", Some(254)),
                (&more, "at most 253 characters", Some(254)),
                ("north*.example", "a domain name, perhaps beginning with `*.`", None),
            ],
        ));
        let sender = |length: usize| format!("{}@a.example", "x".repeat(length - 10));
        rules.push(objects(
            places,
            "senderMailAddress",
            &[&sender(320)],
            [(&sender(321), "at most 320 characters", Some(321)), ("a.example", "a full e-mail address", None)],
        ));
    }
    rules.extend([
        rule(
            "add_to_exception_list/block_objects/0/description \
             add_to_suspicious_list/suspicious_block_objects/0/description",
            [long(1000)],
            [longer(1000)],
        ),
        rule(
            "add_to_suspicious_list/suspicious_block_objects/0/risk_level",
            ["high", "medium", "low", "HIGH"].map(Value::from),
            [not("severe", r#"one of "high", "medium", "low""#)],
        ),
        rule(
            "add_to_suspicious_list/suspicious_block_objects/0/scan_action",
            ["block", "log", "Block"].map(Value::from),
            [not("delete", r#"one of "block", "log""#)],
        ),
        rule(
            "add_to_suspicious_list/suspicious_block_objects/0/expiry_days",
            [json!(-1), json!(0), json!(365), json!("365"), json!("-1")],
            [
                no(-2, "a number from -1 to 365", "-2"),
                no(366, "a number from -1 to 365", "366"),
                no("366", "a number from -1 to 365", "366"),
                no(1.5, "a whole number", "1.5"),
                not("soon", "a whole number"),
            ],
        ),
        rule(
            "add_to_suspicious_list/suspicious_block_objects/0",
            [json!({ "object_type": "ip", "object_value": "6.6.6.6", "days_to_expiration": 7, "expiry_days": "7" })],
            [
                no(
                    json!({ "object_type": "ip", "object_value": "6.6.6.6", "days_to_expiration": 7, "expiry_days": 8 }),
                    "the same as days_to_expiration, which is another name for it",
                    "8",
                )
                .at("/expiry_days"),
                no(
                    json!({ "object_type": "ip", "object_value": "6.6.6.6", "days_to_expiration": 366 }),
                    "a number from -1 to 365",
                    "366",
                )
                .at("/days_to_expiration"),
            ],
        ),
        // Why a task is started. What is not sent has the length of what is.
        rule(
            "add_to_block_list/block_objects/0/description remove_from_block_list/block_objects/0/description \
             remove_from_exception_list/block_objects/0/description \
             remove_from_suspicious_list/block_objects/0/description collect_file/collect_files/0/description \
             terminate_process/process_identifiers/0/description isolate_endpoint/endpoint_identifiers/0/description \
             restore_endpoint/endpoint_identifiers/0/description run_custom_script/description \
             delete_email_message/email_identifiers/0/description \
             quarantine_email_message/email_identifiers/0/description \
             restore_email_message/email_identifiers/0/description disable_account/account_identifiers/0/description \
             enable_account/account_identifiers/0/description reset_password_account/account_identifiers/0/description \
             sign_out_account/account_identifiers/0/description",
            [long(20480), json!("é".repeat(20480)), json!("")],
            [longer(20480)],
        ),
        // Endpoints, by name or by agent. What an agent's id looks like is not insisted on.
        rule(
            "isolate_endpoint/endpoint_identifiers/0/agent_guid restore_endpoint/endpoint_identifiers/0/agent_guid \
             collect_file/collect_files/0/agent_guid terminate_process/process_identifiers/0/agent_guid \
             run_custom_script/agent_guid",
            [long(36), json!("2839eu2983e23e")],
            [longer(36)],
        ),
        rule(
            "isolate_endpoint/endpoint_identifiers/0/endpoint_name \
             restore_endpoint/endpoint_identifiers/0/endpoint_name collect_file/collect_files/0/endpoint_name \
             terminate_process/process_identifiers/0/endpoint_name run_custom_script/endpoint_name",
            [long(1), long(255)],
            [longer(255)],
        ),
        rule(
            ENDPOINTS,
            [json!({ "endpoint_name": "client1" }), json!({ "agent_guid": "2839eu2983e23e" })],
            [no(json!({}), "one of agent_guid or endpoint_name", "none that fits")],
        ),
        rule(
            "collect_file/collect_files/0",
            [json!({ "endpoint_name": "client1", "file_path": "C:/a" })],
            [no(json!({ "file_path": "C:/a" }), "one of agent_guid or endpoint_name", "none that fits")],
        ),
        rule(
            "terminate_process/process_identifiers/0",
            [json!({ "agent_guid": "2839eu2983e23e", "file_sha1": "a".repeat(40) })],
            [no(json!({ "file_sha1": "a".repeat(40) }), "one of agent_guid or endpoint_name", "none that fits")],
        ),
        rule(
            "run_custom_script",
            [json!({ "agent_guid": "2839eu2983e23e", "file_name": "a.sh" })],
            [no(json!({ "file_name": "a.sh", "endpoint_name": "" }), "one of agent_guid or endpoint_name", "none that fits")],
        ),
        rule("collect_file/collect_files/0/file_path", [long(1), long(1024)], [empty(), longer(1024)]),
        rule(
            "terminate_process/process_identifiers/0/file_sha1",
            [json!("0aF9".repeat(10))],
            [not(&"a".repeat(39), HASH), not(&"g".repeat(40), HASH)],
        ),
        rule("terminate_process/process_identifiers/0/filename", [long(255), json!("")], [longer(255)]),
        rule(
            "isolate_endpoint/endpoint_identifiers restore_endpoint/endpoint_identifiers collect_file/collect_files \
             terminate_process/process_identifiers delete_email_message/email_identifiers \
             quarantine_email_message/email_identifiers restore_email_message/email_identifiers \
             disable_account/account_identifiers enable_account/account_identifiers \
             reset_password_account/account_identifiers sign_out_account/account_identifiers",
            [],
            [no(json!([]), "at least 1 element", "0"), no(json!({}), "a list", "an object")],
        ),
        // Messages.
        rule(
            "delete_email_message/email_identifiers/0/message_id quarantine_email_message/email_identifiers/0/message_id \
             restore_email_message/email_identifiers/0/message_id",
            [long(1), long(255), json!(format!("<{}>", "x".repeat(253)))],
            [empty(), longer(255)],
        ),
        rule(
            "delete_email_message/email_identifiers/0/mailbox quarantine_email_message/email_identifiers/0/mailbox \
             restore_email_message/email_identifiers/0/mailbox",
            [json!(format!("{}@a.example", "x".repeat(245))), json!("")],
            [
                no(format!("{}@a.example", "x".repeat(246)), "at most 255 characters", "256 characters"),
                not("amelie.roy", "a full e-mail address"),
            ],
        ),
        // Accounts.
        rule(
            "disable_account/account_identifiers/0/account_name enable_account/account_identifiers/0/account_name \
             reset_password_account/account_identifiers/0/account_name \
             sign_out_account/account_identifiers/0/account_name",
            [long(1), long(255)],
            [empty(), longer(255)],
        ),
        // Keys.
        up_to_ten("create_api_keys/api_keys_objects", json!({ "name": "n", "role": "Analyst" })),
        rule(
            "create_api_keys/api_keys_objects/0/name create_api_keys/api_keys_objects/0/role update_api_key/name \
             update_api_key/role",
            [long(1), long(128)],
            [empty(), longer(128)],
        ),
        rule(
            "create_api_keys/api_keys_objects/0/description update_api_key/description",
            [long(2048), json!("")],
            [longer(2048)],
        ),
        rule(
            "create_api_keys/api_keys_objects/0/status update_api_key/status",
            [json!("enabled"), json!("disabled")],
            [not("on", r#"one of "enabled", "disabled""#)],
        ),
        rule(
            "create_api_keys/api_keys_objects/0/months_to_expiration",
            [json!("0"), json!("1"), json!("3"), json!("6"), json!("12"), json!(0), json!(12)],
            [
                not("2", r#"one of "1", "3", "6", "12", "0""#),
                no(24, r#"one of "1", "3", "6", "12", "0""#, "\"24\""),
                no(0.5, "text", "0.5"),
            ],
        ),
        rule(
            "list_api_keys/top",
            [json!(50), json!(100), json!(200), json!("200")],
            [no(500, "one of 50, 100, 200", "500"), no(1, "one of 50, 100, 200", "1")],
        ),
        // Filters. They are measured when finished.
        rule(
            "get_custom_script_list/query_op list_api_keys/query_op get_oat_list/query_op poll_oat_list/query_op \
             get_endpoint_data/query_op get_email_activity_data/query_op get_email_activity_data_count/query_op \
             get_endpoint_activity_data/query_op get_endpoint_activity_data_count/query_op",
            ["or", "and", " or ", "AND"].map(Value::from),
            [not("xor", r#"one of "or", "and""#)],
        ),
        rule(
            "get_custom_script_list/fields list_api_keys/fields get_oat_list/fields poll_oat_list/fields \
             get_endpoint_data/fields get_email_activity_data/fields get_email_activity_data_count/fields \
             get_endpoint_activity_data/fields get_endpoint_activity_data_count/fields",
            [json!({ "a": "x", "b_2": 443, "c": true, "d": null }), json!({ "uuid": 1.5 })],
            [
                no(json!({ "a": ["x"] }), "text, a number, true or false", "a list of 1").at("/a"),
                no(json!({ "a": {} }), "text, a number, true or false", "an object").at("/a"),
                no(json!({ "a": "x\ny" }), "text without line breaks or other control characters", "\"x\\ny\"").at("/a"),
                no(json!({ "a'": "x" }), FIELD, "\"a'\"").at("/a'"),
                no(json!({ "a/b": "x" }), FIELD, "\"a/b\"").at("/a~1b"),
                no(json!({ "not": "x" }), FIELD, "\"not\"").at("/not"),
                no("endpointName eq 'a'", "an object", "\"endpointName eq 'a'\""),
            ],
        ),
        rule("get_custom_script_list/fields list_api_keys/fields get_oat_list/fields poll_oat_list/fields", [json!({})], []),
        filters("get_custom_script_list/fields", "fileName", 6, 2048),
        filters("get_oat_list/fields poll_oat_list/fields", "uuid", 6, 4000),
        filters("list_api_keys/fields", "role", 6, 1024),
        filters("get_endpoint_data/fields", "endpointName", 6, 1024),
        // Dates.
        rule(
            "get_alert_list/start_date_time get_email_activity_data/start_date_time \
             get_email_activity_data_count/start_date_time get_endpoint_activity_data/start_date_time \
             get_endpoint_activity_data_count/start_date_time get_oat_list/detected_start_date_time \
             get_oat_list/ingested_start_date_time poll_alert_list/start_date_time \
             poll_oat_list/detected_start_date_time poll_oat_list/ingested_start_date_time",
            [json!("2020-06-15T10:00:00Z"), json!("2020-06-15 10:00:00.5+0200")],
            [not("2020-06-15", DATE), not("startDateTime=2020-06-15T10:00:00Z", DATE), no(true, "text", "true")],
        ),
        rule(
            "get_alert_list/end_date_time get_email_activity_data/end_date_time \
             get_email_activity_data_count/end_date_time get_endpoint_activity_data/end_date_time \
             get_endpoint_activity_data_count/end_date_time get_oat_list/detected_end_date_time \
             get_oat_list/ingested_end_date_time",
            [json!("2021-04-07T10:00:00Z"), json!("2021-04-07 10:00:00+00:00")],
            [not("now", DATE), not("2021-13-07T10:00:00Z", DATE)],
        ),
        rule(
            "get_oat_list/detected_start_date_time get_oat_list/ingested_start_date_time",
            [json!("2020-04-08T00:00:00Z")],
            [not("2020-04-07T23:59:59Z", "a time within the last 365 days")],
        ),
        // A start that is too old for the service moves up as rounds go by.
        rule("poll_oat_list/detected_start_date_time poll_oat_list/ingested_start_date_time", [json!("2010-01-01T00:00:00Z")], []),
        rule(
            "get_oat_list/detected_end_date_time",
            [json!("2021-04-05T08:22:37Z")],
            [no("2021-04-05T08:22:36Z", "a time that is not before detected_start_date_time", "2021-04-05T08:22:36Z")],
        ),
        rule(
            "get_oat_list/ingested_end_date_time",
            [json!("2021-04-06T08:22:37Z")],
            [no("2021-04-06T08:22:36Z", "a time that is not before ingested_start_date_time", "2021-04-06T08:22:36Z")],
        ),
        rule(
            "get_alert_list/end_date_time",
            [json!("2020-06-15T10:00:00Z")],
            [no("2020-06-15T09:59:59Z", "a time that is not before start_date_time", "2020-06-15T09:59:59Z")],
        ),
        // Waiting.
        rule(
            "download_sandbox_analysis_result/poll_time_sec download_sandbox_investigation_package/poll_time_sec \
             get_sandbox_analysis_result/poll_time_sec get_sandbox_suspicious_list/poll_time_sec \
             poll_sandbox_suspicious_list/poll_time_sec get_task_result/poll_time_sec",
            [json!(0), json!(0.5), json!(30)],
            [no(-0.5, "a number of 0 or more", "-0.5"), no(true, "a number", "true"), not("30s", "a number")],
        ),
        rule(
            "download_sandbox_analysis_result/poll download_sandbox_investigation_package/poll \
             get_sandbox_analysis_result/poll get_sandbox_suspicious_list/poll poll_sandbox_suspicious_list/poll \
             get_task_result/poll",
            [json!(true), json!(false)],
            [not("yes", "true or false"), no(1, "true or false", "1")],
        ),
        rule(
            "poll_alert_list/interval poll_oat_list/interval poll_sandbox_suspicious_list/interval",
            [json!(1), json!("1800")],
            [no(0, "a number of 1 or more", "0"), no(0.5, "a whole number", "0.5")],
        ),
        // The sandbox. Lengths are those of what is encoded, and a password is shown nowhere.
        rule(
            "submit_file_to_sandbox/archive_password submit_file_to_sandbox/document_password",
            [long(128), json!("é".repeat(64)), json!(1234), json!("")],
            [
                no(long(129), "at most 128 bytes before encoding", "[secret]"),
                no("é".repeat(65), "at most 128 bytes before encoding", "[secret]"),
                no(json!(["hunter2"]), "text", "[secret]"),
            ],
        ),
        rule(
            "submit_file_to_sandbox/arguments",
            [long(1024), json!("é".repeat(512))],
            [
                no(long(1025), "at most 1024 bytes before encoding", "1025"),
                no("é".repeat(513), "at most 1024 bytes before encoding", "1026"),
            ],
        ),
        up_to_ten("submit_urls_to_sandbox/urls", json!("www.urlurl.com")),
        rule("submit_urls_to_sandbox/urls/0", [json!("http://a..b.example/odd one")], [empty(), no(true, "text", "true")]),
        // What is sent as one body.
        rule(
            "add_to_block_list",
            [block_of_bytes(1_000_000)],
            [no(block_of_bytes(1_000_001), "a request of at most 1000000 bytes", "1000001")],
        ),
        rule(
            "add_alert_note",
            [json!({ "alert_id": "WB-1", "content": "é".repeat(499_990) })],
            [no(
                json!({ "alert_id": "WB-1", "content": "é".repeat(500_000) }),
                "a request of at most 1000000 bytes",
                "1000014",
            )],
        ),
    ]);
    for search in SEARCHES {
        let leak = |place: &str| -> &'static str { format!("{search}/{place}").leak() };
        rules.extend([
            filters(leak("fields"), "uuid", 3, 2048),
            rule(
                leak("fields"),
                [json!({ "dpt": 443 })],
                [{ json!({}) }, json!({ "dpt": null })].map(|it| {
                    no(it, "at least one field to search by, since the service refuses a search without any", "none")
                }),
            ),
            rule(
                leak("select"),
                [json!(["a".repeat(1024), "b".repeat(1023)]), json!(["eventTimeDT"]), json!([])],
                [
                    no(json!(["a".repeat(1024), "b".repeat(1024)]), "at most 2048 characters when joined", "2049"),
                    no(json!(["uuid", "event_time"]), "a name in camel case such as createdDateTime", "\"event_time\"")
                        .at("/1"),
                    no(json!(["uuid,dpt"]), "a name in camel case such as createdDateTime", "\"uuid,dpt\"").at("/0"),
                    no(json!([""]), "a name in camel case such as createdDateTime", "\"\"").at("/0"),
                ],
            ),
            rule(
                leak("top"),
                [json!(50), json!(100), json!(500), json!(1000), json!("5000")],
                [
                    no(200, "one of 50, 100, 500, 1000, 5000", "200"),
                    no(5001, "one of 50, 100, 500, 1000, 5000", "5001"),
                ],
            ),
            rule(
                leak("end_date_time"),
                [json!("2020-06-15T10:00:00Z")],
                [no("2020-06-15T09:59:59Z", "a time that is not before start_date_time", "2020-06-15T09:59:59Z")],
            ),
        ]);
    }
    rules.push(rule(
        "get_endpoint_data/fields",
        [json!({ "hostname": "client1" })],
        [no(json!({}), "at least one field to search by, since the service refuses a search without any", "none")],
    ));
    rules
}
