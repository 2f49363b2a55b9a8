//! The shop's own assortment. The ids lie just above 2^53 and next to each other, where a double can no longer tell
//! two of them apart.

use crate::domain::{Availability, Money, Product};

struct Row(i64, &'static str, &'static str, (i64, i32), Option<f64>, Availability, f64);

use Availability::{Backorder, Discontinued, InStock};

#[rustfmt::skip]
const ROWS: [Row; 12] = [
    Row(9_007_199_254_740_993, "The Night Gardener",      "books",   (18, 900_000_000), Some(0.2),  InStock,      0.91),
    Row(9_007_199_254_740_994, "A Short History of Maps", "books",   (24, 0),           None,       InStock,      0.64),
    Row(9_007_199_254_740_995, "Salt and Sky",            "books",   (12, 500_000_000), Some(0.0),  Backorder,    0.38),
    Row(9_007_199_254_740_996, "Cast Iron Pan 28 cm",     "kitchen", (59, 950_000_000), Some(0.15), InStock,      0.87),
    Row(9_007_199_254_740_997, "Chef's Knife",            "kitchen", (89, 0),           None,       InStock,      0.72),
    Row(9_007_199_254_740_998, "Espresso Cups, Set of 4", "kitchen", (22, 490_000_000), Some(0.3),  InStock,      0.55),
    Row(9_007_199_254_740_999, "Secateurs",               "garden",  (34, 990_000_000), None,       InStock,      0.49),
    Row(9_007_199_254_741_000, "Terracotta Pot 20 cm",    "garden",  (9, 990_000_000),  Some(0.1),  InStock,      0.41),
    Row(9_007_199_254_741_001, "Rain Barrel 200 l",       "garden",  (119, 0),          Some(0.25), Discontinued, 0.22),
    Row(9_007_199_254_741_002, "Wooden Train Set",        "toys",    (44, 900_000_000), Some(0.2),  InStock,      0.78),
    Row(9_007_199_254_741_003, "Marble Run",              "toys",    (39, 950_000_000), None,       Backorder,    0.58),
    Row(9_007_199_254_741_004, "Star Projector",          "toys",    (27, 0),           Some(0.5),  InStock,      0.33),
];

pub fn products() -> Vec<Product> {
    ROWS.iter()
        .map(|Row(id, name, category, (units, nanos), discount, availability, popularity)| Product {
            id: *id,
            name: (*name).to_owned(),
            category: (*category).to_owned(),
            price: Money { currency_code: "EUR".to_owned(), units: *units, nanos: *nanos },
            discount: *discount,
            availability: *availability,
            popularity: *popularity,
        })
        .collect()
}
