//! A simulator on a loopback address.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::admin::Pieces;
use crate::http::{Manner, Reply, Request};
use crate::simulator::Simulator;

/// Something that answers requests.
pub trait Respond: Send + Sync + 'static {
    /// Answers a request.
    fn respond(&self, request: &Request) -> Reply;

    /// An answer that is too long to be held, in pieces.
    fn stream(self: Arc<Self>, request: &Request) -> Option<Pieces> {
        let _ = request;
        None
    }

    /// Whether connections may be reset.
    fn resets(&self) -> bool {
        false
    }
}

/// The largest request body that is read.
const MAX_BODY: usize = 64 << 20;

/// A simulator that is being served. It stops when this goes.
#[derive(Debug)]
pub struct Running<S = Simulator> {
    /// Where it listens.
    pub address: SocketAddr,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The simulator.
    pub simulator: Arc<S>,
    task: JoinHandle<()>,
}

impl<S> Running<S> {
    /// Its root.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }
}

impl<S> Drop for Running<S> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A certificate of an authority of its own.
#[derive(Debug)]
pub struct Tls {
    /// The authority's certificate, in PEM: what a client must trust.
    pub authority: String,
    acceptor: Arc<rustls::ServerConfig>,
}

impl Tls {
    /// Makes a certificate for these names.
    pub fn for_names(names: &[&str]) -> Result<Self, String> {
        let failed = |error: rcgen::Error| error.to_string();
        let authority_key = rcgen::KeyPair::generate().map_err(failed)?;
        let mut authority = rcgen::CertificateParams::new(Vec::new()).map_err(failed)?;
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        authority.distinguished_name.push(rcgen::DnType::CommonName, "Connectome simulator");
        let authority_certificate = authority.self_signed(&authority_key).map_err(failed)?;
        let issuer = rcgen::Issuer::new(authority, authority_key);
        let key = rcgen::KeyPair::generate().map_err(failed)?;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate =
            rcgen::CertificateParams::new(names).and_then(|params| params.signed_by(&key, &issuer)).map_err(failed)?;
        let chain = vec![certificate.der().clone()];
        let secret = rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
            .map_err(|error| error.to_string())?;
        Ok(Self { authority: authority_certificate.pem(), acceptor: Arc::new(config) })
    }
}

/// Serves a simulator until the returned value goes.
pub async fn serve<S: Respond>(simulator: S, address: SocketAddr, tls: Option<&Tls>) -> io::Result<Running<S>> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let simulator = Arc::new(simulator);
    let acceptor = tls.map(|tls| tokio_rustls::TlsAcceptor::from(tls.acceptor.clone()));
    let scheme = if tls.is_some() { "https" } else { "http" };
    let task = tokio::spawn(accept(listener, simulator.clone(), acceptor));
    Ok(Running { address, scheme, simulator, task })
}

async fn accept<S: Respond>(listener: TcpListener, simulator: Arc<S>, acceptor: Option<tokio_rustls::TlsAcceptor>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let simulator = simulator.clone();
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // A connection that breaks is the client's business.
            let _ = stream.set_nodelay(true);
            if simulator.resets() {
                // With no time to linger, closing sends a reset rather than a farewell.
                #[allow(deprecated)]
                let _ = stream.set_linger(Some(Duration::ZERO));
            }
            match acceptor {
                None => converse(stream, simulator).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        converse(stream, simulator).await;
                    }
                }
            }
        });
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, simulator: Arc<impl Respond>) {
    let service = service_fn(move |request| {
        let simulator = simulator.clone();
        async move { answer(request, simulator).await }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        // As services write them; there are clients that look for no other spelling.
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service)
        .without_shutdown();
    if let Err(error) = connection.await {
        // The answer was to break off.
        drop(error);
    }
}

/// A body at once, or in pieces.
type Body = Either<Full<Bytes>, StreamBody<ReceiverStream>>;

async fn answer(
    request: hyper::Request<Incoming>,
    simulator: Arc<impl Respond>,
) -> Result<hyper::Response<Body>, io::Error> {
    let (parts, body) = request.into_parts();
    let body =
        Limited::new(body, MAX_BODY).collect().await.map_err(|error| io::Error::other(error.to_string()))?.to_bytes();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let decode =
        |text: &str| percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let query = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect();
    let request = Request { method: parts.method.to_string(), path: parts.uri.path().to_owned(), query, headers, body };
    match simulator.clone().stream(&request) {
        Some(pieces) => stream(pieces),
        None => send(simulator.respond(&request)).await,
    }
}

fn stream(pieces: Pieces) -> Result<hyper::Response<Body>, io::Error> {
    Ok(hyper::Response::new(in_pieces(|sender| async move {
        for piece in pieces {
            if sender.send(Ok(Frame::data(piece))).await.is_err() {
                break;
            }
        }
    })))
}

type Piece = Result<Frame<Bytes>, io::Error>;

/// A body whose pieces come when somebody sends them.
fn in_pieces<F: Future<Output = ()> + Send + 'static>(send: impl FnOnce(mpsc::Sender<Piece>) -> F) -> Body {
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(send(sender));
    Either::Right(StreamBody::new(ReceiverStream(receiver)))
}

async fn send(reply: Reply) -> Result<hyper::Response<Body>, io::Error> {
    let broken = || io::Error::other("the connection is cut on purpose");
    let mut response = hyper::Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    if reply.status != 204 {
        response = response.header("Content-Length", reply.body.len());
    }
    match reply.manner {
        Manner::Reset => return Err(broken()),
        // Of an answer without a body the half is no answer.
        Manner::Torn if reply.body.is_empty() => return Err(broken()),
        Manner::Late(time) => tokio::time::sleep(time).await,
        // Nor is there a part of it to come early.
        Manner::Dripping(time) if reply.body.is_empty() => tokio::time::sleep(time).await,
        _ => {}
    }
    let body = reply.body;
    let body = match reply.manner {
        Manner::Torn => in_pieces(|sender| async move {
            let half = body.slice(..body.len() / 2);
            let _ = sender.send(Ok(Frame::data(half))).await;
            // What has not left when the connection breaks never leaves.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let _ = sender.send(Err(broken())).await;
        }),
        Manner::Dripping(time) => in_pieces(|sender| async move {
            let size = body.len().div_ceil(20).max(1);
            let pieces: Vec<Bytes> = body.chunks(size).map(Bytes::copy_from_slice).collect();
            let pause = time / u32::try_from(pieces.len().max(1)).unwrap_or(1);
            for piece in pieces {
                tokio::time::sleep(pause).await;
                if sender.send(Ok(Frame::data(piece))).await.is_err() {
                    break;
                }
            }
        }),
        _ => Either::Left(Full::new(body)),
    };
    response.body(body).map_err(|error| io::Error::other(error.to_string()))
}

/// A channel's receiver as a stream.
#[derive(Debug)]
pub struct ReceiverStream(mpsc::Receiver<Piece>);

impl futures_util::Stream for ReceiverStream {
    type Item = Piece;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}
