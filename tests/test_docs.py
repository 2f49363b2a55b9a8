"""Pages that are written from other files are current."""

from __future__ import annotations

import subprocess
import sys

from tests.builders import ROOT

GENERATE = (sys.executable, "docs/generate.py", "--check")


def test_the_page_of_divergences_is_written_from_the_witnesses() -> None:
    done = subprocess.run(GENERATE, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_witness_is_on_the_page() -> None:
    page = (ROOT / "docs" / "divergences.md").read_text(encoding="utf-8")
    headings = {line.removeprefix("### ") for line in page.splitlines() if line.startswith("### ")}
    assert len(headings) > 100
    assert "the reference schema" in page.lower()
    assert any(heading.endswith("ranker-stub / storefront-stub") for heading in headings)
