"""The commands that ask the gate: can-i-deploy, can-i-merge and matrix."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import sleep as wait
from typing import NoReturn

import click

from counterfoil.broker.broker_address import find_broker
from counterfoil.commands.command_examples import examples
from counterfoil.commands.recording_shell import the_ledger, workspace_or_none
from counterfoil.commands.shell import Command, end_when_nobody_reads, screen, write_json
from counterfoil.core.command_lines import command_line
from counterfoil.errors import UsageError, nearest
from counterfoil.gate.broker_matrix import BrokerMatrix, with_answer, with_matrix
from counterfoil.gate.decision import Decision, decide
from counterfoil.gate.facts import Facts, SchemaPairFact
from counterfoil.gate.question import Destination, Ignored, LatestBy, Question
from counterfoil.gate.selectors import WORDS, Selection, read_words
from counterfoil.ledger.entries import Run
from counterfoil.ledger.store import Ledger
from counterfoil.model import Verdict
from counterfoil.reporters import gate_report
from counterfoil.system.processes import Processes

ORDER = "counterfoil.selector-order"
IGNORE_VARIABLE = "PACT_BROKER_CAN_I_DEPLOY_IGNORE"
DRY_RUN_VARIABLE = "PACT_BROKER_CAN_I_DEPLOY_DRY_RUN"


class SelectorCommand(click.Command):
    """A command that keeps the order of its options: each -a begins a selector."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as always, and note which option came after which."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        ctx.meta[ORDER] = [parameter.name for parameter in order]
        return super().parse_args(ctx, args)


def _apply(options: Sequence[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


selector_options = _apply(
    [
        click.option("-a", "--pacticipant", multiple=True, required=True, help="A participant; begins a selector."),
        click.option("-e", "--version", multiple=True, help="Its version; after --ignore, the version to leave out."),
        click.option("--branch", multiple=True, help="Its versions on this branch; with --latest, the head."),
        click.option("--main-branch", count=True, help="The head of its main branch."),
        click.option("--tag", multiple=True, help="Its versions with this tag."),
        click.option("-l", "--latest", multiple=True, is_flag=False, flag_value="", help="The newest [with this TAG]."),
        click.option("--environment", multiple=True, help="Its versions live in this environment."),
        click.option("--ignore", multiple=True, help="Leave out this participant; -e after it leaves out one version."),
    ]
)
answer_options = _apply(
    [
        click.option(
            "--dry-run", is_flag=True, envvar=DRY_RUN_VARIABLE, help="Answer, and exit 0 whatever the answer."
        ),
        click.option("--retry-while-unknown", type=click.IntRange(0, 1000), default=0, help="Ask again so many times."),
        click.option("--retry-interval", type=click.FloatRange(0, 3600), default=10.0, help="Seconds in between."),
        click.option(
            "-o", "--format", "--output", "output", type=click.Choice(["text", "table", "json"]), default="text"
        ),
    ]
)
latest_by_option = click.option(
    "--latestby", type=click.Choice([one.value for one in LatestBy]), help="How a Pact Broker collapses rows."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How to answer."""

    output: str
    dry_run: bool = False
    retries: int = 0
    interval_s: float = 0.0


@examples(
    "counterfoil can-i-deploy -a web -e 1.4.0 --to-environment production",
    "counterfoil can-i-deploy -a web -e 1.4.0 -a orders -e 2.0 --to-environment production",
)
@click.command("can-i-deploy", cls=SelectorCommand)
@selector_options
@click.option("--to-environment", help="The environment to deploy to.")
@click.option("--to", help="The tag of the versions to hold it against; --to-environment is what you want today.")
@click.option("--instance", "--application-instance", "instance", help="The instance that is replaced there.")
@latest_by_option
@answer_options
@click.pass_context
def can_i_deploy(context: click.Context, /, **options: object) -> None:
    """Say whether the versions may be deployed: exit 0 yes, 1 no, 3 unproven.

    Without a destination, several selectors are held against each other, and one against the newest versions.
    """
    given = _Options(options)
    selection = _selection(context)
    environment, tag, latest_by = given.text("to_environment"), given.text("to"), given.text("latestby")
    if environment is not None and tag is not None:
        raise UsageError(
            "both --to-environment and --to name a destination", where="--to", fix="leave out --to, which is the older"
        )
    alone = len(selection.selectors) == 1
    destination = _destination(environment, tag, alone=alone)
    collapsed = destination is not None and environment is None
    question = Question(
        selectors=selection.selectors,
        ignored=selection.ignored,
        destination=destination,
        latest_by=LatestBy(latest_by) if latest_by else LatestBy.CVP if collapsed else LatestBy.CVPV,
        instance=given.text("instance"),
    )
    _answer(context.obj, question, given.manner())


def _destination(environment: str | None, tag: str | None, *, alone: bool) -> Destination | None:
    """As Pact's own client has it: a single selector without destination is held against the newest versions."""
    if environment is not None:
        return Destination(environment=environment)
    if tag is not None:
        return Destination(tag=tag)
    return Destination(latest=True) if alone else None


@examples("counterfoil can-i-merge -a web -e 1.4.0")
@click.command("can-i-merge", cls=SelectorCommand)
@selector_options
@latest_by_option
@answer_options
@click.pass_context
def can_i_merge(context: click.Context, /, **options: object) -> None:
    """Say whether the version fits the head of each other participant's main branch."""
    given, selection = _Options(options), _selection(context)
    question = Question(
        selectors=selection.selectors,
        ignored=selection.ignored,
        destination=Destination(main_branch=True),
        latest_by=LatestBy(given.text("latestby") or LatestBy.CVP),
    )
    _answer(context.obj, question, given.manner())


@examples("counterfoil matrix -a web --latest -a orders --main-branch")
@click.command("matrix", cls=SelectorCommand)
@selector_options
@click.option("--to-environment", help="Hold them against what is live there.")
@latest_by_option
@click.option("-o", "--format", "--output", "output", type=click.Choice(["text", "table", "json"]), default="text")
@click.pass_context
def matrix(context: click.Context, /, **options: object) -> None:
    """List what is known between versions, without judging: exit 0."""
    given, selection = _Options(options), _selection(context)
    environment, latest_by = given.text("to_environment"), given.text("latestby")
    question = Question(
        selectors=selection.selectors,
        ignored=selection.ignored,
        destination=Destination(environment=environment) if environment is not None else None,
        latest_by=LatestBy(latest_by or LatestBy.CVPV),
    )
    ledger = the_ledger(context.obj)
    decision = _decide(ledger, question, _broker_matrix(ledger, question))
    end_when_nobody_reads()
    if given.text("output") == "json":
        write_json(gate_report.render_json(decision, dry_run=True))
    else:
        gate_report.render_matrix(screen(), decision.broker.rows)


class _Options:
    """The values of a command's options, by name."""

    def __init__(self, values: dict[str, object]) -> None:
        self._values = values

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        return None if value is None else str(value)

    def manner(self) -> Manner:
        return Manner(
            output=str(self._values["output"]),
            dry_run=bool(self._values["dry_run"]),
            retries=int(str(self._values["retry_while_unknown"])),
            interval_s=float(str(self._values["retry_interval"])),
        )


def _selection(context: click.Context) -> Selection:
    """The selectors in their order, and what the environment variable leaves out besides."""
    values = {name: iter(_values(context.params.get(name))) for name in WORDS}
    order = [name for name in context.meta[ORDER] if name in WORDS]
    selection = read_words([(name, next(values[name])) for name in order])
    named = [name.strip() for name in os.environ.get(IGNORE_VARIABLE, "").split(",")]
    return replace(selection, ignored=(*selection.ignored, *(Ignored(participant=name) for name in named if name)))


def _values(value: object) -> Sequence[str]:
    """The values of a repeatable option; a flag that is counted has empty ones."""
    if isinstance(value, int):
        return [""] * value
    return [str(one) for one in value] if isinstance(value, tuple) else []


def _answer(config: Path | None, question: Question, manner: Manner) -> NoReturn:
    ledger = the_ledger(config)
    decision = _judged(config, ledger, question)
    for _ in range(manner.retries):
        if decision.verdict is not Verdict.UNPROVEN:
            break
        wait(manner.interval_s)
        decision = _judged(config, ledger, question)
    end_when_nobody_reads()
    if manner.output == "json":
        write_json(gate_report.render_json(decision, dry_run=manner.dry_run))
    else:
        gate_report.render_text(screen(), decision, dry_run=manner.dry_run)
    sys.exit(0 if manner.dry_run else decision.verdict.exit_code)


def _decide(ledger: Ledger, question: Question, matrix: BrokerMatrix | None = None) -> Decision:
    """The decision on what the ledger knows, and on the matrix of a Pact Broker where there is one."""
    facts = ledger.facts(question)
    if matrix is not None:
        facts = with_matrix(facts, question, matrix)
    _refuse_unknown(facts, question, ledger)
    decision = decide(facts, question)
    return decision if matrix is None else with_answer(decision, matrix)


def _broker_matrix(ledger: Ledger, question: Question) -> BrokerMatrix | None:
    """What the Pact Broker says that the environment names. With one, a ledger may be new and empty."""
    address = find_broker(os.environ)
    if address is None:
        return None
    from counterfoil.broker.broker_client import BrokerClient  # noqa: PLC0415  (loads what only few need)

    ledger.prepare()
    return BrokerClient(address).matrix(question)


def _judged(config: Path | None, ledger: Ledger, question: Question) -> Decision:
    """The decision, after the schemas that nobody compared yet were compared; what was found is kept in the ledger."""
    matrix = _broker_matrix(ledger, question)
    decision = _decide(ledger, question, matrix)
    workspace = workspace_or_none(config)
    pairs = decision.uncompared if workspace else ()
    if not workspace or not pairs:
        return decision
    from counterfoil.breaking.schema_judge import compare_schemas  # noqa: PLC0415  (loads what few answers need)

    processes = Processes()
    try:
        for writer, reader in pairs:
            images = ledger.schema_image(writer), ledger.schema_image(reader)
            if images[0] is not None and images[1] is not None:
                breaks = compare_schemas(processes, workspace, images[0], images[1])
                if breaks is not None:
                    with ledger.recording(Run(command="can-i-deploy")) as recorder:
                        recorder.schema_pair(SchemaPairFact(writer=writer, reader=reader, breaks=breaks))
    finally:
        processes.stop()
    return _decide(ledger, question, matrix)


def _refuse_unknown(facts: Facts, question: Question, ledger: Ledger) -> None:
    """A name that nobody recorded is a mistake of the asker, and no version's fault."""
    known = {fact.name for fact in facts.participants}
    for name in sorted(question.specified - known):
        raise UsageError(
            f"no participant '{name}' is recorded",
            where="--pacticipant",
            why=f"{ledger.shown} has no version or pact of it",
            fix="correct the name, or publish a pact of it: counterfoil publish",
        )
    environments = {fact.name for fact in facts.environments}
    asked = {selector.environment for selector in question.selectors} | {question.environment}
    for environment in sorted({name for name in asked if name is not None} - environments):
        raise UsageError(
            f"no environment '{environment}' is recorded",
            where="--to-environment",
            why=nearest(environment, (one.name for one in ledger.environments())),
            fix=f"correct the name, or create it: {command_line('create-environment', '--name', environment)}",
        )
