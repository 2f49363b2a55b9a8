"""Proves, before a deploy, that services written in different languages still read each other's messages."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("counterfoil")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
