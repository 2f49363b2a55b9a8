"""Protobuf schemas as frozen values, read from descriptor sets, with the features of every edition resolved. Pure."""
