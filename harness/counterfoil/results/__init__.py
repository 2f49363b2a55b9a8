"""Results that are kept under keys, and which of them a change may affect."""
