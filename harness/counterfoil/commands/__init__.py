"""The commands: they read options, fold events into a report, and print."""
