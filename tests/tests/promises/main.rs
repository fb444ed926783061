//! What the runtime promises, each promise by a test that fails without it: where the token goes, what is tried again and
//! what never is, how long anything may take, how large anything may get, and what an answer may claim.

mod answers;
mod bounds;
mod certificates;
mod inputs;
mod limits;
mod origin;
mod timeouts;
mod tries;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use connectome::trend_vision_one::CONNECTOR;
use connectome_core::{Connection, Error};
use connectome_sim::{Fault, Running};
use connectome_tests::script::Prepared;
use connectome_tests::simulated::vision_one;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const ALL_TIME: (&str, &str) = ("1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z");

async fn call(connection: &Connection, action: &str, input: Value) -> Result<Value, Error> {
    connection.call(CONNECTOR.operation(action).expect("an action"), input).await
}

async fn alerts(connection: &Connection) -> Result<Value, Error> {
    call(connection, "get_alert_list", json!({ "start_date_time": ALL_TIME.0, "end_date_time": ALL_TIME.1 })).await
}

async fn isolate(connection: &Connection) -> Result<Value, Error> {
    call(connection, "isolate_endpoint", json!({ "endpoint_identifiers": [{ "endpoint_name": "ledger-pc-07" }] })).await
}

/// A simulated service with a fault.
async fn faulty(fault: &str) -> Running {
    vision_one(|options| options.faults = vec![fault.parse::<Fault>().expect("a fault")]).await
}

fn available() -> Prepared {
    Prepared::json(200, &json!({ "status": "available" }))
}

fn page(ids: &[&str], next: Option<&str>) -> Prepared {
    let items: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
    Prepared::json(200, &json!({ "items": items, "nextLink": next }))
}

/// What a bare server does once it has read a request.
#[derive(Debug, Clone)]
enum Act {
    /// Says this and ends the connection.
    Say(String),
    /// Says half of this and ends the connection.
    SayHalf(String),
    /// Ends the connection without a word.
    HangUp,
    /// Says nothing and keeps the connection.
    KeepSilent,
}

/// A server below HTTP, for what no proper server does. After its last act it keeps silent.
#[derive(Debug)]
struct Bare {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Bare {
    async fn start(acts: Vec<Act>) -> Self {
        Self::at(([127, 0, 0, 1], 0).into(), acts).await
    }

    async fn at(address: SocketAddr, acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = heard.clone();
        let task = tokio::spawn(async move {
            let (mut acts, mut silent) = (acts.into_iter(), Vec::new());
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = hear(&mut stream).await;
                if request.is_empty() {
                    continue;
                }
                kept.lock().expect("no panic").push(request);
                // A client that has gone is no error of this server.
                match acts.next().unwrap_or(Act::KeepSilent) {
                    Act::Say(text) => drop(stream.write_all(text.as_bytes()).await),
                    Act::SayHalf(text) => drop(stream.write_all(&text.as_bytes()[..text.len() - text.len() / 4]).await),
                    Act::HangUp => {}
                    Act::KeepSilent => silent.push(stream),
                }
            }
        });
        Self { address, heard, task }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no panic").clone()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A whole request, as text.
async fn hear(stream: &mut TcpStream) -> String {
    let (mut heard, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&heard).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_ascii_lowercase()
                .split_once("content-length:")
                .and_then(|(_, rest)| rest.lines().next()?.trim().parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return text,
            Ok(count) => heard.extend_from_slice(&buffer[..count]),
        }
    }
}

fn say(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
