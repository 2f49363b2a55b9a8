"""The ranker: says how well each product suits a customer."""
