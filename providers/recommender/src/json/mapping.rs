//! Between the JSON messages and what the service thinks in.

use super::{
    Candidate, GetRecommendationsRequest, GetRecommendationsResponse, Money, Product, Recommendation,
    ScoreCandidatesRequest, ScoreCandidatesResponse, UserContext,
};
use crate::domain::{self, InvalidArgument, Query, RecommendationList};

impl TryFrom<GetRecommendationsRequest> for Query {
    type Error = InvalidArgument;

    fn try_from(request: GetRecommendationsRequest) -> Result<Self, InvalidArgument> {
        Query::new(request.user_context.map(Into::into), request.limit, request.categories)
    }
}

impl From<UserContext> for domain::UserContext {
    fn from(UserContext { user_id, locale, attributes }: UserContext) -> Self {
        domain::UserContext { user_id, locale, attributes }
    }
}

impl From<RecommendationList> for GetRecommendationsResponse {
    fn from(list: RecommendationList) -> Self {
        GetRecommendationsResponse {
            request_id: list.request_id,
            recommendations: list.recommendations.into_iter().map(Into::into).collect(),
            generated_at: prost_types::Timestamp::from(list.generated_at).to_string(),
        }
    }
}

impl From<domain::Recommendation> for Recommendation {
    fn from(recommendation: domain::Recommendation) -> Self {
        Recommendation {
            product: Some(recommendation.product.into()),
            score: recommendation.score,
            confidence: recommendation.confidence,
            reason: recommendation.reason,
        }
    }
}

impl From<domain::Product> for Product {
    fn from(product: domain::Product) -> Self {
        Product {
            id: product.id,
            name: product.name,
            category: product.category,
            price: Some(product.price.into()),
            discount: product.discount,
            availability: product.availability,
        }
    }
}

impl From<domain::Money> for Money {
    fn from(domain::Money { currency_code, units, nanos }: domain::Money) -> Self {
        Money { currency_code, units, nanos }
    }
}

impl ScoreCandidatesRequest {
    #[must_use]
    pub fn new(user_id: Option<i64>, candidates: &[domain::Product]) -> Self {
        ScoreCandidatesRequest { user_id, candidates: candidates.iter().map(Into::into).collect() }
    }
}

impl From<&domain::Product> for Candidate {
    fn from(product: &domain::Product) -> Self {
        Candidate {
            product_id: product.id,
            category: product.category.clone(),
            price: Some(product.price.clone().into()),
            discount: product.discount,
            availability: product.availability,
        }
    }
}

impl From<ScoreCandidatesResponse> for Vec<domain::Score> {
    fn from(response: ScoreCandidatesResponse) -> Self {
        let scores = response.scores.into_iter().map(|scored| domain::Score {
            product_id: scored.product_id,
            score: scored.score,
            confidence: scored.confidence,
            explanation: scored.explanation,
        });
        scores.collect()
    }
}
