"""Write the pages that repeat what is written elsewhere: `python docs/generate.py [--check]`.

docs/divergences.md comes from the saved witnesses, docs/reference/cli.md from the commands, and
docs/reference/stub-protocol.md from the protocol's definition.
"""

from __future__ import annotations

import argparse
import inspect
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import click
from counterfoil.commands.cli import cli
from counterfoil.probe.payloads import Encoding
from counterfoil.probe.witness import Witness
from counterfoil.project.config import read_workspace
from counterfoil.project.witness_files import WitnessFiles
from counterfoil.system.files import replace_file

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PROTOCOL = ROOT / "protos" / "counterfoil" / "stub" / "v1" / "stub.proto"
WRITTEN_BY = "<!-- Written by `python docs/generate.py`. -->"
HEAD = """\
# Divergences

Payloads that today's protobuf runtimes do not read alike, each as small as it goes. `counterfoil probe` found them;
`counterfoil replay FILE` reads one again. `python docs/generate.py` writes this page from `contracts/witnesses/`.
"""
SECTIONS: dict[str, tuple[str, str]] = {
    "shop.": ("The reference schema", "`protos/shop`, proto3, as three services use it."),
    "": (
        "A schema with every feature",
        (
            "`tests/schemas`: every kind of field of proto2, proto3 and editions, without what is shown above. "
            "`counterfoil replay FILE --schema tests/schemas` reads one of these."
        ),
    ),
}


def divergences(witnesses: Mapping[str, Witness]) -> str:
    """The whole page; each signature once."""
    parts, shown = [HEAD], set[str]()
    left = dict(sorted(witnesses.items(), key=lambda item: (item[1].divergence.signature, item[0])))
    for prefix, (title, about) in SECTIONS.items():
        chosen = {path: one for path, one in left.items() if one.message.startswith(prefix)}
        left = {path: one for path, one in left.items() if path not in chosen}
        entries = []
        for path, one in chosen.items():
            if one.divergence.signature not in shown:
                shown.add(one.divergence.signature)
                entries.append("\n".join(entry(path, one)))
        parts.append(f"## {title}\n{about}\n\n{len(entries)} divergences.\n")
        parts += entries
    return "\n".join(parts)


def entry(path: str, witness: Witness) -> Iterator[str]:
    """One divergence: its payload, what each stub did with it, and who is right where that is known."""
    yield f"### {witness.divergence.signature}\n"
    yield f"`{witness.message}`: `counterfoil replay {path}`\n"
    yield from fenced([witness.readable, *hexadecimal(witness)])
    yield "\n| stub | runtime | what it did |\n|---|---|---|"
    for one in witness.outcomes:
        yield f"| {one.stub} | {one.runtime} | {cell(one.outcome)} |"
    if witness.verdict:
        yield f"\nBy the specification: {escaped(witness.verdict)}"
    yield ""


def hexadecimal(witness: Witness) -> Iterator[str]:
    """The bytes themselves, where text does not show them."""
    if witness.payload.encoding is Encoding.BINARY:
        yield witness.payload.data.hex(" ")


def fenced(lines: Iterable[str]) -> Iterator[str]:
    """Lines as they are: indented, since they may hold any mark of Markdown's."""
    yield from (f"    {part}" for line in lines for part in line.splitlines() or [""])


def cell(text: str) -> str:
    """Code in a cell of a table, with nothing in it taken for Markdown or HTML, whichever Markdown it is."""
    return "<code>" + "".join(f"&#{ord(char)};" if char in "\\`*_<>[]{}|&~:" else char for char in text) + "</code>"


def escaped(text: str) -> str:
    """A sentence without marks that Markdown would take for its own."""
    return "".join(f"\\{char}" if char in "\\`*_<>[]" else char for char in text)


COMMANDS_HEAD = f"""\
{WRITTEN_BY}
# Commands

What `--help` says of each. Exit codes: [0 compatible, 1 broken, 2 usage error, 3 unproven](exit-codes.md).
`counterfoil --config PATH COMMAND` uses another counterfoil.toml than the nearest one.
"""


def commands(group: click.Group, path: str) -> Iterator[str]:
    """A section for each command of a group, in the order of their names."""
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        elif command:
            yield "\n".join(command_section(command, f"{path} {name}"))


def command_section(command: click.Command, path: str) -> Iterator[str]:
    """What a command does, its arguments and options, and examples."""
    context = click.Context(command, info_name=path)
    yield f"## {path}\n"
    yield escaped(inspect.cleandoc(command.help or ""))
    yield f"\n```text\n{' '.join([path, *command.collect_usage_pieces(context)])}\n```\n"
    own = (one for one in command.get_params(context) if one.name != "help")
    rows = [record for one in own if (record := one.get_help_record(context))]
    if rows:
        yield "| option | |\n|---|---|"
        yield from (f"| {cell(names)} | {escaped(told).replace('|', '&#124;')} |" for names, told in rows)
    _, _, examples = (command.epilog or "").partition("Examples:\n")
    yield f"\n```text\n{textwrap.dedent(examples)}\n```\n"


PROTOCOL_HEAD = f"""\
{WRITTEN_BY}
# The stub protocol

The messages, as `protos/counterfoil/stub/v1/stub.proto` defines them. The guide says
[how to write a stub](../stubs.md#a-stub-in-another-language), with [the rules](../stubs.md#the-rules) that
`counterfoil stub doctor` checks.
"""


def pages() -> dict[str, str]:
    """Every page by its path below docs/."""
    witnesses = WitnessFiles(read_workspace(ROOT / "counterfoil.toml")).all()
    protocol = PROTOCOL.read_text(encoding="utf-8")
    return {
        "divergences.md": divergences(witnesses),
        "reference/cli.md": "\n".join([COMMANDS_HEAD, *commands(cli, "counterfoil")]),
        "reference/stub-protocol.md": f"{PROTOCOL_HEAD}\n```proto\n{protocol}```\n",
    }


def main() -> int:
    """Write the pages, or with --check say which are not as they should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is not current")
    stale = {
        path: data
        for path, text in pages().items()
        if (data := text.encode("utf-8", "backslashreplace")) != read(DOCS / path)
    }
    if parser.parse_args().check:
        for path in stale:
            print(f"docs/{path} is not current: python docs/generate.py", file=sys.stderr)
        return 1 if stale else 0
    for path, data in stale.items():
        replace_file(DOCS / path, data)
    return 0


def read(page: Path) -> bytes:
    return page.read_bytes() if page.is_file() else b""


if __name__ == "__main__":
    sys.exit(main())
