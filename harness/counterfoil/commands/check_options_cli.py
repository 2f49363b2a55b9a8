"""Options that say how much of a check is judged anew."""

from __future__ import annotations

import click

from counterfoil.commands.shell import Command
from counterfoil.results.result_cache import Reuse

MAX_SHARDS = 1_000
ALL_PERCENT = 100.0
KEPT = "counterfoil.check_options"


def reuse_options(command: Command) -> Command:
    """`--no-cache` and `--audit-cache`, for the commands that reuse results."""
    command = click.option(
        "--audit-cache",
        type=Percent(),
        expose_value=False,
        callback=_keep,
        help="Judge so many of the kept results again; fail where one is another.",
    )(command)
    return click.option(
        "--no-cache",
        is_flag=True,
        expose_value=False,
        callback=_keep,
        help="Judge everything anew, and keep no result.",
    )(command)


class Percent(click.ParamType[float]):
    """More than 0 and at most 100, written `10` or `10%`."""

    name = "PERCENT"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        try:
            number = float(str(value).strip().removesuffix("%"))
        except ValueError:
            number = 0.0
        if not 0 < number <= ALL_PERCENT:  # which no NaN is
            self.fail(f"'{value}' is not a percentage above 0 and up to 100, for example 10 or 10%", param, ctx)
        return number


class PartOfWhole(click.ParamType[tuple[int, int]]):
    """A shard and how many there are, written `2/4`."""

    name = "I/N"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """The pair."""
        index, _, total = str(value).partition("/")
        if not (index.isdecimal() and total.isdecimal() and 1 <= int(index) <= int(total) <= MAX_SHARDS):
            self.fail(
                f"'{value}' is not I/N with I from 1 to N, for example 2/4; N is at most {MAX_SHARDS}", param, ctx
            )
        return int(index), int(total)


changed_since_option = click.option(
    "--changed-since", metavar="REF", help="Judge only what may be affected by what differs from this git reference."
)
shard_option = click.option(
    "--shard", type=PartOfWhole(), help="Judge one of N even parts; `merge` joins their JSON reports."
)


def _keep(context: click.Context, param: click.Parameter, value: object) -> None:
    context.meta[f"{KEPT}.{param.name}"] = value


def chosen_reuse() -> Reuse:
    """What the user chose."""
    meta = click.get_current_context().meta
    percent = meta.get(f"{KEPT}.audit_cache")
    if percent and meta.get(f"{KEPT}.no_cache"):
        raise click.UsageError("--audit-cache compares kept results, and --no-cache has none: leave one of them out")
    return Reuse(enabled=not meta.get(f"{KEPT}.no_cache"), audited_percent=percent or 0.0)
