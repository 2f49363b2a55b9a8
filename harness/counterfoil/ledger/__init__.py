"""The ledger: the record of versions, pacts, schemas, verifications and deployments, in SQLite or PostgreSQL."""
