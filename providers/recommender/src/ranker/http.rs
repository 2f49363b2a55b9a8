use async_trait::async_trait;
use axum::http::{StatusCode, Uri};

use super::{RANKER_DEADLINE, Ranker, RankerError, finite};
use crate::domain::{Product, Score};
use crate::http_client::{HttpAnswer, HttpClient, HttpError};
use crate::json::{self, ErrorBody, ScoreCandidatesRequest, ScoreCandidatesResponse};

/// `POST /v1/scores`.
#[derive(Debug, Clone)]
pub struct HttpRanker {
    client: HttpClient,
    scores_url: Uri,
}

impl HttpRanker {
    /// `base_url` is the ranker's address, with or without a slash at its end.
    ///
    /// # Panics
    /// When `base_url` has no scheme or no host; the configuration lets no such URL through.
    #[must_use]
    pub fn new(base_url: &Uri) -> Self {
        let mut parts = base_url.clone().into_parts();
        let path = format!("{}/v1/scores", base_url.path().trim_end_matches('/'));
        parts.path_and_query = path.parse().ok();
        let scores_url = Uri::from_parts(parts).expect("a base URL has a scheme and a host");
        HttpRanker { client: HttpClient::new(RANKER_DEADLINE), scores_url }
    }
}

#[async_trait]
impl Ranker for HttpRanker {
    async fn score(&self, user_id: Option<i64>, candidates: &[Product]) -> Result<Vec<Score>, RankerError> {
        let request = ScoreCandidatesRequest::new(user_id, candidates);
        let answer =
            self.client.post_json(&self.scores_url, json::encode(&request)).await.map_err(|error| match error {
                HttpError::Unreadable(cause) => RankerError::Unreadable(cause),
                other => RankerError::Unavailable(other.to_string()),
            })?;
        read_scores(&answer)
    }
}

fn read_scores(answer: &HttpAnswer) -> Result<Vec<Score>, RankerError> {
    match answer.status {
        StatusCode::OK => {
            let response: ScoreCandidatesResponse =
                json::decode(&answer.body).map_err(|error| RankerError::Unreadable(error.to_string()))?;
            finite(response.into())
        }
        status if status.is_client_error() => Err(RankerError::Refused(refusal(answer))),
        status if status.is_server_error() => Err(RankerError::Unavailable(status.to_string())),
        status => Err(RankerError::Unreadable(format!("unexpected status {status}"))),
    }
}

fn refusal(answer: &HttpAnswer) -> String {
    match json::decode::<ErrorBody>(&answer.body) {
        Ok(ErrorBody { error }) => format!("{}: {}", error.code, error.message),
        Err(_) => answer.status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Bytes;

    fn read(status: u16, body: &'static str) -> Result<Vec<Score>, RankerError> {
        let status = StatusCode::from_u16(status).expect("a status");
        read_scores(&HttpAnswer { status, body: Bytes::from_static(body.as_bytes()) })
    }

    #[test]
    fn scores_are_read_in_every_state_of_their_optional_fields() {
        let body = r#"{"modelVersion":"linear-1","scores":[
            {"productId":"9007199254740993","score":0.5,"confidence":0.0,"explanation":""},
            {"productId":9007199254740995,"score":1,"confidence":null,"explanation":null,"later":true},
            {"productId":"3"}]}"#;
        let scores = read(200, body).expect("readable");
        let seen: Vec<_> = scores.iter().map(|s| (s.product_id, s.confidence, s.explanation.as_deref())).collect();
        let expected =
            [(9_007_199_254_740_993, Some(0.0), Some("")), (9_007_199_254_740_995, None, None), (3, None, None)];
        assert_eq!(seen, expected);
    }

    #[test]
    fn the_path_is_added_to_the_base_url() {
        for (base_url, expected) in [
            ("http://ranker:4003", "http://ranker:4003/v1/scores"),
            ("http://ranker:4003/", "http://ranker:4003/v1/scores"),
            ("http://gateway/ranker?x=1", "http://gateway/ranker/v1/scores"),
        ] {
            assert_eq!(HttpRanker::new(&base_url.parse().expect("a URL")).scores_url, expected);
        }
    }

    #[test]
    fn answers_fall_into_kinds_by_status_and_body() {
        let refused = read(400, r#"{"error":{"code":"INVALID_ARGUMENT","message":"no candidates"}}"#);
        assert_eq!(refused, Err(RankerError::Refused("INVALID_ARGUMENT: no candidates".to_owned())));
        assert_eq!(read(404, "<html>"), Err(RankerError::Refused("404 Not Found".to_owned())));
        assert_eq!(read(503, ""), Err(RankerError::Unavailable("503 Service Unavailable".to_owned())));
        assert!(matches!(read(204, ""), Err(RankerError::Unreadable(_))));
        for body in ["", "[]", "null", r#"{"scores":[{"productId":"1","score":null}]}"#, r#"{"scores":[["1",0.5]]}"#] {
            assert!(matches!(read(200, body), Err(RankerError::Unreadable(_))), "{body}");
        }
    }
}
