"""The command `nulls`."""

from __future__ import annotations

from pathlib import Path

import click

from counterfoil.commands.check_options_cli import chosen_reuse, reuse_options
from counterfoil.commands.command_examples import examples
from counterfoil.commands.shell import judge, open_workspace, output_option, with_waivers
from counterfoil.lanes.engine import Engine
from counterfoil.model import Lane
from counterfoil.project.pact_files import read_pacts
from counterfoil.reporters import null_matrix
from counterfoil.runs.plan import Selection, make_plan


@examples("counterfoil nulls", 'counterfoil nulls -k "web→orders"')
@click.command()
@click.option("--participant", "participants", multiple=True, help="Only contracts of this participant; repeatable.")
@click.option("-k", "keyword", default="", help="Only cases whose id contains this, whatever the letters' case.")
@reuse_options
@output_option
@click.pass_obj
def nulls(config: Path | None, participants: tuple[str, ...], keyword: str, output: str) -> None:
    """Give every payload that the pacts allow to the decoders that read it, and print the null matrix."""
    workspace = open_workspace(config)
    selection = Selection(lanes=frozenset({Lane.NULLS}), participants=frozenset(participants), keyword=keyword)
    plan = make_plan(workspace.settings, read_pacts(workspace), selection)
    reuse = chosen_reuse()
    run = with_waivers(
        workspace, lambda processes: Engine(workspace, processes, reuse=reuse).check(plan), lambda _: False
    )
    judge(run, output, above=null_matrix.render)
