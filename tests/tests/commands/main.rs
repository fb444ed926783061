//! Whole commands: what is printed where, and the exit code, against `connectome simulate` as a process of its own.

mod help;
mod mistakes;
mod pipes;
mod results;

use connectome_tests::simulated::free_address;

const NAME: &str = "trend-vision-one";
const KEY: &str = "CONNECTOME_TREND_VISION_ONE_API_KEY";
const URL: &str = "CONNECTOME_TREND_VISION_ONE_API_URL";
const ONE: &str = r#"{"endpoint_identifiers": [{"endpoint_name": "ledger-pc-07"}]}"#;
const TWO: &str = r#"{"endpoint_identifiers": [{"endpoint_name": "build-srv-02"}, {"endpoint_name": "no-such-host"}]}"#;
const ALL_TIME: &str = r#"{"start_date_time": "1970-01-01T00:00:00Z", "end_date_time": "2100-01-01T00:00:00Z"}"#;

/// Words of a line; the text of a command is not quoted anywhere here.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// A root at which nobody listens.
fn nobody() -> String {
    format!("http://{}", free_address())
}
