"""Where the consumer tests write their pacts."""

import os
from pathlib import Path

import pytest

# Before the native library is loaded: it would report its use otherwise.
os.environ["PACT_DO_NOT_TRACK"] = "true"

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def pact_dir() -> Path:
    directory = Path(os.environ.get("PACT_DIR") or REPOSITORY / "contracts" / "pacts")
    directory.mkdir(parents=True, exist_ok=True)
    return directory
