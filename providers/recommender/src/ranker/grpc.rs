use async_trait::async_trait;
use axum::http::Uri;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use super::{RANKER_DEADLINE, Ranker, RankerError, finite};
use crate::domain::{Product, Score};
use crate::schema::ranking_service_client::RankingServiceClient;
use crate::schema::{Candidate, ScoreCandidatesRequest, ScoredCandidate};

const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// `shop.v1.RankingService`.
#[derive(Debug, Clone)]
pub struct GrpcRanker {
    client: RankingServiceClient<Channel>,
}

impl GrpcRanker {
    /// Connects with the first request, and anew whenever the connection was lost.
    #[must_use]
    pub fn new(url: &Uri) -> Self {
        let channel = Endpoint::from(url.clone()).timeout(RANKER_DEADLINE).connect_lazy();
        GrpcRanker { client: RankingServiceClient::new(channel).max_decoding_message_size(MAX_ANSWER_BYTES) }
    }
}

#[async_trait]
impl Ranker for GrpcRanker {
    async fn score(&self, user_id: Option<i64>, candidates: &[Product]) -> Result<Vec<Score>, RankerError> {
        let candidates = candidates.iter().map(Into::into).collect();
        let mut client = self.client.clone();
        let exchange = client.score_candidates(ScoreCandidatesRequest { user_id, candidates });
        // The endpoint's own timeout begins when there is a connection; this one covers connecting too.
        let answer = tokio::time::timeout(RANKER_DEADLINE, exchange)
            .await
            .map_err(|_| RankerError::Unavailable(format!("no answer within {RANKER_DEADLINE:?}")))?
            .map_err(|status| match status.code() {
                Code::InvalidArgument => RankerError::Refused(status.message().to_owned()),
                code => RankerError::Unavailable(format!("{code:?}: {}", status.message())),
            })?;
        finite(answer.into_inner().scores.into_iter().map(Into::into).collect())
    }
}

impl From<&Product> for Candidate {
    fn from(product: &Product) -> Self {
        Candidate {
            product_id: product.id,
            category: product.category.clone(),
            price: Some(product.price.clone()),
            discount: product.discount,
            availability: product.availability.into(),
        }
    }
}

impl From<ScoredCandidate> for Score {
    fn from(scored: ScoredCandidate) -> Self {
        Score {
            product_id: scored.product_id,
            score: scored.score,
            confidence: scored.confidence,
            explanation: scored.explanation,
        }
    }
}
