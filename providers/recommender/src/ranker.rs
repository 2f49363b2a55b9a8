//! Asking the ranker, over either transport.

mod grpc;
mod http;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

pub use self::grpc::GrpcRanker;
pub use self::http::HttpRanker;
use crate::domain::{Product, Score};

/// A customer waits for this: better the popular products soon than the best ones late.
pub const RANKER_DEADLINE: Duration = Duration::from_secs(2);

#[async_trait]
pub trait Ranker: Send + Sync {
    /// One score for each candidate that may be shown, in no particular order.
    async fn score(&self, user_id: Option<i64>, candidates: &[Product]) -> Result<Vec<Score>, RankerError>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RankerError {
    Unavailable(String),
    /// The ranker finds the request wrong.
    Refused(String),
    Unreadable(String),
}

impl fmt::Display for RankerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RankerError::Unavailable(cause) => write!(formatter, "the ranker is unavailable: {cause}"),
            RankerError::Refused(cause) => write!(formatter, "the ranker refused the request: {cause}"),
            RankerError::Unreadable(cause) => write!(formatter, "the ranker's answer makes no sense: {cause}"),
        }
    }
}

impl std::error::Error for RankerError {}

/// Binary protobuf can carry what JSON cannot: a score that is no number has no place in an order.
fn finite(scores: Vec<Score>) -> Result<Vec<Score>, RankerError> {
    let is_finite = |score: &Score| score.score.is_finite() && score.confidence.is_none_or(f64::is_finite);
    match scores.iter().find(|score| !is_finite(score)) {
        Some(score) => Err(RankerError::Unreadable(format!("product {} has no finite score", score.product_id))),
        None => Ok(scores),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(score: f64, confidence: Option<f64>) -> Vec<Score> {
        vec![Score { product_id: 1, score, confidence, explanation: None }]
    }

    #[test]
    fn scores_must_be_numbers() {
        assert!(finite(scored(0.5, None)).is_ok());
        assert!(finite(scored(-0.0, Some(0.0))).is_ok());
        assert!(finite(scored(f64::NAN, None)).is_err());
        assert!(finite(scored(f64::INFINITY, None)).is_err());
        assert!(finite(scored(0.5, Some(f64::NAN))).is_err());
    }
}
