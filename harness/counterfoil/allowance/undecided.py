"""The one exception of this package: what the model does not claim to know."""

from __future__ import annotations


class UndecidedError(Exception):
    """The model cannot tell what the reference matcher does here; `str()` says why. Nothing may be claimed of it."""
