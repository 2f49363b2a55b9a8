//! Posting JSON to other services: every exchange has a deadline, every answer a size limit.

use std::fmt;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Shorter than a server usually keeps an idle connection, so that ours are not closed under our hands.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

#[derive(Debug, Clone)]
pub struct HttpClient {
    client: Client<HttpConnector, Full<Bytes>>,
    deadline: Duration,
}

#[derive(Debug)]
pub struct HttpAnswer {
    pub status: StatusCode,
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum HttpError {
    TimedOut(Duration),
    Unreachable(String),
    Unreadable(String),
}

impl fmt::Display for HttpError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HttpError::TimedOut(deadline) => write!(formatter, "no answer within {deadline:?}"),
            HttpError::Unreachable(cause) => write!(formatter, "cannot be reached: {cause}"),
            HttpError::Unreadable(cause) => write!(formatter, "the answer cannot be read: {cause}"),
        }
    }
}

impl std::error::Error for HttpError {}

impl HttpClient {
    /// `deadline` is for a whole exchange, from connecting to the last byte of the answer.
    #[must_use]
    pub fn new(deadline: Duration) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build_http();
        HttpClient { client, deadline }
    }

    /// # Errors
    /// When no complete answer came in time; an answer with an error status is an answer.
    pub async fn post_json(&self, url: &Uri, body: Vec<u8>) -> Result<HttpAnswer, HttpError> {
        let exchange = self.exchange(url, body);
        tokio::time::timeout(self.deadline, exchange).await.unwrap_or(Err(HttpError::TimedOut(self.deadline)))
    }

    async fn exchange(&self, url: &Uri, body: Vec<u8>) -> Result<HttpAnswer, HttpError> {
        let request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(Full::from(body))
            .map_err(|error| HttpError::Unreachable(error.to_string()))?;
        let answer = self.client.request(request).await.map_err(|error| HttpError::Unreachable(root_cause(&error)))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await;
        let body = body.map_err(|error| HttpError::Unreadable(error.to_string()))?.to_bytes();
        Ok(HttpAnswer { status, body })
    }
}

/// The outer errors of a client only say that it failed.
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
