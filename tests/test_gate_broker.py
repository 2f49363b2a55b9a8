"""The answer of a Pact Broker, case by case as observed on the real one."""

from __future__ import annotations

import pytest
from counterfoil.gate.broker import ask, pact_broker_answer
from counterfoil.gate.index import FactIndex
from counterfoil.gate.question import Destination, LatestBy, Question, Selector

from tests.gate_history import History, question

MAIN = Destination(main_branch=True)
LATEST = Destination(latest=True)


def answer(history: History, asked: Question) -> bool | None:
    return pact_broker_answer(history.facts(), asked)


def rows(history: History, asked: Question) -> list[tuple[str, str, bool | None]]:
    """Consumer version, provider version (or the name alone) and success of each row that counts."""
    found = ask(FactIndex(history.facts()), asked).rows
    return [(str(row.pact.consumer), str(row.provider or row.pact.provider), row.success) for row in found]


@pytest.fixture
def pair() -> History:
    """Web 1 has a pact with shop, whose version 1 is live and has verified nothing."""
    history = History()
    history.publish("web@1", "shop", "x")
    history.version("shop@1")
    history.deploy("shop@1")
    return history


def test_a_consumer_needs_a_live_version_that_honours_its_pact(pair: History) -> None:
    assert answer(pair, question("web@1")) is None
    pair.verify("web@1", "shop@1", success=False)
    assert answer(pair, question("web@1")) is False
    pair.verify("web@1", "shop@1")
    assert answer(pair, question("web@1")) is True
    pair.undeploy("shop")
    assert answer(pair, question("web@1")) is None
    assert rows(pair, question("web@1")) == [("web 1", "shop", None)]


def test_a_provider_of_which_only_the_name_is_known_is_unknown() -> None:
    history = History()
    history.publish("web@1", "shop", "x")
    assert answer(history, question("web@1")) is None


def test_a_result_belongs_to_the_content_whichever_version_of_the_consumer_it_came_through(pair: History) -> None:
    pair.verify("web@1", "shop@1")
    pair.publish("web@2", "shop", "y")
    pair.publish("web@3", "shop", "x")
    assert answer(pair, question("web@2")) is None
    assert answer(pair, question("web@3")) is True
    pair.verify("web@3", "shop@1", success=False)
    assert answer(pair, question("web@1")) is False


def test_equal_contents_of_two_consumers_are_not_the_same(pair: History) -> None:
    pair.verify("web@1", "shop@1")
    pair.publish("app@1", "shop", "x")
    assert answer(pair, question("app@1")) is None


def test_a_provider_owes_nothing_to_a_consumer_that_is_not_live(pair: History) -> None:
    pair.verify("web@1", "shop@1", success=False)
    assert answer(pair, question("shop@1")) is True
    pair.deploy("web@1")
    assert answer(pair, question("shop@1")) is False


def test_a_provider_is_held_to_every_live_version_of_its_consumers(pair: History) -> None:
    pair.verify("web@1", "shop@1")
    pair.publish("web@2", "shop", "y")
    pair.deploy("web@1")
    pair.deploy("web@2", instance="blue")
    assert answer(pair, question("shop@1")) is None
    assert rows(pair, question("shop@1")) == [("web 2", "shop", None), ("web 1", "shop 1", True)]
    pair.undeploy("web", instance="blue")
    assert answer(pair, question("shop@1")) is True
    pair.release("web@2")
    assert answer(pair, question("shop@1")) is None
    pair.end_support("web@2")
    assert answer(pair, question("shop@1")) is True


def test_the_unverified_one_of_two_live_versions_of_a_provider_goes_unnoticed(pair: History) -> None:
    pair.version("shop@2")
    pair.deploy("shop@2", instance="blue")
    assert rows(pair, question("web@1")) == [("web 1", "shop", None)]
    pair.verify("web@1", "shop@2")
    assert rows(pair, question("web@1")) == [("web 1", "shop 2", True)]
    assert answer(pair, question("web@1")) is True


def test_an_unknown_result_hides_a_failed_one(pair: History) -> None:
    pair.verify("web@1", "shop@1", success=False)
    pair.publish("web@1", "stock", "z")
    assert answer(pair, question("web@1")) is None


def test_a_dropped_provider_is_not_needed(pair: History) -> None:
    pair.publish("web@2", "stock", "z")
    pair.version("web@3")
    pair.verify("web@1", "shop@1", success=False)
    assert answer(pair, question("web@3")) is True
    pair.deploy("web@1")
    pair.deploy("web@3")
    assert answer(pair, question("shop@1")) is True


def test_a_redeployment_replaces_the_version_of_that_instance_alone(pair: History) -> None:
    pair.verify("web@1", "shop@1", success=False)
    pair.deploy("web@1", instance="blue")
    pair.version("web@2")
    pair.deploy("web@2")
    assert answer(pair, question("shop@1")) is False
    pair.deploy("web@2", instance="blue")
    assert answer(pair, question("shop@1")) is True


def test_the_own_live_version_of_the_asked_participant_plays_no_part(pair: History) -> None:
    pair.verify("web@1", "shop@1", success=False)
    pair.deploy("web@1")
    pair.version("web@2")
    assert answer(pair, question("web@2", "shop@1")) is True


def test_what_the_asker_names_must_exist(pair: History) -> None:
    pair.verify("web@1", "shop@1")
    assert answer(pair, question("web@9")) is False
    assert answer(pair, question("web@1", "shop@9", to=None)) is False
    assert answer(pair, question(Selector(participant="web", branch="main", latest=True))) is False
    assert answer(pair, question(Selector(participant="web", environment="staging"))) is False
    assert answer(pair, question("web@9", ignore=["web"])) is True
    assert answer(pair, question("web@9", ignore=["web@9"])) is False


def test_cycles_are_judged_both_ways() -> None:
    history = History()
    history.publish("a@1", "b", "x")
    history.publish("b@1", "a", "y")
    history.deploy("b@1")
    assert rows(history, question("a@1")) == [("a 1", "b", None), ("b 1", "a", None)]
    history.verify("a@1", "b@1")
    assert answer(history, question("a@1")) is None
    history.verify("b@1", "a@1")
    assert answer(history, question("a@1")) is True
    history.undeploy("b")
    assert rows(history, question("a@1")) == [("a 1", "b", None)]


def test_ignored_rows_are_listed_and_do_not_count(pair: History) -> None:
    pair.verify("web@1", "shop@1", success=False)
    assert answer(pair, question("web@1", ignore=["shop"])) is True
    assert answer(pair, question("web@1", ignore=["shop@1"])) is True
    assert answer(pair, question("web@1", ignore=["shop@2"])) is False
    assert answer(pair, question("web@1", ignore=["nobody"])) is False
    found = ask(FactIndex(pair.facts()), question("web@1", ignore=["shop"]))
    assert [row.ignored for row in found.rows] == [True]
    assert found.count(success=False) == 0


def test_explicit_versions_are_judged_between_themselves(pair: History) -> None:
    pair.publish("app@1", "shop", "z")
    assert answer(pair, question("web@1", "shop@1", to=None)) is None
    pair.verify("web@1", "shop@1")
    assert answer(pair, question("shop@1", "web@1", to=None)) is True
    assert answer(pair, question("web@1", "app@1", to=None)) is True
    assert rows(pair, question("web@1", "app@1", to=None)) == []
    assert rows(pair, question("web@1", "web@1", to=None)) == []


def test_one_version_alone_lists_all_that_is_known_of_it(pair: History) -> None:
    assert rows(pair, question("web@1", to=None)) == [("web 1", "shop", None)]
    pair.verify("web@1", "shop@1")
    pair.verify("web@1", "shop@2", success=False)
    pair.publish("web@2", "shop", "x")
    assert rows(pair, question("web@1", to=None)) == [("web 1", "shop 2", False), ("web 1", "shop 1", True)]
    assert rows(pair, question("shop@1", to=None)) == [("web 2", "shop 1", True), ("web 1", "shop 1", True)]


def test_the_head_of_a_branch_is_what_was_first_added_to_it_last(pair: History) -> None:
    pair.version("shop@2", branch="main")
    pair.version("shop@1", branch="main")
    pair.version("shop@2", branch="main")
    pair.verify("web@1", "shop@1")
    assert answer(pair, question("web@1", to=MAIN)) is True
    head = Selector(participant="shop", branch="main", latest=True)
    assert rows(pair, question("web@1", head, to=None)) == [("web 1", "shop 1", True)]
    every = Selector(participant="shop", branch="main")
    pair.verify("web@1", "shop@2", success=False)
    assert len(rows(pair, question("web@1", every, to=None))) == 2


def test_a_counterpart_without_main_branch_is_unknown_if_required_and_left_out_if_not(pair: History) -> None:
    pair.version("shop@1", branch="trunk")
    pair.verify("web@1", "shop@1")
    assert answer(pair, question("web@1", to=MAIN)) is None
    assert answer(pair, question("shop@1", to=MAIN)) is True
    assert answer(pair, question("web@1", to=LATEST)) is True


def test_the_main_branch_is_the_first_of_its_names(pair: History) -> None:
    pair.version("shop@1", branch="master")
    pair.version("shop@2", branch="main")
    pair.verify("web@1", "shop@1")
    assert answer(pair, question("web@1", to=MAIN)) is True
    assert answer(pair, question("web@1", to=LATEST)) is None


def test_the_newest_version_is_that_created_last_whatever_its_text(pair: History) -> None:
    pair.version("shop@0")
    pair.verify("web@1", "shop@0")
    assert answer(pair, question("web@1", to=LATEST)) is True
    newest = Selector(participant="shop", latest=True)
    assert rows(pair, question("web@1", newest, to=None)) == [("web 1", "shop 0", True)]


def test_a_tag_stands_for_the_newest_version_with_it(pair: History) -> None:
    pair.version("shop@2", tag="prod")
    pair.version("shop@1", tag="prod")
    pair.verify("web@1", "shop@2")
    assert answer(pair, question("web@1", to=Destination(tag="prod"))) is True
    tagged = Selector(participant="shop", tag="prod", latest=True)
    assert rows(pair, question("web@1", tagged, to=None)) == [("web 1", "shop 2", True)]


def test_collapsing_keeps_the_version_of_the_provider_created_last(pair: History) -> None:
    pair.version("shop@2")
    pair.deploy("shop@2", instance="blue")
    pair.verify("web@1", "shop@1", success=False)
    pair.verify("web@1", "shop@2")
    assert answer(pair, question("web@1")) is False
    assert answer(pair, question("web@1", latest_by=LatestBy.CVP)) is True


def test_names_and_numbers_are_case_sensitive(pair: History) -> None:
    pair.verify("web@1", "shop@1")
    assert answer(pair, question("Web@1")) is False
    assert answer(pair, question("web@1", to="Production")) is None


def test_all_versions_of_two_participants_are_every_row_between_them(pair: History) -> None:
    pair.publish("web@2", "shop", "y")
    pair.verify("web@1", "shop@1")
    asked = question(Selector(participant="web"), Selector(participant="shop"), to=None)
    assert rows(pair, asked) == [("web 2", "shop", None), ("web 1", "shop 1", True)]
