"""The decision: may this version be deployed? Pure: facts and a question in, a decision out."""
