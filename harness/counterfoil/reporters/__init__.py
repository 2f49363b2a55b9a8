"""Reporters fold the events of a run into something to read."""
