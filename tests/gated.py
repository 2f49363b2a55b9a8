"""A workspace with a ledger, filled by the real commands, and the gate asked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from counterfoil.core.pact_content import digest_of
from counterfoil.gate.facts import Divergence, ProbeFact, ReadingFlaw, SchemaBreak, SchemaPairFact
from counterfoil.ledger.entries import Run
from counterfoil.ledger.store import open_ledger
from jsonschema import Draft202012Validator

from tests import builders
from tests.builders import EXIT_CODES, ROOT, Object, Ran, Workspace, interaction, pact
from tests.gate_history import PRODUCTION, ref

GATE_SCHEMA = ROOT / "docs" / "reference" / "gate.v1.schema.json"


@cache
def gate_schema() -> Draft202012Validator:
    """The documented schema of the gate's answers."""
    return Draft202012Validator(json.loads(GATE_SCHEMA.read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON answer; its exit code agrees with its verdict, and it follows the documented schema."""

    document: Object

    @property
    def verdict(self) -> str:
        return str(self.document["verdict"])

    @property
    def broker(self) -> bool | None:
        answer: bool | None = self.document["pact_broker_answer"]
        return answer

    @property
    def rules(self) -> set[tuple[str, str]]:
        builders.READ_RULES.append(frozenset(reason["rule"] for reason in self.document["reasons"]))
        return {(reason["rule"], reason["subject"]) for reason in self.document["reasons"]}

    def the(self, rule: str) -> Object:
        """The one reason of that rule."""
        rules = self.rules
        found: list[Object] = [one for one in self.document["reasons"] if one["rule"] == rule]
        assert len(found) == 1, rules
        return found[0]


def answered(ran: Ran) -> Answer:
    """Read an answer, and check what holds for every one."""
    assert ran.stdout, ran.stderr
    document = json.loads(ran.stdout)
    errors = [f"{error.json_path}: {error.message}" for error in gate_schema().iter_errors(document)]
    assert not errors, errors
    findings = list(builders.report_schema().evolve(schema=_findings_schema()).iter_errors(document["findings"]))
    assert not findings, findings
    assert ran.exit_code == (0 if document["dry_run"] else EXIT_CODES[document["verdict"]])
    return Answer(document)


def _findings_schema() -> Object:
    report: Object = json.loads(builders.REPORT_SCHEMA.read_text(encoding="utf-8"))
    return {**report["properties"]["findings"], "$defs": report.get("$defs", {})}


@dataclass(frozen=True, slots=True)
class Gate:
    """Versions are written `name@number`."""

    shop: Workspace

    def ok(self, *arguments: str) -> Ran:
        """Run a command that has to succeed."""
        ran = self.shop.run_here(*arguments)
        assert ran.exit_code == 0, ran.stderr
        return ran

    def environment(self, name: str = PRODUCTION) -> None:
        self.ok("create-environment", "--name", name)

    def publish(self, text: str, *providers: str, branch: str = "", wanted: int = 200) -> None:
        """A version with a pact for each provider; what is `wanted` of them makes the content."""
        version = ref(text)
        named = [
            self.shop.pact(pact(version.participant, name, interaction("a product", status=wanted)))
            for name in providers
        ]
        more = ["--branch", branch] if branch else []
        self.ok("publish", *named, "-a", version.participant, "-e", version.number, *more)

    def verify(self, consumer: str, provider: str, *, success: bool = True, detail: str = "") -> None:
        one, other = ref(consumer), ref(provider)
        words = ["--consumer", one.participant, "--consumer-version", one.number]
        words += ["--provider", other.participant, "--provider-version", other.number, "--detail", detail]
        self.ok("record-verification", *words, "--success" if success else "--failure")

    def deploy(self, text: str, *, environment: str = PRODUCTION, instance: str = "") -> None:
        version = ref(text)
        words = ["-a", version.participant, "-e", version.number, "--environment", environment]
        self.ok("record-deployment", *words, *(["--instance", instance] if instance else []))

    def schema(self, text: str, image: bytes, *, writes: str = "", reads: str = "") -> str:
        """Record a schema without compiling one; its digest."""
        with open_ledger(self.shop.root, {}).recording(Run(command="test")) as recorder:
            recorder.schema(ref(text), image, writes.split(), reads.split())
        return digest_of(image)

    def compared(self, writer: str, reader: str, *breaks: SchemaBreak) -> None:
        with open_ledger(self.shop.root, {}).recording(Run(command="test")) as recorder:
            recorder.schema_pair(SchemaPairFact(writer=writer, reader=reader, breaks=breaks))

    def probed(self, one: str, other: str, *divergences: Divergence) -> None:
        """A version may be told with what its stub is made from: `web@1 made from x`."""
        ends = [end.partition(" made from ") for end in (one, other)]
        stubs = [digest_of(text.encode()) if text else None for _, _, text in ends]
        pair = (ref(ends[0][0]), ref(ends[1][0]))
        with open_ledger(self.shop.root, {}).recording(Run(command="test")) as recorder:
            recorder.probe(ProbeFact(pair=pair, order=0, stubs=(stubs[0], stubs[1]), divergences=divergences))

    def read(self, reader: str, consumer: str, provider: str, *flaws: ReadingFlaw) -> None:
        """A reading of what the consumer's version has published."""
        with open_ledger(self.shop.root, {}).recording(Run(command="test")) as recorder:
            body = recorder.pact_body(ref(consumer), provider)
            assert body is not None
            recorder.reading(ref(consumer).participant, body, ref(reader), flaws)

    def ask(self, *arguments: str) -> Answer:
        return answered(self.shop.run_here(*arguments, "--format", "json"))

    def deployable(self, *versions: str, to: str = PRODUCTION, more: tuple[str, ...] = ()) -> Answer:
        """Ask can-i-deploy."""
        words = [word for one in versions for word in ("-a", ref(one).participant, "-e", ref(one).number)]
        return self.ask("can-i-deploy", *words, "--to-environment", to, *more)


def gate_in(folder: Path) -> Gate:
    """An empty workspace with an environment."""
    shop = Workspace(folder)
    shop.configure("pacts", dir="contracts/pacts")
    gate = Gate(shop)
    gate.environment()
    return gate
