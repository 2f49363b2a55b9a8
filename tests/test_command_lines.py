"""Commands that reports print are safe to paste, whatever a pact's author wrote."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess

import pytest
from counterfoil.core.command_lines import command_line, keyword, verify_one
from counterfoil.core.printing import printable
from counterfoil.gate import commands
from hypothesis import given
from hypothesis import strategies as st

from tests.test_architecture import modules, tree

BARE_WORD_FOLLOWS = re.compile(r"(?<!of )counterfoil [a-z-]+ ((.* )?-{1,2}[a-z][a-z-]* [\"']?)?$")
HOSTILE = [
    "a $(touch harmed) b",
    "`touch harmed`",
    '"; touch harmed; "',
    "'; touch harmed; '",
    "$HOME",
    "!!",
    "-k",
    "a\\",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_shell_reads_the_words_and_nothing_else(text: str) -> None:
    command = verify_one(text, text).removeprefix("counterfoil ")
    ran = subprocess.run(["/bin/sh", "-c", f"printf '%s|' {command}"], capture_output=True, check=True, timeout=30)
    assert ran.stdout.decode() == f"verify|--participant|{text}|-k|{text}|"


@given(st.text(), st.text())
def test_every_word_arrives_as_it_is(name: str, text: str) -> None:
    assert shlex.split(command_line("waive", name, text)) == ["counterfoil", "waive", name, text]


@given(st.text(alphabet=st.characters()))
def test_the_text_to_select_by_is_part_of_it_and_can_be_shown(text: str) -> None:
    found = keyword(text)
    assert found in text
    assert all(printable(char) == char for char in found)


@pytest.mark.parametrize("odd", ["\n", "\0", "\x1b[31m", "\u202e"])
def test_what_no_line_can_carry_is_left_out_of_the_selection(odd: str) -> None:
    assert keyword(f"an{odd}order of two").endswith("order of two")
    assert shlex.split(commands.reproduce("web", "orders", f"an{odd}order of two"))[-1] == "::web→orders::an"


@pytest.mark.parametrize("name", sorted(modules()))
def test_no_command_is_put_together_without_quoting(name: str) -> None:
    commands_of_texts = [
        part.value
        for text in ast.walk(tree(modules()[name]))
        if isinstance(text, ast.JoinedStr)
        for part, after in zip(text.values, text.values[1:], strict=False)
        if isinstance(part, ast.Constant) and isinstance(after, ast.FormattedValue)
    ]
    assert not [text for text in commands_of_texts if BARE_WORD_FOLLOWS.search(str(text))]
