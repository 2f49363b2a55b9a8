//! The business function behind both doors.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use crate::catalogue::Catalogue;
use crate::domain::{Channel, Product, Query, Recommendation, RecommendationList};
use crate::events::{EventSink, recommendation_served};
use crate::log::note;
use crate::ranker::{Ranker, RankerError};
use crate::recommendation::{by_popularity, by_score};

#[derive(Clone)]
pub struct Recommender {
    pub catalogue: Arc<Catalogue>,
    pub http_ranker: Arc<dyn Ranker>,
    pub grpc_ranker: Arc<dyn Ranker>,
    pub events: Arc<dyn EventSink>,
}

impl Recommender {
    /// Asks the ranker over the transport by which the request came; does without it when it does not answer.
    pub async fn recommend(&self, query: &Query, channel: Channel) -> RecommendationList {
        let candidates = self.catalogue.candidates(query);
        let list = RecommendationList {
            request_id: Uuid::new_v4().to_string(),
            recommendations: self.rank(candidates, query, channel).await,
            generated_at: now(),
        };
        if let Some(event) = recommendation_served(Uuid::new_v4(), &list, query, channel) {
            self.events.emit(event);
        }
        list
    }

    async fn rank(&self, candidates: Vec<Product>, query: &Query, channel: Channel) -> Vec<Recommendation> {
        if candidates.is_empty() {
            return Vec::new();
        }
        match self.scored(&candidates, query, channel).await {
            Ok(recommendations) => recommendations,
            Err(error) => {
                note(format_args!("{error}; showing popular products"));
                by_popularity(candidates, query.limit)
            }
        }
    }

    async fn scored(
        &self,
        candidates: &[Product],
        query: &Query,
        channel: Channel,
    ) -> Result<Vec<Recommendation>, RankerError> {
        let ranker = if channel == Channel::Grpc { &self.grpc_ranker } else { &self.http_ranker };
        let scores = ranker.score(query.user_id(), candidates).await?;
        let recommendations = by_score(candidates.to_vec(), scores, query.limit);
        if recommendations.is_empty() {
            return Err(RankerError::Unreadable(format!("it scores none of {} candidates", candidates.len())));
        }
        Ok(recommendations)
    }
}

/// Milliseconds are enough for people, and every language can hold them.
fn now() -> SystemTime {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let whole_ms = Duration::new(since_epoch.as_secs(), since_epoch.subsec_millis() * 1_000_000);
    SystemTime::UNIX_EPOCH + whole_ms
}

/// The recommender that both doors use; provider states exchange it.
#[derive(Clone)]
pub struct SharedRecommender(Arc<RwLock<Arc<Recommender>>>);

impl SharedRecommender {
    #[must_use]
    pub fn new(recommender: Recommender) -> Self {
        SharedRecommender(Arc::new(RwLock::new(Arc::new(recommender))))
    }

    #[must_use]
    pub fn current(&self) -> Arc<Recommender> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn replace(&self, recommender: Recommender) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(recommender);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::Score;
    use crate::json::RecommendationServed;
    use async_trait::async_trait;
    use std::sync::Mutex;

    type Asked = (Option<i64>, usize);

    #[derive(Default)]
    struct RecordingRanker {
        asked: Mutex<Vec<Asked>>,
        answer: Option<Vec<Score>>,
    }

    #[async_trait]
    impl Ranker for RecordingRanker {
        async fn score(&self, user_id: Option<i64>, candidates: &[Product]) -> Result<Vec<Score>, RankerError> {
            self.asked.lock().expect("lock").push((user_id, candidates.len()));
            self.answer.clone().ok_or_else(|| RankerError::Unavailable("down".to_owned()))
        }
    }

    #[derive(Default)]
    struct RecordingSink(Mutex<Vec<RecommendationServed>>);

    impl EventSink for RecordingSink {
        fn emit(&self, event: RecommendationServed) {
            self.0.lock().expect("lock").push(event);
        }
    }

    /// A recommender whose ranker is down, for the tests of the doors.
    pub(crate) fn popular_only() -> Recommender {
        fixture(None).recommender
    }

    struct Fixture {
        recommender: Recommender,
        http: Arc<RecordingRanker>,
        grpc: Arc<RecordingRanker>,
        events: Arc<RecordingSink>,
    }

    fn fixture(answer: Option<Vec<Score>>) -> Fixture {
        let http = Arc::new(RecordingRanker { answer, ..RecordingRanker::default() });
        let grpc = Arc::new(RecordingRanker::default());
        let events = Arc::new(RecordingSink::default());
        let recommender = Recommender {
            catalogue: Arc::new(Catalogue::seeded()),
            http_ranker: http.clone(),
            grpc_ranker: grpc.clone(),
            events: events.clone(),
        };
        Fixture { recommender, http, grpc, events }
    }

    fn query(limit: i32, category: &str) -> Query {
        Query::new(None, Some(limit), vec![category.to_owned()]).expect("valid")
    }

    fn score(product_id: i64) -> Score {
        Score { product_id, score: 0.5, confidence: Some(0.4), explanation: Some("20 % off".to_owned()) }
    }

    #[tokio::test]
    async fn the_rankers_scores_decide_and_one_event_tells() {
        let fixture = fixture(Some(vec![score(9_007_199_254_740_995)]));
        let list = fixture.recommender.recommend(&query(5, "books"), Channel::Http).await;
        assert_eq!(list.recommendations.len(), 1);
        assert_eq!(list.recommendations[0].confidence, Some(0.4));
        assert_eq!(*fixture.http.asked.lock().expect("lock"), [(None, 3)]);
        let events = fixture.events.0.lock().expect("lock");
        let told: Vec<_> = events.iter().map(|event| (&event.request_id, event.product_ids.as_slice())).collect();
        assert_eq!(told, [(&list.request_id, [9_007_199_254_740_995].as_slice())]);
    }

    #[tokio::test]
    async fn each_channel_has_its_own_transport() {
        let fixture = fixture(None);
        fixture.recommender.recommend(&query(5, "books"), Channel::Grpc).await;
        assert!(fixture.http.asked.lock().expect("lock").is_empty());
        assert_eq!(fixture.grpc.asked.lock().expect("lock").len(), 1);
        assert_eq!(fixture.events.0.lock().expect("lock")[0].channel, Channel::Grpc);
    }

    #[tokio::test]
    async fn without_usable_scores_popular_products_are_shown() {
        for answer in [None, Some(vec![]), Some(vec![score(1)])] {
            let list = fixture(answer).recommender.recommend(&query(2, "books"), Channel::Http).await;
            assert_eq!(list.recommendations.len(), 2);
            assert_eq!(list.recommendations[0].reason.as_deref(), Some("Popular right now"));
        }
    }

    #[tokio::test]
    async fn nothing_to_recommend_asks_and_tells_nobody() {
        let fixture = fixture(Some(vec![]));
        let list = fixture.recommender.recommend(&query(5, "cars"), Channel::Http).await;
        assert!(list.recommendations.is_empty());
        assert!(fixture.http.asked.lock().expect("lock").is_empty());
        assert!(fixture.events.0.lock().expect("lock").is_empty());
    }
}
