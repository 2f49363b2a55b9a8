"""The engine: runs a plan's lanes and yields events. It prints nothing."""
