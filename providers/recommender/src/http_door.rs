//! `POST /v1/recommendations` and `GET /healthz`.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;

use crate::domain::{Channel, InvalidArgument, Query};
use crate::json::{self, DecodeError, ErrorBody, ErrorDetail, GetRecommendationsRequest, GetRecommendationsResponse};
use crate::service::SharedRecommender;

const MAX_REQUEST_BYTES: usize = 1024 * 1024;

/// Longer than any answer takes; it ends requests whose body never comes.
const REQUEST_DEADLINE: Duration = Duration::from_secs(10);

/// `more` is what other modules serve at the same port.
pub fn router(recommender: SharedRecommender, more: Router) -> Router {
    Router::new()
        .route("/v1/recommendations", post(recommendations))
        .route("/healthz", get(healthz))
        .with_state(recommender)
        .merge(more)
        .fallback(|| async { HttpError::new(StatusCode::NOT_FOUND, "NOT_FOUND", "there is nothing at this path") })
        .method_not_allowed_fallback(|| async {
            HttpError::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "this path takes another method")
        })
        .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
        .layer(middleware::from_fn(end_late_requests))
}

/// A body as the limits let it through.
pub type Body = Result<Bytes, BytesRejection>;

/// An error as the caller sees it.
#[derive(Debug)]
pub struct HttpError {
    status: StatusCode,
    body: ErrorBody,
}

impl HttpError {
    #[must_use]
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let error = ErrorDetail { code: code.to_owned(), message: message.into() };
        HttpError { status, body: ErrorBody { error } }
    }

    #[must_use]
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        HttpError::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message)
    }
}

impl From<InvalidArgument> for HttpError {
    fn from(error: InvalidArgument) -> Self {
        HttpError::invalid_argument(error.to_string())
    }
}

impl From<DecodeError> for HttpError {
    fn from(error: DecodeError) -> Self {
        HttpError::invalid_argument(error.to_string())
    }
}

impl From<BytesRejection> for HttpError {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => HttpError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "PAYLOAD_TOO_LARGE",
                format!("a body has at most {MAX_REQUEST_BYTES} bytes"),
            ),
            _ => HttpError::invalid_argument("the body could not be read to its end"),
        }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        (self.status, json_body(&self.body)).into_response()
    }
}

/// An answer in JSON.
pub fn json_body(message: &impl Serialize) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], json::encode(message)).into_response()
}

async fn recommendations(
    State(recommender): State<SharedRecommender>,
    body: Body,
) -> Result<impl IntoResponse, HttpError> {
    let request: GetRecommendationsRequest = json::decode(&body?)?;
    let query = Query::try_from(request)?;
    let list = recommender.current().recommend(&query, Channel::Http).await;
    Ok(json_body(&GetRecommendationsResponse::from(list)))
}

async fn healthz() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], r#"{"status":"ok"}"#)
}

async fn end_late_requests(request: Request, next: Next) -> Response {
    let late = || HttpError::new(StatusCode::REQUEST_TIMEOUT, "DEADLINE_EXCEEDED", "the request took too long");
    match tokio::time::timeout(REQUEST_DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => late().into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http_client::{HttpAnswer, HttpClient};
    use crate::service::tests::popular_only;
    use axum::http::Uri;
    use tokio::net::TcpListener;

    async fn post_to(path: &str, body: &[u8]) -> HttpAnswer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url: Uri = format!("http://{}{path}", listener.local_addr().expect("bound")).parse().expect("a URL");
        let router = router(SharedRecommender::new(popular_only()), Router::new());
        let server = tokio::spawn(async { axum::serve(listener, router).await });
        let answer = HttpClient::new(Duration::from_secs(5)).post_json(&url, body.to_vec()).await;
        server.abort();
        answer.expect("an answer")
    }

    async fn code_of(path: &str, body: &[u8]) -> (u16, String) {
        let answer = post_to(path, body).await;
        let ErrorBody { error } = json::decode(&answer.body).expect("an error body");
        (answer.status.as_u16(), error.code)
    }

    #[tokio::test]
    async fn recommendations_are_served() {
        let answer = post_to("/v1/recommendations", br#"{"categories":["books"],"limit":2}"#).await;
        assert_eq!(answer.status, StatusCode::OK);
        let response: GetRecommendationsResponse = json::decode(&answer.body).expect("a response");
        let products: Vec<_> = response.recommendations.into_iter().filter_map(|shown| shown.product).collect();
        assert_eq!(products.iter().map(|product| product.discount).collect::<Vec<_>>(), [Some(0.2), None]);
    }

    #[tokio::test]
    async fn every_error_has_its_code() {
        let invalid = (400, "INVALID_ARGUMENT".to_owned());
        for body in [r#"{"limit":0}"#, "{", "[]", "", r#"{"userContext":{"userId":"0"}}"#] {
            assert_eq!(code_of("/v1/recommendations", body.as_bytes()).await, invalid, "{body}");
        }
        let large = vec![b' '; MAX_REQUEST_BYTES + 1];
        assert_eq!(code_of("/v1/recommendations", &large).await, (413, "PAYLOAD_TOO_LARGE".to_owned()));
        assert_eq!(code_of("/v1/nothing", b"{}").await, (404, "NOT_FOUND".to_owned()));
        assert_eq!(code_of("/_pact/provider-states", b"{}").await, (404, "NOT_FOUND".to_owned()));
        assert_eq!(code_of("/healthz", b"{}").await, (405, "METHOD_NOT_ALLOWED".to_owned()));
    }
}
