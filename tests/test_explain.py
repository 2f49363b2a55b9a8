"""`counterfoil explain`, and the pages it prints; docs/ has the same text."""

from __future__ import annotations

import pytest
from counterfoil.commands import explanations
from counterfoil.compat.table import RULES
from counterfoil.core.rules import LEVELS

from tests.builders import ROOT, Workspace
from tests.compat_docs import DOCS, pages, stale
from tests.schema_corpus import buf_says, categories, expected

PAGES = ROOT / "harness" / "counterfoil" / "compat" / "explanations"


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_has_a_page_with_an_example_and_a_safe_way(rule: str) -> None:
    text = explanations.page(rule)
    assert text.startswith(f"# {rule}\n\n")
    assert "```diff\n" in text
    assert "\n**The safe way.** " in text


def test_every_page_is_that_of_a_rule() -> None:
    assert {path.stem for path in PAGES.iterdir()} == set(RULES)


@pytest.mark.parametrize("rule", sorted(LEVELS))
def test_every_other_rule_has_a_row(rule: str) -> None:
    meaning, advice = explanations.rows()[rule]
    assert meaning
    assert advice


def test_the_docs_are_current() -> None:
    """`python -m tests.compat_docs` writes them."""
    assert stale() == []
    assert {path.name for path in (DOCS / "rules").iterdir()} == {path.name for path in pages() if path.parent.name}


def test_a_page_has_an_anchor_for_each_rule() -> None:
    text = "".join(pages().values())
    assert [rule for rule in RULES.values() if f'<a id="{rule.anchor}"></a>\n## {rule.name}\n' not in text] == []


@pytest.mark.parametrize(
    "name", ["field_type_changed", "rpc_removed", "enum_value_added_to_closed", "comments_and_order"]
)
def test_the_comparison_with_buf_is_what_buf_says(name: str) -> None:
    assert buf_says(name) == expected(name)["buf"]


def test_the_rules_of_buf_that_ours_stand_for_exist() -> None:
    """Besides those of older versions of buf."""
    older = {
        "FIELD_SAME_CTYPE",
        "FIELD_SAME_LABEL",
        "FILE_SAME_JAVA_STRING_CHECK_UTF8",
        "FILE_SAME_PHP_GENERIC_SERVICES",
    }
    of_buf = set().union(*categories().values())
    assert of_buf - set(explanations.of_buf()) == set()
    assert set(explanations.of_buf()) - of_buf == older


def test_a_rule_is_explained(shop: Workspace) -> None:
    said = shop.run("explain", "field-renamed")
    assert said.exit_code == 0
    assert said.stdout.startswith("# FIELD_RENAMED\n\nlevel: behaviour, or source where no payload can show it\n")
    assert "**The safe way.** Set `json_name`" in said.stdout


def test_another_rule_of_ours_is_explained(shop: Workspace) -> None:
    said = shop.run_here("explain", "PACT_EMPTY")
    assert said.stdout.startswith("# PACT_EMPTY\n\nlevel: unproven\n\na pact without interactions\n\nWhat to do: ")


def test_a_rule_of_buf_is_explained_by_ours(shop: Workspace) -> None:
    said = shop.run_here("explain", "RPC_NO_DELETE")
    assert "A rule of buf" in said.stdout
    assert "# RPC_REMOVED\n" in said.stdout
    assert "# RPC_RENAMED\n" in said.stdout


def test_without_a_rule_all_are_listed(shop: Workspace) -> None:
    listed = shop.run_here("explain").stdout.split()
    assert {*RULES, *LEVELS} <= set(listed)


def test_an_unknown_rule_gets_the_nearest_name(shop: Workspace) -> None:
    said = shop.run_here("explain", "FIELD_TYPE_CHANGE")
    assert (said.exit_code, said.stdout) == (2, "")
    assert "did you mean 'FIELD_TYPE_CHANGED'?" in said.stderr
