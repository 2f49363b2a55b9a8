"""What a stranger does first: set Counterfoil up in a repository of theirs, see it red for a reason, then green."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.browser import Browser
from tests.builders import PROVIDER, Ran, interaction, judged, pact, run

PROTO = 'syntax = "proto3";\npackage shop.v1;\n\nmessage Product {\n  int64 id = 1;\n  optional string name = 2;\n}\n'
GOOD = '{"routes": {"GET /product": {"body": {"id": 1, "name": "Tea"}}}, "states": {"known": [""]}, "startup": {}}'
BAD = GOOD.replace('"name": "Tea"', '"name": null')


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A Python service, its consumer's pact and their schema, under git and without a word of Counterfoil."""
    files = {
        "services/catalog/main.py": PROVIDER.read_text(encoding="utf-8").replace("sys.argv[1]", '"behaviour.json"'),
        "services/catalog/behaviour.json": GOOD,
        "services/catalog/pyproject.toml": '[project]\nname = "catalog"\n',
        "pacts/web-catalog.json": _pact(),
        "proto/shop/v1/product.proto": PROTO,
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    _git(tmp_path, "init", "--quiet")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", "a shop")
    return tmp_path


def _pact() -> str:
    wanted = interaction("a product", body={"id": 1, "name": "Tea"}, rules={"$.name": {"match": "type"}})
    return json.dumps(pact("web", "catalog", wanted))


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def ok(ran: Ran, exit_code: int = 0) -> Ran:
    assert ran.exit_code == exit_code, ran.stdout + ran.stderr
    return ran


def test_init_green_a_break_red_a_fix_green(repository: Path) -> None:
    ok(run(repository, "init"))
    first = judged(run(repository, "check", "--format", "json"))
    assert first.verdict == "compatible"
    assert {case.split("::")[0] for case in first.cases} == {"pacts", "verify", "schema"}
    ok(run(repository, "create-environment", "--name", "production"))
    ok(run(repository, "publish", "-e", "1"))
    ok(run(repository, "check", "--record", "--version", "1"))
    ok(run(repository, "record-deployment", "-a", "web", "-e", "1", "--environment", "production"))

    (repository / "services/catalog/behaviour.json").write_text(BAD, encoding="utf-8")
    ok(run(repository, "publish", "-a", "catalog", "-e", "2"))
    broken = run(repository, "check", "--record", "--version", "2", "--report", "html=out/report.html")
    assert "$.name" in ok(broken, 1).stdout
    asked = ("can-i-deploy", "-a", "catalog", "--to-environment", "production", "-e")
    assert ok(run(repository, *asked, "2"), 1).stdout.startswith("no: catalog 2 to production")
    page = Browser(repository / "browser").opened((repository / "out/report.html").as_uri())
    assert "<title>broken: Counterfoil</title>" in page

    (repository / "services/catalog/behaviour.json").write_text(GOOD, encoding="utf-8")
    ok(run(repository, "publish", "-a", "catalog", "-e", "3"))
    ok(run(repository, "check", "--record", "--version", "3"))
    assert ok(run(repository, *asked, "3")).stdout.startswith("yes: catalog 3 to production")
