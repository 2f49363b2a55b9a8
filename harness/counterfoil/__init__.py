"""Proves, before a deploy, that services written in different languages still read each other's messages."""

__version__ = "0.1.0"
