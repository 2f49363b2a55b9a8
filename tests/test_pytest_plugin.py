"""`pytest counterfoil.toml`: the cases of a check as tests, with the same verdict."""

from __future__ import annotations

import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from tests.builders import Object, Workspace, interaction, pact

PYTEST_WITHIN_S = 120
ROUTES: Object = {"GET /product": {"body": {"id": 1}}, "GET /null": {"body": {"id": None}}}


def run_pytest(shop: Workspace, *arguments: str) -> tuple[int, str]:
    """pytest in a workspace, with nothing of this repository's own configuration."""
    (shop.root / "pytest.ini").touch()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", "--color=no", *arguments]
    done = subprocess.run(command, cwd=shop.root, capture_output=True, text=True, timeout=PYTEST_WITHIN_S, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def catalog(shop: Workspace) -> Workspace:
    shop.provide("catalog", {"routes": ROUTES})
    shop.pact(
        pact(
            "web",
            "catalog",
            interaction("a product", path="/product", body={"id": 1}),
            interaction("a product without an id", path="/null", body={"id": 1}),
        )
    )
    return shop


def passed_and_failed(output: str) -> tuple[int, int]:
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed)", output.splitlines()[-1])}
    return counts.get("passed", 0), counts.get("failed", 0)


def test_every_case_is_a_test_with_the_verdict_of_check(catalog: Workspace) -> None:
    report = catalog.judge("check")
    code, output = run_pytest(catalog, "counterfoil.toml", "-v", "--junitxml=out.xml")
    assert code == 1
    for case, verdict in report.cases.items():
        word = "PASSED" if verdict == "compatible" else "FAILED"
        assert re.search(rf"counterfoil\.toml::{re.escape(case)} {word}", output), case
    assert "counterfoil.toml::run PASSED" in output
    assert passed_and_failed(output) == (3, 1)
    root = ET.parse(catalog.root / "out.xml").getroot()  # noqa: S314 - pytest wrote it
    assert [one.get("tests") for one in root.iter("testsuite")] == ["4"]


def test_a_failure_shows_the_finding_and_no_traceback(catalog: Workspace) -> None:
    _, output = run_pytest(catalog, "counterfoil.toml")
    assert "INTERACTION_FAILED  web→catalog::a product without an id" in output
    assert "next  counterfoil verify --participant catalog" in output
    assert "ContractError" not in output.split("short test summary")[0]
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-k", "without"], (0, 1)),
        (["-k", "lint or pacts"], (1, 0)),
        (["-x"], (2, 1)),
        (["-n", "2"], (3, 1)),
    ],
    ids=["-k one", "-k two", "-x", "-n"],
)
def test_selecting_and_spreading_work_as_with_any_test(
    catalog: Workspace, arguments: list[str], expected: tuple[int, int]
) -> None:
    _, output = run_pytest(catalog, "counterfoil.toml", *arguments)
    assert passed_and_failed(output) == expected


def test_one_case_by_its_id(catalog: Workspace) -> None:
    code, output = run_pytest(catalog, "counterfoil.toml::verify::web→catalog::a product")
    assert (code, passed_and_failed(output)) == (0, (1, 0))


def test_plain_pytest_collects_nothing_of_ours(catalog: Workspace) -> None:
    (catalog.root / "test_own.py").write_text("def test_own():\n    assert True\n", encoding="utf-8")
    code, output = run_pytest(catalog)
    assert (code, passed_and_failed(output)) == (0, (1, 0))


def test_what_could_not_be_judged_has_not_passed(shop: Workspace) -> None:
    shop.configure("pacts", dir="contracts/pacts")
    assert shop.judge("check").verdict == "unproven"
    code, output = run_pytest(shop, "counterfoil.toml")
    assert code == 1
    assert "PACT_MISSING  contracts/pacts" in output


def test_a_mistake_in_the_file_is_told_as_by_check(catalog: Workspace) -> None:
    catalog.configure("participants.catalog", colour="red")
    code, output = run_pytest(catalog, "counterfoil.toml")
    assert code == 2
    assert "colour" in output
    assert "Traceback" not in output


def test_a_waiver_that_nothing_shows_fails_the_run(catalog: Workspace) -> None:
    catalog.write(
        "contracts/waivers.toml",
        'format = 1\n[[waiver]]\nrule = "INTERACTION_FAILED"\nsubject = "*without an id"\nowner = "web"\n'
        'reason = "known"\nexpires = 2999-01-01\n[[waiver]]\nrule = "DIVERGENCE"\nsubject = "gone"\nowner = "web"\n'
        'reason = "known"\n',
    )
    code, output = run_pytest(catalog, "counterfoil.toml")
    assert (code, passed_and_failed(output)) == (1, (3, 1))
    assert "WAIVER_UNMATCHED" in output
    assert catalog.judge("check").rules >= {("WAIVER_UNMATCHED", "DIVERGENCE::gone")}
    _, narrowed = run_pytest(catalog, "counterfoil.toml", "-k", "run or pacts")
    assert "WAIVER_UNMATCHED" not in narrowed


def test_fixtures_start_a_participant_and_a_stub_once(catalog: Workspace) -> None:
    catalog.write(
        "test_own.py",
        "import urllib.request\n"
        "def test_provider(provider):\n"
        "    assert provider('catalog') is provider('catalog')\n"
        "    assert b'1' in urllib.request.urlopen(provider('catalog').url + '/product').read()\n"
        "def test_stub(contract_stub):\n"
        "    assert contract_stub('python') is contract_stub('python')\n"
        "    assert contract_stub('python').description.language == 'python'\n",
    )
    code, output = run_pytest(catalog)
    assert (code, passed_and_failed(output)) == (0, (2, 0)), output
