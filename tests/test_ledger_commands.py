"""The commands that record, on SQLite and on PostgreSQL: what they say, and what is in the ledger afterwards."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from counterfoil.gate.facts import PresenceKind, VersionRef
from counterfoil.gate.question import Destination

from tests.builders import Ran, Workspace, interaction, pact, run_here
from tests.ledgers import Recorded


def test_publishes_pacts_and_says_so(recorded: Recorded) -> None:
    recorded.shop.pact(pact("web", "api", interaction("a product")))
    said = recorded.do("publish", "--version", "1.0", "--branch", "main", "--tag", "x", "-t", "y")
    assert said.startswith("web 1.0 is in the ledger, on branch main\nweb 1.0 has a pact with api: sha256:")
    facts = recorded.facts_for("web", "1.0", Destination(main_branch=True))
    assert [str(fact.consumer) for fact in facts.pacts] == ["web 1.0"]
    assert {one.name: one.main_branch for one in facts.participants} == {"api": None, "web": "main"}
    (version,) = facts.versions
    assert [one.name for one in version.branches] == ["main"]
    assert sorted(one.name for one in version.tags) == ["x", "y"]
    assert facts.integrations == {("web", "api")}


def test_publishing_the_same_again_changes_nothing(recorded: Recorded) -> None:
    recorded.shop.pact(pact("web", "api", interaction("a product")))
    recorded.do("publish", "--version", "1.0", "--branch", "main")
    before = recorded.exported()
    assert "(known already)" in recorded.do("publish", "--version", "1.0", "--branch", "main")
    assert recorded.exported() == before


def test_refuses_other_content_under_the_same_version(recorded: Recorded) -> None:
    recorded.shop.pact(pact("web", "api", interaction("a product")))
    recorded.do("publish", "--version", "1.0", "--branch", "main")
    recorded.shop.pact(pact("web", "api", interaction("a basket")))
    recorded.shop.pact(pact("app", "api", interaction("a basket")))
    error = recorded.refused("publish", "--version", "1.0", "--branch", "main")
    assert error["error"] == "web 1.0 has already published another pact with api"
    assert "--version" in error["next"]


@pytest.mark.parametrize("name", ["wbe", "web"])
def test_named_paths_without_a_pact_of_the_consumer_are_refused(recorded: Recorded, name: str) -> None:
    recorded.shop.pact(pact("web", "api", interaction("a product")))
    recorded.do("publish", "--version", "1.0")
    (recorded.shop.root / "empty").mkdir()
    path = "empty" if name == "web" else "contracts/pacts"
    error = recorded.refused("publish", path, "-a", name, "-e", "3")
    assert error["error"].startswith("none of the ")
    assert error["error"].endswith(f"pacts there is {name}'s")
    assert error["why"].startswith("there is no pact" if name == "web" else "did you mean 'web'?")
    assert error["at"] == path


@pytest.mark.parametrize(
    "url",
    ["https://u:hush@ci/x", "https://ci/x?token=hush", "https://ci/#access_token=hush", "https://[hush", "//hush@x"],
)
def test_a_build_url_with_a_secret_is_refused_and_not_repeated(recorded: Recorded, url: str) -> None:
    recorded.do("publish", "-a", "web", "-e", "1", "--build-url", "https://ci/run?id=7#step")
    error = recorded.refused("publish", "-a", "web", "-e", "2", "--build-url", url)
    assert error["at"] == "--build-url"
    assert "hush" not in str(error)


def test_content_is_kept_once_whoever_publishes_it(recorded: Recorded) -> None:
    recorded.shop.pact(pact("web", "api", interaction("a product"), interaction("b")))
    recorded.do("publish", "--version", "1", "--branch", "main")
    recorded.shop.pact(pact("web", "api", interaction("b"), interaction("a product")))
    recorded.do("publish", "--version", "2", "--branch", "main")
    assert len(recorded.rows("content")) == 1
    assert len(recorded.rows("pact")) == 2


def test_a_deployment_takes_its_slot_and_no_other(recorded: Recorded) -> None:
    for number in ("1", "2"):
        recorded.do("publish", "-a", "web", "-e", number, "--branch", "main")
    recorded.do("create-environment", "--name", "prod", "--production")
    where = ("--environment", "prod", "-a", "web")
    recorded.do("record-deployment", *where, "-e", "1")
    recorded.do("record-deployment", *where, "-e", "1", "--application-instance", "blue")
    recorded.do("record-deployment", *where, "-e", "2")
    recorded.do("record-release", *where, "-e", "1")
    live = recorded.facts("web", "2", "prod").presences
    assert {(one.version.number, one.kind, one.instance) for one in live} == {
        ("1", PresenceKind.DEPLOYED, "blue"),
        ("2", PresenceKind.DEPLOYED, None),
        ("1", PresenceKind.RELEASED, None),
    }
    assert "web 2 is no longer deployed to prod" in recorded.do("record-undeployment", *where)
    recorded.do("record-support-ended", *where, "-e", "1")
    assert [one.instance for one in recorded.facts("web", "2", "prod").presences] == ["blue"]
    assert "as it was before" in recorded.do("record-deployment", *where, "-e", "1", "--instance", "blue")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("record-deployment", "-a", "web", "-e", "9", "--environment", "prod"), "no version '9' of web"),
        (("record-deployment", "-a", "wep", "-e", "1", "--environment", "prod"), "no participant 'wep'"),
        (("record-deployment", "-a", "web", "-e", "1", "--environment", "pod"), "no environment 'pod'"),
        (("record-undeployment", "-a", "web", "--environment", "prod"), "web is not deployed to prod"),
        (("record-support-ended", "-a", "web", "-e", "1", "--environment", "prod"), "web 1 is not released in prod"),
        (("create-environment", "--name", "prod", "--display-name", "other"), "there is an environment 'prod' already"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_what_does_not_exist_is_refused(recorded: Recorded, arguments: Sequence[str], error: str) -> None:
    recorded.do("publish", "-a", "web", "-e", "1", "--branch", "main")
    recorded.do("create-environment", "--name", "prod")
    assert error in recorded.refused(*arguments)["error"]


def test_records_a_verification_for_the_content(recorded: Recorded) -> None:
    recorded.shop.pact(pact("web", "api", interaction("a product")))
    recorded.do("publish", "--version", "1", "--branch", "main")
    recorded.do("publish", "--version", "2", "--branch", "main")
    who = ("--consumer", "web", "--consumer-version", "1", "--provider", "api", "--provider-version", "7")
    recorded.do("record-verification", *who, "--failure", "--detail", "no price")
    recorded.do("record-verification", *who, "--success", "--branch", "main")
    (last,) = recorded.facts("web", "2").verifications
    assert (last.provider, last.success, last.failures) == (VersionRef("api", "7"), True, ())
    recorded.do("record-verification", *who, "--failure", "--detail", "no price")
    (last,) = recorded.facts("web", "2").verifications
    assert [failure.detail for failure in last.failures] == ["no price"]
    missing = recorded.refused(
        "record-verification", "--consumer", "web", "--consumer-version", "3", *who[4:], "--success"
    )
    assert "web 3 has no pact with api" in missing["error"]


def test_environments_are_listed(recorded: Recorded) -> None:
    recorded.do("create-environment", "--name", "prod", "--display-name", "Production", "--production")
    recorded.do("create-environment", "--name", "dev")
    listed = json.loads(recorded.do("list-environments", "--format", "json"))
    assert listed["environments"] == [
        {"name": "dev", "display_name": "dev", "production": False},
        {"name": "prod", "display_name": "Production", "production": True},
    ]


NAMES = [
    "Robert'); DROP TABLE version;--",
    "../../etc/passwd",
    "$(touch x)",
    "ünï 😀 \u202e",
    "%s %(a)s {x} :name ?",
    "a" * 255,
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_data(recorded: Recorded, name: str) -> None:
    recorded.shop.pact(pact(name, name, interaction(name)), "weird")
    recorded.do("publish", "-a", name, "-e", name, "--branch", name, "-t", name)
    recorded.do("create-environment", "--name", name)
    recorded.do("record-deployment", "-a", name, "-e", name, "--environment", name, "--instance", name)
    (live,) = recorded.facts(name, name, name).presences
    assert live.version == VersionRef(name, name)
    assert (live.environment, live.instance) == (name, name)
    assert (
        sorted(path.name for path in recorded.shop.root.iterdir() if "ledger" not in path.name)
        == [
            ".counterfoil",
            "contracts",
            "counterfoil.toml",
        ][1 - (recorded.shop.root / ".counterfoil").exists() :]
    )


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x1b[31m", "a\x7f", "\ud800", "a" * 256, "a\u2028b"])
def test_names_that_could_garble_a_report_are_refused(shop: Workspace, name: str) -> None:
    shop.configure("pacts", dir="contracts/pacts")
    ran = shop.run_here("publish", "-a", name, "-e", "1")
    assert ran.exit_code == 2
    assert "cannot be a participant's name" in ran.error["error"]
    assert "\x1b" not in ran.stderr
    shop.pact(pact(name or "\t", "api", interaction("x")), "weird")
    assert shop.run_here("publish", "-e", "1").exit_code == 2


def test_git_gives_the_version_and_the_branch(recorded: Recorded) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=trunk"]
    recorded.shop.pact(pact("web", "api", interaction("a product")))
    for arguments in (["init", "-q"], ["add", "counterfoil.toml"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], cwd=recorded.shop.root, check=True)
    commit = subprocess.run(
        [*git, "rev-parse", "HEAD"], cwd=recorded.shop.root, check=True, capture_output=True, text=True
    )
    said = json.loads(recorded.do("publish", "--format", "json"))
    assert (said["version"], said["branch"]) == (commit.stdout.strip(), "trunk")
    recorded.shop.configure("pacts", dir="./contracts/pacts")
    dirty = recorded.shop.run_here("publish", "-e", "2")
    assert "files changed since the commit" in dirty.stderr
    assert [one["dirty"] for one in recorded.rows("run")] == [False, True]


def test_without_git_a_version_is_asked_for(shop: Workspace) -> None:
    shop.pact(pact("web", "api", interaction("a product")))
    shop.configure("pacts", dir="contracts/pacts")
    error = shop.run_here("publish").error
    assert "--version is missing" in error["error"]


def test_a_ledger_needs_no_workspace(tmp_path: Path, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("COUNTERFOIL_LEDGER", ledger_url)

    def run(*arguments: str) -> Ran:
        return run_here(tmp_path / "elsewhere", *arguments)

    assert run("publish", "-a", "web", "-e", "1").exit_code == 0
    assert run("create-environment", "--name", "prod").exit_code == 0
    assert run("record-deployment", "-a", "web", "-e", "1", "--environment", "prod").exit_code == 0
    monkeypatch.delenv("COUNTERFOIL_LEDGER")
    assert "there is no ledger" in run("list-environments").error["error"]
