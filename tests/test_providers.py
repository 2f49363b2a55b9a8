"""What is said when the machinery fails: a provider that does not start, a missing tool, a verifier that crashes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from counterfoil.core.pacts import parse_pact
from counterfoil.lanes.engine import Engine
from counterfoil.model import Report
from counterfoil.project.config import read_workspace
from counterfoil.runs.events import fold
from counterfoil.runs.plan import Selection, make_plan
from counterfoil.system.processes import Processes
from counterfoil.verifying import verification

from tests.builders import READ_RULES, Judged, Object, Workspace, interaction, pact

ROUTES: Object = {"GET /product": {"body": {"id": 1}}}
CASE = "verify::web→catalog::a product"


@pytest.fixture
def shop(shop: Workspace) -> Workspace:
    """One provider with one pact that holds."""
    shop.provide("catalog", {"routes": ROUTES})
    shop.pact(pact("web", "catalog", interaction("a product", body={"id": 1})))
    return shop


def the_only(report: Judged, rule: str, subject: str) -> Object:
    """The one finding of a run that could not judge its one interaction."""
    assert (report.verdict, report.exit_code, report.cases[CASE]) == ("unproven", 3, "unproven")
    assert report.rules == {(rule, subject)}
    return report.the(rule)


@pytest.mark.silent(
    "PROVIDER_NOT_STARTED",
    "PROVIDER_PORT_TAKEN",
    "TOOL_MISSING",
    "BUILD_FAILED",
    "VERIFIER_CRASHED",
    "VERIFIER_TIMED_OUT",
    "PACT_PARTICIPANT_UNKNOWN",
)
def test_machinery_that_works_is_not_mentioned(shop: Workspace) -> None:
    shop.configure("participants.catalog", tools=["git"], build=[{"run": ["git", "--version"]}])
    report = shop.judge("verify")
    assert (report.verdict, report.findings) == ("compatible", [])
    assert [step["label"] for step in report.document["steps"]] == ["build catalog (git --version)", "verify catalog"]


@pytest.mark.fires("PROVIDER_NOT_STARTED")
def test_a_provider_that_exits_shows_its_last_words(shop: Workspace) -> None:
    shop.provide("catalog", {"startup": {"print": "no database at localhost:5432", "exit": 4}})
    found = the_only(shop.judge("verify"), "PROVIDER_NOT_STARTED", "catalog")
    assert found["message"] == "catalog could not be started: it ended with exit code 4 before it was ready"
    assert found["location"] == {"path": "counterfoil.toml", "line": None}
    assert found["fix"] == "start it by hand with the command and env of [participants.catalog.provider]"
    assert found["evidence"] == [
        {"kind": "output", "label": "catalog printed", "lines": ["no database at localhost:5432"]}
    ]


@pytest.mark.fires("PROVIDER_NOT_STARTED")
def test_a_provider_that_is_never_ready_is_given_up(shop: Workspace) -> None:
    shop.provide("catalog", {"startup": {"never_ready": True, "print": "warming up"}}, ready_within_s=1.0)
    found = the_only(shop.judge("verify"), "PROVIDER_NOT_STARTED", "catalog")
    assert found["message"].startswith(
        "catalog could not be started: it was not ready within 1 s: GET /healthz on port"
    )
    assert found["message"].endswith("answered 503")
    assert found["evidence"][0]["lines"] == ["warming up"]


@pytest.mark.fires("PROVIDER_NOT_STARTED")
def test_a_start_command_that_is_not_there(shop: Workspace) -> None:
    shop.provide("catalog", start=["./no-such-program"])
    found = the_only(shop.judge("verify"), "PROVIDER_NOT_STARTED", "catalog")
    assert found["evidence"][0]["lines"] == ["cannot start './no-such-program': No such file or directory"]


@pytest.mark.fires("PROVIDER_PORT_TAKEN")
def test_a_fixed_port_that_another_process_holds(shop: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        shop.provide("catalog", {"routes": ROUTES}, port=port)
        found = the_only(shop.judge("verify"), "PROVIDER_PORT_TAKEN", "catalog")
    assert found["message"].startswith(f"catalog could not be started: port {port} is taken by ")
    assert found["fix"] == "end that process, or leave out 'port' so that a free one is chosen"


def test_a_fixed_port_that_is_free_is_used(shop: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    shop.provide("catalog", {"routes": ROUTES}, port=port, env={"PORT": str(port)})
    assert shop.judge("verify").verdict == "compatible"


def test_each_free_port_is_another_one(shop: Workspace) -> None:
    """`{port}` and every `{free-port}` differ; the provider fails when two of them are the same."""
    check = (
        "import os, runpy, sys\n"
        "ports = [os.environ['PORT'], *os.environ['MORE'].split()]\n"
        "assert len(set(ports)) == 3 and all(port.isdigit() for port in ports), ports\n"
        "runpy.run_path(sys.argv[1])['main']()\n"
    )
    file = shop.write("start.py", check.replace("sys.argv[1]", "sys.argv.pop(1)"))
    python, *flags, script, behaviour = shop.tables["participants.catalog.provider"]["start"]
    env = {"PORT": "{port}", "MORE": "{free-port} {free-port}"}
    shop.configure("participants.catalog.provider", start=[python, *flags, str(file), script, behaviour], env=env)
    assert shop.judge("verify").findings == []


@pytest.mark.fires("TOOL_MISSING")
@pytest.mark.parametrize("where", ["tools", "start", "build"])
def test_a_missing_tool_is_named_with_the_way_to_get_it(shop: Workspace, where: str) -> None:
    if where == "tools":
        shop.configure("participants.catalog", tools=["git", "no-such-tool"])
    elif where == "start":
        shop.configure("participants.catalog.provider", start=["no-such-tool"])
    else:
        shop.configure("participants.catalog", build=[{"run": ["no-such-tool"]}])
    found = the_only(shop.judge("verify"), "TOOL_MISSING", "catalog")
    assert found["message"].startswith("catalog needs 'no-such-tool', not found on PATH; this could not be done: ")
    assert found["fix"] == "install 'no-such-tool' and put it on PATH"
    assert found["location"] == {"path": "counterfoil.toml", "line": None}


@pytest.mark.fires("BUILD_FAILED")
def test_a_failed_build_shows_what_it_printed(shop: Workspace) -> None:
    shop.configure("participants.catalog", build=[{"run": ["sh", "-c", "echo building; echo E0382 >&2; exit 101"]}])
    found = the_only(shop.judge("verify"), "BUILD_FAILED", "catalog:1")
    assert found["message"] == "building catalog failed: sh -c 'echo building; echo E0382 >&2; exit 101'"
    assert found["fix"].startswith("run it by hand: cd catalog && ")
    assert found["location"] == {"path": "catalog", "line": None}
    assert found["evidence"] == [{"kind": "output", "label": "it printed", "lines": ["building", "E0382"]}]


@pytest.mark.fires("BUILD_FAILED")
def test_a_build_has_a_deadline(shop: Workspace) -> None:
    shop.configure("participants.catalog", build=[{"run": ["sleep", "60"], "deadline-s": 0.2}])
    found = the_only(shop.judge("verify"), "BUILD_FAILED", "catalog:1")
    assert found["message"] == "building catalog did not end within 0.2 s: sleep 60"


def test_nothing_is_built_for_a_provider_without_interactions(shop: Workspace) -> None:
    shop.provide("stock", {"routes": ROUTES})
    shop.configure("participants.stock", build=[{"run": ["touch", "built"]}])
    assert shop.judge("verify").verdict == "compatible"
    assert not (shop.root / "stock" / "built").exists()


def fake_verifier(shop: Workspace, body: str) -> dict[str, str]:
    """An environment in which the worker finds this code instead of the package `pact`."""
    shop.write("fake/pact/__init__.py", f"import os, signal, sys\n{body}\n")
    return {"PYTHONPATH": str(shop.root / "fake")}


@pytest.mark.fires("VERIFIER_CRASHED")
@pytest.mark.parametrize(
    ("body", "how"),
    [
        ("sys.exit('out of luck')", "ended with exit code 1"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "ended with exit code 139"),
        ("os._exit(0)", "ended"),
        ("os.write(1, b'not json'); os._exit(0)", "ended"),
    ],
    ids=["raises", "segfault", "silent-success", "garbage"],
)
def test_a_verifier_that_crashes_is_an_outcome(shop: Workspace, body: str, how: str) -> None:
    found = the_only(shop.judge("verify", env=fake_verifier(shop, body)), "VERIFIER_CRASHED", "catalog")
    assert found["message"].startswith(f"the verifier of catalog {how}")
    assert found["fix"].startswith("counterfoil verify --participant catalog")


def test_what_a_crashed_verifier_printed_is_shown(shop: Workspace) -> None:
    report = shop.judge("verify", env=fake_verifier(shop, "sys.exit('out of luck')"))
    assert {"kind": "output", "label": "it printed", "lines": ["out of luck"]} in report.the("VERIFIER_CRASHED")[
        "evidence"
    ]


def test_files_of_the_workspace_do_not_shadow_packages(shop: Workspace) -> None:
    shop.write("pact.py", "raise SystemExit('the wrong file was imported')\n")
    assert shop.judge("verify").findings == []


@pytest.mark.fires("VERIFIER_TIMED_OUT")
def test_a_verifier_that_hangs_is_ended(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, since the grace that a worker has to start, 30 s, is not for the user to set."""
    shop.configure("participants.catalog.provider", answer_within_s=0.1)
    for name, value in fake_verifier(shop, "signal.pause()").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(verification, "WORKER_START_S", 0.2)
    report = run_engine(shop)
    (found,) = report.all_findings
    READ_RULES.append(frozenset({found.rule}))
    assert found.identity == ("VERIFIER_TIMED_OUT", "catalog")
    assert found.message == "the verifier of catalog did not end within 0.5 s"
    assert report.verdict == "unproven"


def run_engine(shop: Workspace) -> Report:
    workspace = read_workspace(shop.file)
    path = "contracts/pacts/web-catalog.json"
    pacts = [parse_pact(path, Path(shop.root / path).read_bytes())]
    processes, report = Processes(), Report()
    try:
        for event in Engine(workspace, processes).check(make_plan(workspace.settings, pacts, Selection())):
            report = fold(report, event)
    finally:
        processes.stop()
    return report
