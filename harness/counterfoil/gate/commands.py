"""The commands that a reason tells a reader to run next, word by word quoted for a shell."""

from __future__ import annotations

from collections.abc import Iterable

from counterfoil.core.command_lines import command_line, keyword
from counterfoil.gate.facts import VersionRef
from counterfoil.gate.question import Destination, Question


def ask(question: Question, versions: Iterable[VersionRef], instance: str | None) -> str:
    """Ask the question about these versions together, in place of what is at the instance."""
    destination = question.destination or Destination()
    words = ["can-i-merge" if destination.main_branch else "can-i-deploy"]
    for version in versions:
        words += ["-a", version.participant, "-e", version.number]
    if destination.environment is not None:
        words += ["--to-environment", destination.environment]
    elif destination.tag is not None:
        words += ["--to", destination.tag]
    if instance is not None:
        words += ["--instance", instance]
    for one in question.ignored:
        words += ["--ignore", one.participant, *(["-e", one.number] if one.number is not None else [])]
    return _shell(words)


def verify(consumer: str, provider: str, number: str | None) -> str:
    """Verify one pact and record the result; without a number, as the version that git names."""
    words = ["verify", "-k", _cases(consumer, provider), "--record"]
    return _shell(words if number is None else [*words, "--version", number])


def reproduce(consumer: str, provider: str, interaction: str | None) -> str:
    """Verify again what failed, and look at it."""
    return _shell(["verify", "-k", keyword(_cases(consumer, provider) + (interaction or ""))])


def _cases(consumer: str, provider: str) -> str:
    """The part that the ids of a pact's cases share, and no other pact's."""
    return f"::{consumer}→{provider}::"


def record_deployment(version: VersionRef, environment: str, instance: str | None = None) -> str:
    """Say that a version is live."""
    words = ["record-deployment", "-a", version.participant, "-e", version.number, "--environment", environment]
    return _shell(words if instance is None else [*words, "--instance", instance])


def publish(version: VersionRef) -> str:
    """Make a version known, with its pacts."""
    return _shell(["publish", "-a", version.participant, "-e", version.number])


def matrix(participants: Iterable[str]) -> str:
    """List everything that is known between participants."""
    return _shell(["matrix", *(word for name in participants for word in ("-a", name))])


def replay(witness: str) -> str:
    """Read a witness's payload again."""
    return _shell(["replay", witness])


def probe() -> str:
    """Search for payloads that stubs read differently."""
    return _shell(["probe"])


def probe_together(one: VersionRef, other: VersionRef) -> str:
    """Probe the stubs of two versions with the same payloads, where both are, and record it."""
    at = f"{other.participant}={other.number}"
    return _shell(["check", "--lane", "probe", "--record", "--version", one.number, "--at", at])


def nulls(consumer: str, provider: str) -> str:
    """Read again whatever a pact allows."""
    return _shell(["nulls", "-k", _cases(consumer, provider)])


def record_nulls(consumer: str, provider: str, number: str) -> str:
    """Read whatever a pact allows, and record it."""
    words = ["check", "--lane", "nulls", "-k", _cases(consumer, provider), "--record", "--version", number]
    return _shell(words)


def _shell(words: Iterable[str]) -> str:
    return command_line(*words)
