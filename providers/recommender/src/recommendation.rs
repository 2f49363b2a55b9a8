//! From candidates and scores to an order.

use std::collections::HashMap;

use crate::domain::{Product, Recommendation, Score};

const POPULARITY_REASON: &str = "Popular right now";

/// The scored candidates, best first. Candidates without a score are left out: the ranker advises against them.
#[must_use]
pub fn by_score(candidates: Vec<Product>, scores: Vec<Score>, limit: usize) -> Vec<Recommendation> {
    let mut scores: HashMap<i64, Score> = scores.into_iter().map(|score| (score.product_id, score)).collect();
    let recommendations = candidates.into_iter().filter_map(|product| {
        let Score { score, confidence, explanation, .. } = scores.remove(&product.id)?;
        Some(Recommendation { product, score, confidence, reason: explanation })
    });
    best_first(recommendations.collect(), limit)
}

/// What to show when no model scored anything.
#[must_use]
pub fn by_popularity(candidates: Vec<Product>, limit: usize) -> Vec<Recommendation> {
    let popular = candidates.into_iter().map(|product| Recommendation {
        score: product.popularity,
        confidence: None,
        reason: Some(POPULARITY_REASON.to_owned()),
        product,
    });
    best_first(popular.collect(), limit)
}

fn best_first(mut recommendations: Vec<Recommendation>, limit: usize) -> Vec<Recommendation> {
    recommendations.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.product.id.cmp(&b.product.id)));
    recommendations.truncate(limit);
    recommendations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Availability, Money};

    fn product(id: i64, popularity: f64) -> Product {
        Product {
            id,
            name: format!("Product {id}"),
            category: "books".to_owned(),
            price: Money { currency_code: "EUR".to_owned(), units: 1, nanos: 0 },
            discount: None,
            availability: Availability::InStock,
            popularity,
        }
    }

    fn score(product_id: i64, score: f64) -> Score {
        Score { product_id, score, confidence: None, explanation: None }
    }

    fn ids(recommendations: &[Recommendation]) -> Vec<i64> {
        recommendations.iter().map(|recommendation| recommendation.product.id).collect()
    }

    #[test]
    fn the_best_score_comes_first_and_ties_go_by_id() {
        let candidates = vec![product(3, 0.0), product(1, 0.0), product(2, 0.0), product(4, 0.0)];
        let scores = vec![score(1, 0.5), score(2, 0.9), score(3, 0.5), score(4, -1.0)];
        assert_eq!(ids(&by_score(candidates.clone(), scores.clone(), 10)), [2, 1, 3, 4]);
        assert_eq!(ids(&by_score(candidates, scores, 2)), [2, 1]);
    }

    #[test]
    fn unscored_candidates_and_unknown_scores_are_left_out() {
        let recommendations = by_score(vec![product(1, 0.0), product(2, 0.0)], vec![score(2, 0.1), score(7, 0.9)], 10);
        assert_eq!(ids(&recommendations), [2]);
    }

    #[test]
    fn confidence_and_explanation_are_passed_on_in_each_state() {
        let told = Score { confidence: Some(0.0), explanation: Some(String::new()), ..score(1, 0.5) };
        let recommendations = by_score(vec![product(1, 0.0), product(2, 0.0)], vec![told, score(2, 0.1)], 10);
        assert_eq!((recommendations[0].confidence, recommendations[0].reason.as_deref()), (Some(0.0), Some("")));
        assert_eq!((recommendations[1].confidence, recommendations[1].reason.as_deref()), (None, None));
    }

    #[test]
    fn popularity_is_the_last_resort() {
        let recommendations = by_popularity(vec![product(1, 0.2), product(2, 0.8)], 10);
        assert_eq!(ids(&recommendations), [2, 1]);
        assert!((recommendations[0].score - 0.8).abs() < f64::EPSILON);
        assert_eq!(recommendations[0].confidence, None);
        assert_eq!(recommendations[0].reason.as_deref(), Some("Popular right now"));
    }
}
