"""The words of the matter, and what is computed with them alone: workspace, pacts, rules, printable text. Pure."""
