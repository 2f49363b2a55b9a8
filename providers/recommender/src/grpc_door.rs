//! `shop.v1.RecommendationService`.

use tonic::{Request, Response, Status};

use crate::domain::{self, Channel, InvalidArgument, Query, RecommendationList};
use crate::schema::recommendation_service_server::{RecommendationService, RecommendationServiceServer};
use crate::schema::{GetRecommendationsRequest, GetRecommendationsResponse, Product, Recommendation, UserContext};
use crate::service::SharedRecommender;

const MAX_REQUEST_BYTES: usize = 1024 * 1024;

pub struct GrpcDoor {
    recommender: SharedRecommender,
}

impl GrpcDoor {
    #[must_use]
    pub fn service(recommender: SharedRecommender) -> RecommendationServiceServer<Self> {
        RecommendationServiceServer::new(GrpcDoor { recommender }).max_decoding_message_size(MAX_REQUEST_BYTES)
    }
}

#[tonic::async_trait]
impl RecommendationService for GrpcDoor {
    async fn get_recommendations(
        &self,
        request: Request<GetRecommendationsRequest>,
    ) -> Result<Response<GetRecommendationsResponse>, Status> {
        let query = Query::try_from(request.into_inner())
            .map_err(|error: InvalidArgument| Status::invalid_argument(error.to_string()))?;
        let list = self.recommender.current().recommend(&query, Channel::Grpc).await;
        Ok(Response::new(list.into()))
    }
}

impl TryFrom<GetRecommendationsRequest> for Query {
    type Error = InvalidArgument;

    fn try_from(request: GetRecommendationsRequest) -> Result<Self, InvalidArgument> {
        Query::new(request.user_context.map(Into::into), request.limit, request.categories)
    }
}

impl From<UserContext> for domain::UserContext {
    fn from(UserContext { user_id, locale, attributes }: UserContext) -> Self {
        domain::UserContext { user_id, locale, attributes: attributes.into_iter().collect() }
    }
}

impl From<RecommendationList> for GetRecommendationsResponse {
    fn from(list: RecommendationList) -> Self {
        GetRecommendationsResponse {
            request_id: list.request_id,
            recommendations: list.recommendations.into_iter().map(Into::into).collect(),
            generated_at: Some(list.generated_at.into()),
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
            price: Some(product.price),
            discount: product.discount,
            availability: product.availability.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::tests::popular_only;
    use std::time::SystemTime;
    use tonic::Code;

    async fn ask(request: GetRecommendationsRequest) -> Result<GetRecommendationsResponse, Status> {
        let door = GrpcDoor { recommender: SharedRecommender::new(popular_only()) };
        door.get_recommendations(Request::new(request)).await.map(Response::into_inner)
    }

    #[tokio::test]
    async fn recommendations_are_served() {
        let categories = vec!["books".to_owned()];
        let request = GetRecommendationsRequest { limit: Some(3), categories, ..GetRecommendationsRequest::default() };
        let response = ask(request).await.expect("valid");
        let shown = response.recommendations.iter().filter_map(|shown| shown.product.as_ref());
        let discounts: Vec<_> = shown.map(|product| product.discount).collect();
        assert_eq!(discounts, [Some(0.2), None, Some(0.0)]);
        assert!(response.recommendations.iter().all(|shown| shown.confidence.is_none() && shown.reason.is_some()));
        let generated_at = SystemTime::try_from(response.generated_at.expect("always set")).expect("in range");
        assert!(generated_at <= SystemTime::now());
    }

    #[tokio::test]
    async fn an_absent_limit_is_no_limit_of_zero() {
        assert_eq!(ask(GetRecommendationsRequest::default()).await.expect("valid").recommendations.len(), 10);
        let refused = [
            GetRecommendationsRequest { limit: Some(0), ..GetRecommendationsRequest::default() },
            GetRecommendationsRequest { user_context: Some(UserContext::default()), ..Default::default() },
        ];
        for request in refused {
            assert_eq!(ask(request).await.expect_err("refused").code(), Code::InvalidArgument);
        }
    }
}
