//! What the client is measured against: the same requests, made with nothing but an HTTP client and types of one's own.
//!
//! `calls isolate|alerts ours|plain URL TOKEN NUMBER` isolates an endpoint so often, or reads so many alerts. `calls isolate
//! together …` asks on several connections at once, which shows what the service takes and not what waiting does.

use connectome::trend_vision_one::{Client, EndpointIdentifiers, GetAlertListInput, IsolateEndpointInput, Parameters};
use serde::Deserialize;
use serde_json::{Value, json};

const ENDPOINT: &str = "ledger-pc-07";
const FROM: &str = "1970-01-01T00:00:00Z";
const UNTIL: &str = "2100-01-01T00:00:00Z";

/// How many connections ask at once.
const TOGETHER: usize = 16;

/// A page of alerts, as somebody would write it who needs these fields.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<Alert>,
    next_link: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "what is read is measured, and not what is done with it")]
struct Alert {
    id: String,
    status: String,
    model: String,
    severity: String,
    score: i64,
    created_date_time: String,
    updated_date_time: Option<String>,
    investigation_status: Option<String>,
    workbench_link: Option<String>,
    alert_provider: Option<String>,
    impact_scope: Option<Value>,
    matched_rules: Option<Value>,
    indicators: Option<Value>,
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

/// The calls as anybody would write them.
async fn isolate(
    client: reqwest::Client,
    url: String,
    token: String,
    number: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    for _ in 0..number {
        let body = json!([{ "endpointName": ENDPOINT }]).to_string();
        let request = client.post(format!("{url}/v3.0/response/endpoints/isolate")).bearer_auth(&token);
        let answer = request.header("Content-Type", "application/json").body(body).send().await?;
        let elements: Value = serde_json::from_slice(&answer.error_for_status()?.bytes().await?)?;
        assert!(elements[0]["status"].is_u64());
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, what, way, url, token, number] = &arguments[..] else {
        return Err("calls isolate|alerts ours|plain URL TOKEN NUMBER".into());
    };
    let number: usize = number.parse()?;
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "no cryptography")?;
    match (what.as_str(), way.as_str()) {
        ("isolate", "plain") => {
            isolate(reqwest::Client::builder().no_proxy().build()?, url.clone(), token.clone(), number).await?;
        }
        ("isolate", "together") => {
            let client = reqwest::Client::builder().no_proxy().build()?;
            let mut all = tokio::task::JoinSet::new();
            for _ in 0..TOGETHER {
                let (client, url, token) = (client.clone(), url.clone(), token.clone());
                all.spawn(
                    async move { isolate(client, url, token, number / TOGETHER).await.map_err(|it| it.to_string()) },
                );
            }
            all.join_all().await.into_iter().collect::<Result<(), String>>()?;
        }
        ("isolate", _) => {
            let client = Client::connect(Parameters::new(token.as_str()).with_api_url(url.as_str()))?;
            for _ in 0..number {
                let one = EndpointIdentifiers::new().with_endpoint_name(ENDPOINT);
                // A task for the endpoint that is still under way is a refusal, and an answer all the same.
                let _ = client.isolate_endpoint(&IsolateEndpointInput::new([one])).await;
            }
        }
        (_, "plain") => {
            let client = reqwest::Client::builder().no_proxy().build()?;
            let mut next = Some(format!("{url}/v3.0/workbench/alerts?startDateTime={FROM}&endDateTime={UNTIL}"));
            let mut read = 0;
            while let (Some(link), true) = (next, read < number) {
                let path = link.find("/v3.0").map_or("", |at| &link[at..]);
                let answer = client.get(format!("{url}{path}")).bearer_auth(token).send().await?;
                let page: Page = serde_json::from_slice(&answer.error_for_status()?.bytes().await?)?;
                read += page.items.len();
                next = page.next_link;
            }
            assert!(read >= number, "{read}");
        }
        _ => {
            let client = Client::connect(Parameters::new(token.as_str()).with_api_url(url.as_str()))?;
            let mut items = client.get_alert_list_items(&GetAlertListInput::new(UNTIL, FROM))?;
            let mut read = 0;
            while read < number {
                let alert = items.next().await.ok_or("too few alerts")??;
                assert!(alert.id.is_some());
                read += 1;
            }
        }
    }
    Ok(())
}
