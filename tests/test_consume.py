"""Consumer tests write pacts; a pact file changes only when they pass, and only their own."""

from __future__ import annotations

import json
import re
import sys

import pytest

from tests.builders import Workspace, interaction, pact

SCRIPT = """\
import json, os, pathlib, sys
pathlib.Path("runs").open("a").write("x")
plan = json.loads(pathlib.Path("plan.json").read_text())
print("running", len(plan["pacts"]))
for name, text in plan["pacts"].items():
    (pathlib.Path(os.environ["PACT_DIR"]) / name).write_text(text)
sys.exit(plan["exit"])
"""
NAME = "web-catalog.json"
HOLDS = pact("web", "catalog", interaction("a product", body={"id": 1}))


@pytest.fixture
def shop(shop: Workspace) -> Workspace:
    """A consumer whose tests do as plan.json says, and that is judged unchanged while it and its inputs are."""
    shop.write("web/contract_test.py", SCRIPT)
    shop.configure("participants.web", dir="web")
    run = [sys.executable, "-I", "-S", "contract_test.py"]
    shop.configure("participants.web.consumer", run=run, inputs=["*.py", "plan.json"])
    plan(shop, {NAME: json.dumps(HOLDS)})
    return shop


def plan(shop: Workspace, pacts: dict[str, str], exit_code: int = 0) -> None:
    shop.write("web/plan.json", json.dumps({"pacts": pacts, "exit": exit_code}))


def committed(shop: Workspace) -> dict[str, object]:
    folder = shop.root / "contracts/pacts"
    return {path.name: json.loads(path.read_text()) for path in folder.iterdir()} if folder.is_dir() else {}


def runs(shop: Workspace) -> int:
    """How often the tests have run, after asking for them once more."""
    ran = shop.run_here("consume")
    assert ran.exit_code == 0, ran.stderr
    return len((shop.root / "web/runs").read_text())


@pytest.mark.parametrize("output", ["text", "json"])
def test_who_waits_without_a_terminal_is_told_what_goes_on(shop: Workspace, output: str) -> None:
    ran = shop.run_here("consume", "--format", output)
    assert re.sub(r"\d+\.\d s", "0.0 s", ran.stderr).splitlines() == [
        "started  consumer tests of web",
        "ended    consumer tests of web, 0.0 s",
    ]
    assert "started  " not in ran.stdout


@pytest.mark.silent("CONSUMER_TEST_FAILED", "PACT_NOT_WRITTEN")
def test_tests_that_pass_install_their_pact(shop: Workspace) -> None:
    report = shop.judge_here("consume")
    assert (report.verdict, report.exit_code, report.findings) == ("compatible", 0, [])
    assert committed(shop) == {NAME: HOLDS}
    assert not list(shop.root.glob(".counterfoil/pacts-*")), "the folder they wrote to is gone"


@pytest.mark.silent("INTERACTION_DUPLICATED")
def test_a_pact_that_is_kept_beside_its_service_is_replaced_there(shop: Workspace) -> None:
    kept = "services/web/pacts/" + NAME
    shop.write(kept, json.dumps(pact("web", "catalog", interaction("a product"))))
    shop.write(f"services/app/pacts/{NAME}", json.dumps(pact("app", "catalog", interaction("a product"))))
    shop.configure("pacts", also=["services/*/pacts"])
    plan(shop, {NAME: json.dumps(HOLDS), "web-stock.json": json.dumps(pact("web", "stock", interaction("a level")))})
    assert shop.run_here("consume").exit_code == 0
    assert json.loads((shop.root / kept).read_text()) == HOLDS
    assert committed(shop).keys() == {"web-stock.json"}, "what is new goes into the folder of pacts"
    assert shop.judge_here("check", "--lane", "pacts").findings == []
    assert runs(shop) == 1
    shop.write(kept, json.dumps(pact("web", "catalog", interaction("by hand"))))
    assert runs(shop) == 2, "a pact that was changed by hand is written anew"
    assert json.loads((shop.root / kept).read_text()) == HOLDS


def test_a_pact_that_is_kept_twice_is_not_guessed_about(shop: Workspace) -> None:
    old = json.dumps(pact("web", "catalog", interaction("a product")))
    places = [f"contracts/pacts/{NAME}", f"services/web/pacts/{NAME}"]
    for place in places:
        shop.write(place, old)
    shop.configure("pacts", also=["services/*/pacts"])
    ran = shop.run_here("consume")
    assert ran.exit_code == 2
    assert ran.error["error"] == f"the pact of web→catalog is kept in several places: {', '.join(places)}"
    assert ran.error["next"] == f"keep one of them: rm {places[1]}"
    assert [(shop.root / place).read_text() for place in places] == [old, old]


@pytest.mark.fires("CONSUMER_TEST_FAILED")
def test_tests_that_fail_leave_the_pacts_as_they_were(shop: Workspace) -> None:
    shop.pact(HOLDS)
    plan(shop, {NAME: json.dumps(pact("web", "catalog", interaction("other")))}, exit_code=5)
    report = shop.judge_here("consume")
    assert (report.verdict, report.exit_code) == ("broken", 1)
    found = report.the("CONSUMER_TEST_FAILED", "web")
    assert found["level"] == "behaviour"
    assert found["message"] == "the consumer tests of web failed; its pact files are left as they were"
    assert found["fix"] == f"run them by hand in web: {sys.executable} -I -S contract_test.py"
    assert found["location"] == {"path": "web", "line": None}
    assert found["evidence"] == [{"kind": "output", "label": "they printed", "lines": ["running 1"]}]
    assert committed(shop) == {NAME: HOLDS}


@pytest.mark.fires("CONSUMER_TEST_FAILED")
def test_tests_have_a_deadline(shop: Workspace) -> None:
    shop.configure("participants.web.consumer", run=["sleep", "60"], deadline_s=0.2)
    found = shop.judge_here("consume").the("CONSUMER_TEST_FAILED", "web")
    assert found["message"].startswith("the consumer tests of web did not end within 0.2 s; ")


@pytest.mark.fires("PACT_NOT_WRITTEN")
def test_tests_that_write_nothing_prove_nothing(shop: Workspace) -> None:
    plan(shop, {"notes.txt": "not a pact"})
    report = shop.judge_here("consume")
    assert (report.verdict, report.exit_code) == ("unproven", 3)
    found = report.the("PACT_NOT_WRITTEN", "web")
    assert found["message"] == "the consumer tests of web passed but wrote no pact file"
    assert "PACT_DIR" in found["fix"]
    assert committed(shop) == {}


@pytest.mark.parametrize("name", ["a-stranger.json", "z-stranger.json"])
def test_a_pact_of_another_consumer_is_refused_as_a_whole(shop: Workspace, name: str) -> None:
    shop.pact(pact("web", "catalog"))
    plan(shop, {NAME: json.dumps(HOLDS), name: json.dumps(pact("app", "catalog", interaction("x")))})
    ran = shop.run_here("consume")
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.error["error"] == f"the consumer tests of 'web' wrote a pact of consumer 'app' ({name})"
    assert ran.error["why"] == "a participant writes the pacts in which it is the consumer"
    assert committed(shop) == {NAME: pact("web", "catalog")}


@pytest.mark.parametrize("name", ["a-broken.json", "z-broken.json"])
def test_a_pact_that_cannot_be_read_is_refused_as_a_whole(shop: Workspace, name: str) -> None:
    plan(shop, {NAME: json.dumps(HOLDS), name: "{"})
    ran = shop.run_here("consume")
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.error["error"] == f"'{name}' is not a pact file"
    assert committed(shop) == {}


def test_the_second_time_nothing_runs(shop: Workspace) -> None:
    assert (runs(shop), runs(shop)) == (1, 1)


def test_a_changed_test_runs_again(shop: Workspace) -> None:
    assert runs(shop) == 1
    shop.write("web/another_test.py", "")
    assert runs(shop) == 2


@pytest.mark.parametrize("change", ["empty", "delete", "garbage"])
def test_a_changed_pact_is_written_anew(shop: Workspace, change: str) -> None:
    assert runs(shop) == 1
    file = shop.root / "contracts/pacts" / NAME
    if change == "delete":
        file.unlink()
    else:
        file.write_text({"empty": json.dumps(pact("web", "catalog")), "garbage": ""}[change])
    assert (runs(shop), runs(shop)) == (2, 2)
    assert committed(shop) == {NAME: HOLDS}


def test_a_pact_of_somebody_else_does_not_matter(shop: Workspace) -> None:
    assert runs(shop) == 1
    shop.pact(pact("app", "catalog", interaction("x")))
    assert runs(shop) == 1


def test_failed_tests_run_again(shop: Workspace) -> None:
    plan(shop, {}, exit_code=1)
    assert [shop.run_here("consume").exit_code for _ in range(2)] == [1, 1]
    assert (shop.root / "web/runs").read_text() == "xx"


def test_consumer_tests_get_their_environment(shop: Workspace) -> None:
    shop.configure("participants.web.consumer", run=["sh", "-c", "echo $GREETING; exit 1"], env={"GREETING": "hello"})
    assert shop.judge_here("consume").the("CONSUMER_TEST_FAILED")["evidence"][0]["lines"] == ["hello"]


@pytest.mark.fires("BUILD_FAILED", "TOOL_MISSING")
def test_what_keeps_the_tests_from_running_is_unproven(shop: Workspace) -> None:
    shop.configure("participants.web", build=[{"run": ["false"]}])
    shop.configure("participants.app", dir=".", tools=["no-such-tool"])
    shop.configure("participants.app.consumer", run=["true"])
    report = shop.judge_here("consume")
    assert (report.exit_code, report.rules) == (3, {("BUILD_FAILED", "web:1"), ("TOOL_MISSING", "app")})
    assert not (shop.root / "web/runs").exists()


def test_a_configuration_without_pacts_is_a_usage_error(shop: Workspace) -> None:
    shop.tables.pop("pacts")
    shop.configure("")
    ran = shop.run_here("consume")
    assert ran.exit_code == 2
    assert "[pacts]" in ran.stderr


def test_a_participant_without_consumer_tests_is_a_usage_error(shop: Workspace) -> None:
    shop.configure("participants.app", dir=".")
    ran = shop.run_here("consume", "--participant", "app")
    assert ran.exit_code == 2
    assert ran.error == {
        "error": "no participant 'app' with a 'consumer' table",
        "at": "--participant",
        "why": "valid: web",
        "next": "name one that has [participants.NAME.consumer] in counterfoil.toml",
    }


def test_a_fresh_pact_is_judged_at_once(shop: Workspace) -> None:
    shop.provide("catalog", {"routes": {"GET /product": {"body": {"id": 1}}}})
    assert shop.judge("verify").verdict == "unproven"
    assert shop.run("consume").stdout.startswith("consume  web  1/1 participant  compatible\n")
    assert shop.judge("check").verdict == "compatible"
