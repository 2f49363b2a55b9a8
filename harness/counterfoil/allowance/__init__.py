"""What a pact allows the other side to send: a model of Pact's matching, and the presence states that follow. Pure."""
