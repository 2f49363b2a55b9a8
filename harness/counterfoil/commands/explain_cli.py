"""The command `explain`: what a rule means, whom it concerns, and the safe way to make the change."""

from __future__ import annotations

import click

from counterfoil.commands import explanations
from counterfoil.commands.command_examples import examples
from counterfoil.commands.shell import end_when_nobody_reads
from counterfoil.compat.table import RULES
from counterfoil.core.rules import LEVELS
from counterfoil.errors import UsageError, nearest_of_many

BUF_DOCS = "https://buf.build/docs/breaking/rules"


@examples("counterfoil explain FIELD_TYPE_CHANGED", "counterfoil explain")
@click.command()
@click.argument("rule", required=False)
def explain(rule: str | None) -> None:
    """Say what a rule means: one of ours, or one of buf's. Without RULE, list them.

    A rule is named as in a finding, for example FIELD_TYPE_CHANGED.
    """
    end_when_nobody_reads()
    click.echo(_explained(rule.strip().upper().replace("-", "_")) if rule else _listed())


def _explained(name: str) -> str:
    if name in RULES:
        return _compat_rule(name)
    if name in LEVELS:
        meaning, advice = explanations.rows().get(name, ("", ""))
        return f"# {name}\n\nlevel: {LEVELS[name]}\n\n{meaning}\n\nWhat to do: {advice}"
    ours = explanations.of_buf()
    if name in ours:
        also = ", ".join(ours[name])
        return f"# {name}\n\nA rule of buf ({BUF_DOCS}). Ours for the same change: {also}\n\n" + "\n\n".join(
            map(_compat_rule, ours[name])
        )
    raise UsageError(
        f"no rule is called '{name}'",
        where="RULE",
        why=nearest_of_many(name, [*RULES, *LEVELS, *ours]),
        fix="counterfoil explain",
    )


def _compat_rule(name: str) -> str:
    rule = RULES[name]
    title, _, text = explanations.page(name).strip().partition("\n\n")
    facts = f"level: {rule.level}" + (
        f", or {rule.unseen} where no payload can show it" if rule.level == "behaviour" else ""
    )
    facts += f"\nbuf: {', '.join(sorted(rule.buf))}" if rule.buf else "\nbuf: no rule sees it"
    return f"{title}\n\n{facts}\n\n{text}"


def _listed() -> str:
    lines = ["rules of compatibility (counterfoil breaking):"]
    lines += [f"  {rule.name:<40} {rule.level}" for rule in RULES.values()]
    lines += ["", "other rules:", *(f"  {name:<40} {level}" for name, level in LEVELS.items())]
    return "\n".join(lines)
