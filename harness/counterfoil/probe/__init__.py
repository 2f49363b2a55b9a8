"""Finds payloads on which programs disagree, and shrinks, names and replays them."""
