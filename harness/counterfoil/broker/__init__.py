"""A Pact Broker, as a source of facts and a place to publish to."""
