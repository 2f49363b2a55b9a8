//! What the shop sells.

mod seed;

use crate::domain::{Availability, Product, Query};

/// The ranker refuses more candidates than this.
const MAX_CANDIDATES: usize = 500;

#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    products: Vec<Product>,
}

impl Catalogue {
    #[must_use]
    pub fn new(products: Vec<Product>) -> Self {
        Catalogue { products }
    }

    #[must_use]
    pub fn seeded() -> Self {
        Catalogue::new(seed::products())
    }

    /// What may be recommended at all; the most popular ones when there are more than can be ranked.
    #[must_use]
    pub fn candidates(&self, query: &Query) -> Vec<Product> {
        let mut candidates: Vec<Product> = self
            .products
            .iter()
            .filter(|product| product.availability != Availability::Discontinued)
            .filter(|product| query.categories.is_empty() || query.categories.contains(&product.category))
            .cloned()
            .collect();
        if candidates.len() > MAX_CANDIDATES {
            candidates.sort_by(|a, b| b.popularity.total_cmp(&a.popularity));
            candidates.truncate(MAX_CANDIDATES);
        }
        candidates
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn query(categories: &[&str]) -> Query {
        let categories = categories.iter().map(|category| (*category).to_owned()).collect();
        Query::new(None, None, categories).expect("valid")
    }

    #[test]
    fn the_seed_has_every_kind_of_product() {
        let products = Catalogue::seeded().products;
        let ids: BTreeSet<i64> = products.iter().map(|product| product.id).collect();
        let categories: BTreeSet<&str> = products.iter().map(|product| product.category.as_str()).collect();
        assert_eq!((products.len(), ids.len(), categories.len()), (12, 12, 4));
        assert!(ids.iter().all(|id| *id > 1 << 53));
        assert!(products.iter().any(|product| product.discount == Some(0.0)));
        assert!(products.iter().any(|product| product.discount.is_none()));
        assert!(products.iter().any(|product| product.availability == Availability::Backorder));
        assert!(products.iter().all(|product| (0.0..=1.0).contains(&product.popularity)));
    }

    #[test]
    fn discontinued_products_are_no_candidates() {
        let catalogue = Catalogue::seeded();
        let candidates = catalogue.candidates(&query(&[]));
        assert_eq!(candidates.len(), catalogue.products.len() - 1);
        assert!(candidates.iter().all(|product| product.availability != Availability::Discontinued));
    }

    #[test]
    fn categories_narrow_the_candidates() {
        let catalogue = Catalogue::seeded();
        let names = |categories| catalogue.candidates(&query(categories)).into_iter().map(|product| product.category);
        assert_eq!(names(&["books"]).collect::<BTreeSet<_>>(), BTreeSet::from(["books".to_owned()]));
        assert_eq!(names(&["books", "toys"]).collect::<BTreeSet<_>>().len(), 2);
        assert_eq!(names(&["Books"]).count(), 0);
    }

    #[test]
    fn the_most_popular_remain_when_there_are_too_many() {
        let product = Catalogue::seeded().products.remove(0);
        let rising = (0..501_i32).map(|n| Product { popularity: f64::from(n) / 1000.0, ..product.clone() }).collect();
        let candidates = Catalogue::new(rising).candidates(&query(&[]));
        assert_eq!(candidates.len(), 500);
        assert!(candidates.iter().all(|product| product.popularity > 0.0));
    }
}
