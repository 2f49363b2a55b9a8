"""Write docs/divergences.md from the saved witnesses: `python docs/generate.py [--check]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from counterfoil.config import read_workspace
from counterfoil.files import replace_file
from counterfoil.probe.payloads import Encoding
from counterfoil.probe.witness import Witness
from counterfoil.witness_files import WitnessFiles

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "divergences.md"
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


def page(witnesses: Mapping[str, Witness]) -> str:
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
    yield f"`{witness.message}`, [witness](../{path})\n"
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
    """A text in a cell of a table, with nothing in it taken for Markdown."""
    return "`` " + text.replace("|", "\\|").replace("``", "` `") + " ``"


def escaped(text: str) -> str:
    """A sentence without marks that Markdown would take for its own."""
    return "".join(f"\\{char}" if char in "\\`*_<>[]" else char for char in text)


def main() -> int:
    """Write the page, or with --check say whether it is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the page is not current")
    made = page(WitnessFiles(read_workspace(ROOT / "counterfoil.toml")).all()).encode("utf-8", "backslashreplace")
    if not parser.parse_args().check:
        replace_file(PAGE, made)
    elif not PAGE.is_file() or PAGE.read_bytes() != made:
        print("docs/divergences.md is not current: python docs/generate.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
