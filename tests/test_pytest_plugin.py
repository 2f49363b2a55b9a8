"""`pytest counterfoil.toml`: the cases of a check as tests, with the same verdict."""

from __future__ import annotations

import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from tests.builders import Object, Workspace, interaction, pact

PYTEST_WITHIN_S = 120
MEETING = """
import json, os, pathlib, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
with open("here", "a") as file:
    file.write("started\\n")
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        is_ready = self.path != "/healthz" or pathlib.Path(sys.argv[2]).exists()
        data = json.dumps({"id": 1}).encode()
        self.send_response(200 if is_ready else 503)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()
    def log_message(self, *args):
        pass
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
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


def test_what_a_pact_says_commands_neither_terminal_nor_ci(catalog: Workspace) -> None:
    described = "a\n::error title=x::owned \x1b]0;t\x07"
    catalog.pact(pact("web", "catalog", interaction(described, path="/none", body={"id": 1})))
    _, output = run_pytest(catalog, "counterfoil.toml", "-v", "-rA")
    assert "owned" in output
    assert not [line for line in output.splitlines() if line.lstrip().startswith("::")]
    assert not re.search(r"[\x07\x1b]", output)


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


def test_presence_states_are_drawn_by_hypothesis(catalog: Workspace) -> None:
    catalog.write("protos/shop/v1/shop.proto", 'syntax = "proto3";\npackage shop.v1;\nmessage P { int32 stock = 1; }\n')
    catalog.configure("schema", dir="protos", against="protos")
    catalog.write(
        "test_own.py",
        "import json\n"
        "from hypothesis import given, settings\n"
        "def test_states(presence_states):\n"
        "    seen = set()\n"
        "    @settings(database=None, max_examples=200)\n"
        "    @given(presence_states('shop.v1.P'))\n"
        "    def draw(payload):\n"
        "        seen.add(str(json.loads(payload.data).get('stock', 'absent')))\n"
        "    draw()\n"
        "    assert {'None', '0', 'absent'} < seen, seen\n"
        "def test_binary(presence_states):\n"
        "    assert isinstance(presence_states('shop.v1.P', 'binary').example().data, bytes)\n",
    )
    code, output = run_pytest(catalog, "-W", "ignore::hypothesis.errors.NonInteractiveExampleWarning")
    assert (code, passed_and_failed(output)) == (0, (2, 0)), output


def test_groups_are_judged_side_by_side_and_once(catalog: Workspace) -> None:
    """Each of two providers is ready only once the other was started."""
    for name, other in (("one", "two"), ("two", "one")):
        catalog.write(f"{name}/serve.py", MEETING)
        start = [sys.executable, "serve.py", name, f"../{other}/here"]
        catalog.configure(f"participants.{name}", dir=name)
        catalog.configure(f"participants.{name}.provider", start=start, env={"PORT": "{port}"}, states="/states")
        catalog.pact(pact("web", name, interaction(f"of {name}", path="/", body={"id": 1})))
    _, output = run_pytest(catalog, "counterfoil.toml", "-k", "of")
    assert passed_and_failed(output) == (2, 0), output
    starts = [(catalog.root / name / "here").read_text() for name in ("one", "two")]
    assert starts == ["started\n", "started\n"]


@pytest.mark.parametrize("spread", [[], ["-n", "2"], ["-n", "2", "--dist", "loadgroup"]], ids=["one", "two", "groups"])
def test_check_pytest_and_four_shards_say_the_same(catalog: Workspace, spread: list[str]) -> None:
    parts = []
    for index in range(1, 5):
        parts.append(f"{index}.json")
        catalog.run_here("check", "--shard", f"{index}/4", "--report", f"json={catalog.root / parts[-1]}")
    report = catalog.judge_here("check")
    merged = catalog.judge_here("merge", *parts)
    assert (merged.verdict, merged.cases, merged.findings) == (report.verdict, report.cases, report.findings)
    code, output = run_pytest(catalog, "counterfoil.toml", "-v", *spread)
    assert code == report.exit_code == 1
    line = re.compile(
        r"^(?:.*(PASSED|FAILED) )?counterfoil\.toml::((?!run).*?)(?:@\S.*)?(?: (PASSED|FAILED)\b.*)?$", re.MULTILINE
    )
    output = output.partition("short test summary")[0]
    verdicts = {case.strip(): first or last for first, case, last in line.findall(output) if first + last}
    assert verdicts == {case: "PASSED" if one == "compatible" else "FAILED" for case, one in report.cases.items()}
    told = set(re.findall(r"^([A-Z_]+)  (\S.*)$", output, re.MULTILINE))
    assert {one for one in told if one[0] != "FAILED"} == report.rules
