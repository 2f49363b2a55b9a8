"""Export and import: losing nothing, and taking in nothing that is not an export."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable

import pytest
from counterfoil.core.pact_content import digest_of
from counterfoil.gate.facts import Divergence, ProbeFact, ReadingFlaw, SchemaBreak, SchemaPairFact, VersionRef
from counterfoil.ledger.entries import Run, WaiverInForce
from counterfoil.ledger.migration import known_revisions

from tests.builders import CLI, Object, Workspace, interaction, pact
from tests.ledgers import Recorded

WEB, API = VersionRef("web", "1"), VersionRef("api", "7 \u202e😀")


def fill(recorded: Recorded) -> None:
    """A row of every kind."""
    recorded.shop.pact(pact("web", "api", interaction("a product ünï \x00\x1b", body={"a": 1.5, "b": 10**30})))
    recorded.do("publish", "-e", "1", "--branch", "main", "-t", "x", "--build-url", "https://ci.example/1?a=b")
    who = ("--consumer", "web", "--consumer-version", "1", "--provider", "api", "--provider-version", API.number)
    recorded.do("record-verification", *who, "--failure", "--detail", "no price \x1b[31m\n\ttwo")
    recorded.do("create-environment", "--name", "prod", "--production")
    where = ("-a", "web", "--environment", "prod")
    recorded.do("record-deployment", *where, "-e", "1", "--instance", "blue")
    recorded.do("record-undeployment", *where, "--instance", "blue")
    recorded.do("record-release", *where, "-e", "1")
    with recorded.ledger.recording(Run(command="test")) as into:
        for version, image in ((WEB, b"\x00old"), (API, b"\xffnew")):
            into.schema(version, image, writes=["a.B"], reads=["*"])
        found = SchemaBreak(rule="R", symbol="a.B.c", message="m", fix="f", messages=frozenset({"a.B", "a.A", "a.C"}))
        old, new = digest_of(b"\x00old"), digest_of(b"\xffnew")
        into.schema_pair(SchemaPairFact(writer=old, reader=new, breaks=(found,)))
        misread = (Divergence(subject="s", message="m"),)
        into.probe(ProbeFact(pair=(API, WEB), order=0, stubs=(digest_of(b"api"), None), divergences=misread))
        body = into.pact_body(WEB, "api")
        assert body is not None
        into.reading("web", body, API, [ReadingFlaw(subject="s", message="m \u202e", payload="{}")])
        into.waiver(WEB, WaiverInForce(rule="R", subject="s", owner="o", reason="r\x00"))


@pytest.fixture
def export(recorded: Recorded) -> list[Object]:
    """The lines of an export in which every table has a row."""
    fill(recorded)
    return [json.loads(line) for line in recorded.exported().splitlines()]


def test_every_table_has_rows_to_lose(export: list[Object]) -> None:
    assert {line["table"] for line in export[1:-1]} == {
        *("run", "participant", "version", "membership", "content", "integration", "pact", "verification"),
        *("interaction_result", "environment", "presence", "schema", "exchange", "schema_pair", "probe"),
        *("reading", "waiver"),
    }
    assert export[-1] == {"rows": len(export) - 2}


def test_what_is_imported_exports_to_the_same_bytes(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(recorded)
    recorded.do("ledger", "export", "first.jsonl")
    kept = recorded.facts("web", "1", "prod")
    monkeypatch.setenv("COUNTERFOIL_LEDGER", "sqlite:///other.db")
    recorded.do("ledger", "import", "first.jsonl")
    recorded.do("ledger", "export", "second.jsonl")
    first, second = ((recorded.shop.root / name).read_bytes() for name in ("first.jsonl", "second.jsonl"))
    assert first == second
    monkeypatch.setenv("COUNTERFOIL_LEDGER", f"sqlite:///{recorded.shop.root}/other.db")
    assert recorded.facts("web", "1", "prod") == kept


def test_a_dash_is_the_standard_stream(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(recorded)
    said = recorded.do("ledger", "export", "-")
    assert said == recorded.do("ledger", "export")
    assert not (recorded.shop.root / "-").exists()
    environment = {**os.environ, "COUNTERFOIL_LEDGER": "sqlite:///other.db"}
    command = [*CLI, "ledger", "import", "-"]
    ran = subprocess.run(
        command, input=said.encode(), cwd=recorded.shop.root, env=environment, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    monkeypatch.setenv("COUNTERFOIL_LEDGER", "sqlite:///other.db")
    assert recorded.do("ledger", "export") == said


def test_an_import_into_either_database_can_be_written_to(
    recorded: Recorded, shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERFOIL_LEDGER", f"sqlite:///{shop.root}/source.db")
    fill(recorded)
    recorded.do("ledger", "export", "first.jsonl")
    monkeypatch.setenv("COUNTERFOIL_LEDGER", recorded.url)
    recorded.do("ledger", "import", "first.jsonl")
    assert recorded.exported() == (shop.root / "first.jsonl").read_text()
    recorded.do("publish", "-a", "web", "-e", "2", "--branch", "main")
    assert recorded.rows("version")[-1]["id"] == recorded.rows("version")[-2]["id"] + 1
    assert "the ledger has rows already" in recorded.refused("ledger", "import", "first.jsonl")["error"]


@pytest.mark.parametrize("revision", known_revisions()[:-1])
def test_an_export_of_an_older_revision_is_imported(
    revision: str, good_export: str, shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [json.loads(line) for line in good_export.splitlines()]
    lines[0]["revision"] = revision
    for line in lines:
        if line.get("table") == "probe":
            del line["row"]["first_stub"], line["row"]["second_stub"]
    shop.write("old.jsonl", "\n".join(map(json.dumps, lines)))
    recorded = Recorded(shop, f"sqlite:///{shop.root}/new.db", monkeypatch)
    recorded.do("ledger", "import", "old.jsonl")
    old, new = good_export.splitlines(), recorded.exported().splitlines()
    assert [one for one, other in zip(old, new, strict=True) if one != other] == [
        one for one in old if '"probe"' in one
    ]
    assert recorded.rows("probe")[0]["first_stub"] is None


def row_of(export: list[Object], table: str) -> Object:
    row: Object = next(line["row"] for line in export if line.get("table") == table)
    return row


def spoil_body(export: list[Object]) -> None:
    row_of(export, "content")["body"] = base64.b64encode(b"{}").decode()


def spoil_pact(export: list[Object]) -> None:
    row_of(export, "content").update(body=base64.b64encode(b"[ ]").decode(), digest=digest_of(b"[ ]"))


def duplicate_participant(export: list[Object]) -> None:
    first, second = [line["row"] for line in export if line.get("table") == "participant"][:2]
    second["name"] = first["name"]


SPOILERS: dict[str, tuple[Callable[[list[Object]], object], str]] = {
    "no header": (lambda export: export.pop(0), "neither the header"),
    "newer format": (lambda export: export[0].update({"counterfoil-ledger": 2}), "it has format 2"),
    "other revision": (lambda export: export[0].update(revision="9999"), "revision 9999"),
    "cut off": (lambda export: export.pop(), "is missing"),
    "a row fewer": (lambda export: export.pop(-2), "rows, and has"),
    "a row twice": (lambda export: export.insert(2, export[1]), "have to grow"),
    "lines after": (lambda export: export.append({"rows": 1}), "after the last one"),
    "unknown table": (lambda export: export[3].update(table="sqlite_master"), "neither the header"),
    "tables out of order": (lambda export: export.insert(1, export.pop(-2)), "stand after"),
    "unknown column": (lambda export: row_of(export, "version").update({"x": 1}), "a row of 'version' has"),
    "missing column": (lambda export: row_of(export, "version").pop("number"), "a row of 'version' has"),
    "wrong type": (lambda export: row_of(export, "version").update(number=7), "wrong type"),
    "null": (lambda export: row_of(export, "version").update(number=None), "wrong type"),
    "a flag as number": (lambda export: row_of(export, "presence").update(live=1), "wrong type"),
    "huge id": (lambda export: row_of(export, "waiver").update(id=2**63), "not between"),
    "negative id": (lambda export: row_of(export, "run").update(id=-1), "not between"),
    "dangling": (lambda export: row_of(export, "version").update(participant_id=999), "names another"),
    "control character": (lambda export: row_of(export, "participant").update(name="a\x1bb"), "control character"),
    "control in text": (lambda export: row_of(export, "waiver").update(reason="a\x1bb"), "control characters"),
    "long name": (lambda export: row_of(export, "participant").update(name="a" * 256), "more than 255"),
    "unknown kind": (lambda export: row_of(export, "membership").update(kind="x"), "valid: branch, tag"),
    "no time": (lambda export: row_of(export, "run").update(at="yesterday"), "not a time"),
    "changed content": (spoil_body, "it was changed"),
    "no pact": (spoil_pact, "not that of a pact"),
    "no base64": (lambda export: row_of(export, "content").update(body="%%"), "body"),
    "bad document": (lambda export: row_of(export, "probe").update(divergences="{}"), "Expected"),
    "not an object": (lambda export: export.insert(2, {}), "neither the header"),
    "same name twice": (duplicate_participant, "names another"),
}


@pytest.fixture(scope="module")
def good_export(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The text of an export."""
    with pytest.MonkeyPatch.context() as patch:
        shop = Workspace(tmp_path_factory.mktemp("export"))
        recorded = Recorded(shop, f"sqlite:///{shop.root}/a.db", patch)
        fill(recorded)
        return recorded.exported()


@pytest.mark.parametrize("flaw", SPOILERS)
def test_what_is_no_export_is_refused_whole(
    flaw: str, good_export: str, shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = Recorded(shop, f"sqlite:///{shop.root}/b.db", monkeypatch)
    lines = [json.loads(line) for line in good_export.splitlines()]
    spoil, why = SPOILERS[flaw]
    spoil(lines)
    shop.write("spoilt.jsonl", "\n".join(map(json.dumps, lines)))
    ran = shop.run_here("ledger", "import", "spoilt.jsonl")
    assert ran.exit_code == 2
    assert why in ran.error["why"], ran.error
    assert ran.error["at"].startswith("spoilt.jsonl:")
    assert recorded.exported().splitlines()[1:] == ['{"rows":0}']


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff\xfe", b"{", b"[" * 100_000, b'{"rows": 1e999}', b"\n"])
def test_what_is_not_even_json_is_refused(data: bytes, shop: Workspace) -> None:
    shop.configure("pacts", dir="contracts/pacts")
    shop.write("x.jsonl", data)
    ran = shop.run_here("ledger", "import", "x.jsonl")
    assert ran.exit_code == 2
    assert "nothing was imported" in ran.error["error"]
    assert "there is no file" in shop.run_here("ledger", "import", "y.jsonl").error["error"]
