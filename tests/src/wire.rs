//! HTTP written by hand, byte by byte, so that a mistake of our own client cannot hide a mistake of a simulator.

use connectome_sim::Running;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer as it came over the wire.
#[derive(Debug, Clone)]
pub struct Got {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Got {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The error's short name.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The error's text.
    pub fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
    }

    /// The length that the head promised.
    pub fn promised(&self) -> Option<usize> {
        self.header("Content-Length").and_then(|text| text.parse().ok())
    }
}

/// Sends bytes and reads until the other side closes. The error of a broken connection is the caller's.
pub async fn exchange(service: &Running, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(service.address).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

/// A request in the form that goes over the wire.
pub fn written(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    [head.as_bytes(), body].concat()
}

/// Takes an answer apart.
pub fn read(answer: &[u8]) -> Got {
    let end = answer
        .windows(4)
        .position(|it| it == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("no head: {}", String::from_utf8_lossy(answer)));
    let head = String::from_utf8(answer[..end].to_vec()).expect("ASCII");
    let mut lines = head.split("\r\n");
    let status =
        lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|text| text.parse().ok()).expect("a status line");
    let headers =
        lines.map(|line| line.split_once(": ").map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a header")).collect();
    Got { status, headers, body: answer[end + 4..].to_vec() }
}

/// Sends a request and reads its answer.
pub async fn ask_with(service: &Running, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Got {
    read(&exchange(service, &written(method, target, headers, body)).await.expect("an answer"))
}
