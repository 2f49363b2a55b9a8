"""A run: its plan of cases, its shards, its events, its findings as JSON, and which of them are waived. Pure."""
