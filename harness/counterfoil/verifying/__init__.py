"""Providers: started, verified against their pacts by Pact's verifier, and asked what a pact allows."""
