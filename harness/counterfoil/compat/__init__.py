"""What changed between two schemas, and whom it breaks: rules over resolved descriptor sets. Pure."""
