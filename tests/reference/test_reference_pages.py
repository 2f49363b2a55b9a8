"""The pages whose commands run in the reference system: a fresh copy of it for each page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser import Browser
from tests.pages import DOCS, blocks, follow, pages, setting
from tests.reference.conftest import RUN_WITHIN_S, ReferenceCopy

SETTING = "the reference system"


def stem(page: Path) -> str:
    return page.stem


@pytest.mark.parametrize("page", [page for page in pages() if setting(page) == SETTING], ids=stem)
def test_a_page_goes_as_it_is_told(
    page: Path, reference: ReferenceCopy, own_target: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COUNTERFOIL_LEDGER", raising=False)
    assert follow(page, reference.root, within_s=RUN_WITHIN_S, env=own_target) > 0


def test_the_report_of_the_reference_system_opens_in_a_browser(reference: ReferenceCopy, tmp_path: Path) -> None:
    ran = reference.run("check", "--lane", "pacts", "--lane", "schema", "--report", "html=out/report.html")
    assert ran.exit_code == 0
    page = Browser(tmp_path / "browser").opened((reference.root / "out/report.html").as_uri())
    assert "<title>compatible: Counterfoil</title>" in page
    assert re.search(r'<th scope="row">storefront</th>.*?<b>compatible</b>', page, re.DOTALL)


def test_the_story_of_the_gate_has_its_four_turns() -> None:
    steps = (step for block in blocks(DOCS / "gate.md") if not block.not_run for step in block.steps)
    *asked, _in_ci = [step for step in steps if "can-i-deploy" in step.command]
    assert [step.exit_code for step in asked] == [0, 0, 1, 3, 0]
    assert any("Deploy in this order" in line for line in asked[-1].told)
