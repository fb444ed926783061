//! One request, one answer. The only module that touches the network.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::answer::Answer;
use crate::error::{Error, ErrorKind};
use crate::operation::Method;
use crate::origin::{Origin, without_user};
use crate::request::{Body, Content, Request};
use crate::retry::Trouble;

/// How the network is used.
#[derive(Clone)]
pub struct Network {
    /// Whether certificates are checked.
    pub verify_tls: bool,
    /// A file of certificates, in PEM, that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// A proxy for all requests. Otherwise `HTTPS_PROXY` and `HTTP_PROXY` are looked at, but for this machine.
    pub proxy: Option<String>,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long the service may be silent.
    pub read_timeout: Duration,
    /// How long one request may take in all.
    pub request_timeout: Duration,
    /// The largest answer, decompressed, in bytes.
    pub max_answer: usize,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("verify_tls", &self.verify_tls)
            .field("ca_file", &self.ca_file)
            .field("proxy", &self.proxy.as_deref().map(without_user))
            .field("connect_timeout", &self.connect_timeout)
            .field("read_timeout", &self.read_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("max_answer", &self.max_answer)
            .finish()
    }
}

impl Default for Network {
    fn default() -> Self {
        Self {
            verify_tls: true,
            ca_file: None,
            proxy: None,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(65),
            request_timeout: Duration::from_secs(300),
            max_answer: 64 << 20,
        }
    }
}

/// A client for one origin.
#[derive(Clone)]
pub struct Transport {
    client: reqwest::Client,
    origin: Origin,
    headers: HeaderMap,
    network: Network,
}

/// Redirects within the origin that are followed before it is enough.
const MAX_REDIRECTS: usize = 5;

/// Nobody knows what became of a request. Whoever knows the request says more.
fn unknown(error: Error) -> Error {
    error
        .advice_to_repeat("try again later, but look before a change is repeated: the service may have acted")
        .may_have_acted(true)
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("origin", &self.origin).field("network", &self.network).finish()
    }
}

impl Transport {
    /// Prepares a client. `headers` go to this origin and nowhere else.
    pub fn new(origin: Origin, headers: HeaderMap, network: Network) -> Result<Self, Error> {
        // Another part of the process may have chosen a provider already; that one is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(network.connect_timeout)
            .read_timeout(network.read_timeout)
            .timeout(network.request_timeout)
            .user_agent(concat!("connectome/", env!("CARGO_PKG_VERSION")));
        if !network.verify_tls {
            builder = builder.tls_danger_accept_invalid_certs(true).tls_danger_accept_invalid_hostnames(true);
        }
        if let Some(path) = &network.ca_file {
            builder = builder.tls_certs_merge(certificates(path)?);
        }
        if let Some(proxy) = &network.proxy {
            let proxy = reqwest::Proxy::all(proxy).map_err(|_| {
                Error::new(ErrorKind::Configuration, "the proxy is not a URL")
                    .advice("write it as http://proxy.example:3128")
            })?;
            builder = builder.proxy(proxy);
        } else if origin.is_loopback() {
            // What may go in plain because it stays on this machine does stay on it.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| {
            Error::new(ErrorKind::Configuration, format!("no HTTP client could be made: {}", causes(&error)))
        })?;
        Ok(Self { client, origin, headers, network })
    }

    /// The origin.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Sends once. On failure also says whether the service may have acted.
    pub async fn send(&self, request: &Request) -> Result<Answer, (Trouble, Error)> {
        let mut target = request.target.clone();
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.send_to(request, &target).await?;
            match self.redirect(request, &answer) {
                Some(next) => target = next,
                None => return Ok(answer),
            }
        }
        let error = Error::new(ErrorKind::Protocol, format!("more than {MAX_REDIRECTS} redirects"));
        Err((Trouble::Unknown, error.advice("check the URL: it redirects in a loop")))
    }

    /// Where a redirect leads, if it stays on this origin and nothing is lost by following it.
    fn redirect(&self, request: &Request, answer: &Answer) -> Option<String> {
        if !(300..400).contains(&answer.status) || request.method != Method::Get {
            return None;
        }
        let location = answer.header("Location")?;
        let target = match location.strip_prefix(self.origin.root()) {
            Some(rest) => rest,
            None if location.starts_with('/') && !location.starts_with("//") => location,
            None => return None,
        };
        target.starts_with('/').then(|| target.to_owned())
    }

    async fn send_to(&self, request: &Request, target: &str) -> Result<Answer, (Trouble, Error)> {
        let failed = |error: reqwest::Error| self.failed(&error);
        let response =
            self.prepare(request, target).map_err(|error| (Trouble::NotSent, error))?.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let length = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let mut body = bytes::BytesMut::new();
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(failed)?;
            if body.is_empty() {
                // What the service says of the length is a hint, and nothing that memory is spent on blindly.
                body.reserve(length.min(1 << 20).max(chunk.len()));
            }
            if body.len() + chunk.len() > self.network.max_answer {
                let message = format!("the answer is larger than {} MiB", self.network.max_answer >> 20);
                return Err((
                    Trouble::Unknown,
                    Error::new(ErrorKind::Protocol, message).advice("ask for less: a shorter range, or a smaller page"),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body: body.freeze() })
    }

    fn prepare(&self, request: &Request, target: &str) -> Result<reqwest::RequestBuilder, Error> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut headers = self.headers.clone();
        for (name, value) in &request.headers {
            let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
            else {
                return Err(Error::new(ErrorKind::Input, format!("the header {name} cannot hold this value")));
            };
            headers.insert(name, value);
        }
        let builder = self.client.request(method, format!("{}{target}", self.origin.root())).headers(headers);
        Ok(match &request.body {
            Body::Empty => builder,
            Body::Json(json) => builder.header(http::header::CONTENT_TYPE, "application/json").body(json.to_string()),
            Body::Bytes(media_type, bytes) => {
                builder.header(http::header::CONTENT_TYPE, *media_type).body(bytes.clone())
            }
            Body::Form(parts) => builder.multipart(form(parts)?),
        })
    }

    fn failed(&self, error: &reqwest::Error) -> (Trouble, Error) {
        let why = causes(error);
        let origin = self.origin.root();
        if error.is_connect() {
            let (kind, message, advice) = match tls_error(error) {
                Some(rustls::Error::InvalidCertificate(_)) => (
                    ErrorKind::Tls,
                    format!("the certificate of {origin} is not trusted: {why}"),
                    "if an authority of your own issued it, as of a proxy that looks into TLS, give that authority's certificate with --ca-file; an expired certificate or a wrong name is mended at the service or in the URL; otherwise somebody may be in between",
                ),
                Some(_) => (
                    ErrorKind::Tls,
                    format!("no secure connection to {origin}: {why}"),
                    "check the URL: the service may not speak https there",
                ),
                None => (
                    ErrorKind::Connect,
                    format!("no connection to {origin}: {why}"),
                    "check the URL, the network and the proxy",
                ),
            };
            return (Trouble::NotSent, Error::new(kind, message).advice(advice));
        }
        if error.is_timeout() {
            return (
                Trouble::Unknown,
                unknown(Error::new(ErrorKind::Timeout, format!("no answer from {origin} in time"))),
            );
        }
        (Trouble::Unknown, unknown(Error::new(ErrorKind::Connect, format!("the connection to {origin} broke: {why}"))))
    }
}

fn form(parts: &[crate::request::Part]) -> Result<reqwest::multipart::Form, Error> {
    let mut form = reqwest::multipart::Form::new();
    for part in parts {
        form = match &part.content {
            Content::Text(text) => form.text(part.name, text.clone()),
            Content::File(name, media_type, bytes) => {
                let file = reqwest::multipart::Part::bytes(bytes.clone()).file_name(name.clone()).mime_str(media_type);
                form.part(
                    part.name,
                    file.map_err(|_| {
                        Error::new(ErrorKind::Configuration, format!("{media_type:?} is not a media type"))
                    })?,
                )
            }
        };
    }
    Ok(form)
}

fn certificates(path: &std::path::Path) -> Result<Vec<reqwest::Certificate>, Error> {
    let wrong = |why: String| {
        Error::new(ErrorKind::Configuration, format!("the certificate file {} {why}", path.display()))
            .advice("give a file of certificates in PEM")
    };
    let pem = std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| wrong(format!("is not PEM: {error}")))?;
    if found.is_empty() { Err(wrong("holds no certificate".to_owned())) } else { Ok(found) }
}

/// What TLS itself found wrong, if that is why.
fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = error.downcast_ref::<rustls::Error>() {
        return Some(found);
    }
    // An I/O error holds what went wrong and does not name it as its source.
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(inner) => tls_error(inner),
        None => error.source().and_then(tls_error),
    }
}

/// The last cause of an error: what really happened. URLs are left out, since they are said elsewhere.
fn causes(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
