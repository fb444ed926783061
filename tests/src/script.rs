//! A server that gives prepared answers, in order or by what it is asked, and keeps what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A prepared answer.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Prepared {
    /// JSON with a status.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body: Bytes::from(body.to_string()),
        }
    }

    /// A status and nothing else.
    pub fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Asked {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

/// A server with a script. After its last answer it gives 599.
#[derive(Debug)]
pub struct Script {
    /// Its address.
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Script {
    /// Starts a server that gives these answers in order.
    pub async fn start(answers: Vec<Prepared>) -> Self {
        let answers = Mutex::new(answers.into_iter());
        Self::answering(move |_| answers.lock().expect("no panic").next().unwrap_or_else(|| Prepared::empty(599))).await
    }

    /// Starts a server that answers each request as this says.
    pub async fn answering(answer: impl Fn(&Asked) -> Prepared + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let answer = Arc::new(answer);
        let kept = asked.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, kept) = (answer.clone(), kept.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                        let (answer, kept) = (answer.clone(), kept.clone());
                        async move {
                            let (parts, body) = request.into_parts();
                            let body = body.collect().await?.to_bytes();
                            let headers = parts
                                .headers
                                .iter()
                                .map(|(name, value)| {
                                    (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                                })
                                .collect();
                            let target =
                                parts.uri.path_and_query().map(|it| it.as_str().to_owned()).unwrap_or_default();
                            let asked = Asked { method: parts.method.to_string(), target, headers, body };
                            let prepared = answer(&asked);
                            kept.lock().expect("no panic").push(asked);
                            let mut response = hyper::Response::builder().status(prepared.status);
                            for (name, value) in &prepared.headers {
                                response = response.header(name, value);
                            }
                            Ok::<_, hyper::Error>(response.body(Full::new(prepared.body)).expect("a response"))
                        }
                    });
                    // A client that hangs up is no error of the script.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { address, asked, task }
    }

    /// Its root.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic").clone()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.task.abort();
    }
}
