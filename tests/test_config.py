"""Every mistake in counterfoil.toml is told with its line, and none ends in a traceback."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from counterfoil.commands.cli import cli
from counterfoil.errors import UsageError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.builders import ROOT, Object, Workspace, line_of, toml

FULL = """\
format = 1

[pacts]
dir = "contracts/pacts"
also = ["cata*"]

[schema]
dir = "protos"
against = "released"

[participants.catalog]
dir = "catalog"
tools = ["git"]

[[participants.catalog.build]]
run = ["true"]
inputs = ["*.txt"]
outputs = ["out"]
deadline-s = 10.0

[[participants.catalog.build]]
run = ["echo"]

[participants.catalog.provider]
start = ["true"]
ready = "/ready"
env = { PORT = "{port}", GRPC = "{free-port}" }
states = "/states"
messages = "/messages"
ready-within-s = 5.0
answer-within-s = 1
stop-within-s = 1

[participants.catalog.consumer]
run = ["true"]
inputs = ["*.txt"]
deadline-s = 10.0
"""


@pytest.fixture
def full(shop: Workspace) -> Workspace:
    """A workspace whose configuration uses every key."""
    shop.write("catalog/notes.txt", "")
    shop.write("counterfoil.toml", FULL)
    return shop


def with_text(full: Workspace, text: str) -> Object:
    """The usage error for a configuration; in this process, for speed. test_cli.py has what becomes of one."""
    full.write("counterfoil.toml", text)
    result = CliRunner().invoke(cli, ["--config", str(full.file), "check", "--list"])
    assert isinstance(result.exception, UsageError), (result.exception, result.output)
    error = result.exception
    parts = {"error": error.what, "at": error.where, "why": error.why, "next": error.fix}
    return {name: part for name, part in parts.items() if part}


def at(full: Workspace, text: str, needle: str, nth: int = 1) -> str:
    return f"{full.file}:{line_of(text, needle, nth)}"


def test_the_full_configuration_is_valid(full: Workspace) -> None:
    """Negative control of everything below."""
    ran = full.run("check", "--list")
    assert (ran.exit_code, ran.stderr) == (0, "")


def test_the_configuration_of_this_repository_is_valid() -> None:
    ran = Workspace(ROOT).run("--config", str(ROOT / "counterfoil.toml"), "check", "--list", "--lane", "schema")
    assert (ran.exit_code, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("before", "unknown", "place", "near"),
    [
        ("format = 1", "formats = 1", "the top level", "format"),
        ('dir = "contracts/pacts"', 'dri = "x"', "[pacts]", "dir"),
        ('against = "released"', 'againts = "x"', "[schema]", "against"),
        ('tools = ["git"]', "tool = []", "[participants.catalog]", "tools"),
        ('outputs = ["out"]', "output = []", "[participants.catalog.build]", "outputs"),
        ('ready = "/ready"', 'raedy = "/x"', "[participants.catalog.provider]", "ready"),
        ('states = "/states"', "ready_within_s = 1", "[participants.catalog.provider]", "ready-within-s"),
        ("deadline-s = 10.0\n", "deadline = 1\n", "[participants.catalog.build]", "deadline-s"),
        ("[participants.catalog.consumer]", "[participants.catalog.consumre]", "[participants.catalog]", "consumer"),
        ("[schema]", "[shcema]", "the top level", "schema"),
    ],
)
def test_an_unknown_key_is_corrected(full: Workspace, before: str, unknown: str, place: str, near: str) -> None:
    text = FULL.replace(before, unknown, 1)
    error = with_text(full, text)
    key = tomllib.loads(unknown + ("" if "=" in unknown else "\n"))
    name = next(iter(key)) if "participants" not in key else "consumre"
    assert error["error"] == f"unknown key '{name}' in {place}"
    assert error["at"] == at(full, text, unknown.strip())
    assert error["why"].startswith(f"did you mean '{near}'? valid: ")
    assert error["next"] == f"correct or remove '{name}'"


def test_the_valid_keys_are_listed(full: Workspace) -> None:
    error = with_text(full, FULL.replace("[schema]\n", "[schema]\nxyz = 1\n"))
    assert error["why"] == "valid: against, dir"


@pytest.mark.parametrize(
    ("before", "wrong", "key"),
    [
        ("format = 1", 'format = "1"', "format"),
        ('dir = "contracts/pacts"', "dir = 3", "pacts.dir"),
        ('dir = "catalog"', "dir = true", "dir"),
        ('tools = ["git"]', 'tools = "git"', "tools"),
        ('run = ["echo"]', "run = [1]", "run"),
        ("deadline-s = 10.0", 'deadline-s = "10"', "deadline-s"),
        ('ready = "/ready"', "ready = 1", "ready"),
        ("answer-within-s = 1", 'answer-within-s = "1 s"', "answer-within-s"),
        ('start = ["true"]', 'start = "true"', "start"),
        ('env = { PORT = "{port}", GRPC = "{free-port}" }', "env = { PORT = 80 }", "env"),
    ],
)
def test_a_wrong_type_is_located(full: Workspace, before: str, wrong: str, key: str) -> None:
    text = FULL.replace(before, wrong, 1)
    error = with_text(full, text)
    assert key in error["error"]
    assert "is not valid: Expected `" in error["error"]
    assert error["at"] == at(full, text, wrong)


def test_a_participant_must_be_a_table(full: Workspace) -> None:
    error = with_text(full, "format = 1\n[participants]\ncatalog = 3\n")
    assert "Expected `object`, got `int`" in error["error"]


@pytest.mark.parametrize("number", [0, 2, -1])
def test_an_unknown_format_is_refused(full: Workspace, number: int) -> None:
    text = FULL.replace("format = 1", f"format = {number}")
    assert with_text(full, text) == {
        "error": f"format = {number} is not known to this version of Counterfoil",
        "at": at(full, text, "format ="),
        "why": "it reads format 1",
        "next": "upgrade Counterfoil, or set format = 1",
    }


def test_the_format_is_required(full: Workspace) -> None:
    assert "missing required field `format`" in with_text(full, FULL.replace("format = 1", ""))["error"]


def test_a_missing_folder_is_located(full: Workspace) -> None:
    text = FULL.replace('dir = "catalog"', 'dir = "catalogue"')
    assert with_text(full, text) == {
        "error": "dir = 'catalogue' of participant 'catalog' is not a folder",
        "at": at(full, text, 'dir = "catalogue"'),
        "why": f"paths are relative to {full.root}",
        "next": "correct dir",
    }


def test_an_unknown_placeholder_is_located(full: Workspace) -> None:
    text = FULL.replace("{free-port}", "{freeport}")
    assert with_text(full, text) == {
        "error": "unknown placeholder '{freeport}' in env.GRPC",
        "at": at(full, text, "env ="),
        "why": "did you mean 'free-port'? valid: free-port, port",
        "next": "correct the placeholder",
    }


@pytest.mark.parametrize("key", ["ready", "states", "messages"])
def test_an_endpoint_is_a_path(full: Workspace, key: str) -> None:
    text = FULL.replace(f'{key} = "/', f'{key} = "', 1)
    error = with_text(full, text)
    assert error["error"] == f"{key} = '{key}' is not a path"
    assert error["at"] == at(full, text, f'{key} = "{key}"')
    assert error["next"] == f'for example "/{key}"'


@pytest.mark.parametrize("before", ['start = ["true"]', 'run = ["echo"]', 'consumer]\nrun = ["true"]'])
def test_a_command_is_not_empty(full: Workspace, before: str) -> None:
    text = FULL.replace(before, before.rsplit("[", 1)[0] + "[]")
    assert with_text(full, text)["at"] == at(full, text, "= []")


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "\\u001b[31m", "a" * 101])
def test_a_name_that_cannot_be_a_path_is_refused(full: Workspace, name: str) -> None:
    error = with_text(full, f'format = 1\n[participants."{name}"]\n')
    assert error["error"].endswith("' cannot be a participant's name")


@pytest.mark.parametrize(("text", "line"), [("format = \n", 1), ("format = 1\n[pacts\n", 2), ("\n\na b\n", 3)])
def test_what_is_not_toml_is_located(full: Workspace, text: str, line: int) -> None:
    error = with_text(full, text)
    assert error["error"] == f"'{full.file}' is not TOML"
    assert error["at"] == f"{full.file}:{line}"
    assert f"line {line}" in error["why"]


def test_what_is_not_utf_8_is_not_toml(full: Workspace) -> None:
    full.write("counterfoil.toml", b"format = 1 # \xff\n")
    ran = full.run("check")
    assert ran.exit_code == 2
    assert ran.error["error"] == f"'{full.file}' is not TOML"


def test_no_file_at_all(tmp_path: Path) -> None:
    ran = Workspace(tmp_path).run("check")
    assert ran.exit_code == 2
    assert ran.error["error"] == f"no counterfoil.toml in '{tmp_path}' or any folder above it"
    assert "--config PATH" in ran.error["next"]


def test_the_nearest_file_above_is_used(full: Workspace) -> None:
    below = full.root / "a" / "b"
    below.mkdir(parents=True)
    assert Workspace(below).run_here("check", "--list").stdout == full.run_here("check", "--list").stdout


@pytest.mark.parametrize("name", ["no-such.toml", "catalog"])
def test_a_named_file_that_cannot_be_read(full: Workspace, name: str) -> None:
    ran = full.run_here("--config", name, "check")
    assert ran.exit_code == 2
    assert ran.error["error"] == f"cannot read '{name}'"


@pytest.mark.parametrize(
    ("before", "wrong"),
    [
        ("start = [", "port = 70000\nstart = ["),
        ("start = [", "port = -1\nstart = ["),
        ("start = [", "port = 0\nstart = ["),
        ('env = { PORT = "{port}",', 'env = { "A=B" = "x",'),
        ('env = { PORT = "{port}",', 'env = { PORT = "\\u0000",'),
        ('start = ["true"]', 'start = ["\\u0000"]'),
        ('inputs = ["*.txt"]', 'inputs = ["/etc/*"]'),
        ('inputs = ["*.txt"]', 'inputs = ["**x"]'),
        ('inputs = ["*.txt"]', 'inputs = [""]'),
        ('also = ["cata*"]', 'also = ["none/*"]'),
        ('also = ["cata*"]', 'also = ["**x"]'),
        ('also = ["cata*"]', 'also = [""]'),
        ('also = ["cata*"]', 'also = ["/etc"]'),
        ("deadline-s = 10.0", "deadline-s = nan"),
        ("deadline-s = 10.0", "deadline-s = -1.0"),
        ("answer-within-s = 1", "answer-within-s = inf"),
        ("answer-within-s = 1", "answer-within-s = 0"),
        ("ready-within-s = 5.0", "ready-within-s = nan"),
        ("stop-within-s = 1", "stop-within-s = -1"),
    ],
)
def test_a_value_that_cannot_work_is_located(full: Workspace, before: str, wrong: str) -> None:
    """What the system would refuse later, in the middle of a run and with an error of its own."""
    text = FULL.replace(before, wrong, 1)
    assert text != FULL
    assert with_text(full, text)["at"] == at(full, text, wrong.partition("\n")[0])


# --- any one change of a valid file ----------------------------------------------------------------------------------

ODD_VALUES: list[Any] = [
    None, True, 0, 1, -1, 70_000, 10**30, 0.5, -1.0, float("nan"), float("inf"), "", " ", "x", "..", "/", "/etc/*",
    "**x", "\0", "\x1b[31m", "[red]", "{", "{}", "{port}", "é", "a=b", [], [""], ["x"], ["\0"], ["**x"], ["/etc/*"],
    [1], [[]], {}, {"": ""}, {"a": 1}, {"A=B": "x"}, {"A": "\0"}, [{}],
]  # fmt: skip
VALID = tomllib.loads(FULL)


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value within a document."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([path] if path else []), *(place for key, one in entries for place in places(one, (*path, key)))]


def mutated(place: tuple[Any, ...], value: object, *, as_new_key: bool) -> Object:
    """The valid document with one value replaced, removed (None), or put beside the old one under a new key."""
    document = copy.deepcopy(VALID)
    parent: Any = document
    for key in place[:-1]:
        parent = parent[key]
    if value is None:
        del parent[place[-1]]
    elif as_new_key and isinstance(parent, dict):
        parent[f"{place[-1]}x"] = value
    else:
        parent[place[-1]] = value
    return document


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mutated")
    (root / "catalog").mkdir()
    return root


@settings(max_examples=150)
@example(place=("participants", "catalog", "build", 0, "inputs"), value=["/etc/*"], as_new_key=False, command=["build"])
@example(place=("participants", "catalog", "build", 0, "inputs"), value=["**x"], as_new_key=False, command=["build"])
@example(place=("participants", "catalog", "build", 0, "inputs"), value=[""], as_new_key=False, command=["build"])
@example(place=("participants", "catalog", "build", 0, "run"), value=[], as_new_key=False, command=["build"])
@example(place=("participants", "catalog", "build", 0, "run"), value=["\0"], as_new_key=False, command=["build"])
@example(
    place=("participants", "catalog", "build", 0, "deadline-s"), value=float("nan"), as_new_key=False, command=["build"]
)
@given(
    place=st.sampled_from(places(VALID)),
    value=st.sampled_from(ODD_VALUES),
    as_new_key=st.booleans(),
    command=st.sampled_from([["check", "--list"], ["build"]]),
)
def test_no_single_change_ends_in_a_traceback(
    folder: Path, place: tuple[Any, ...], value: object, *, as_new_key: bool, command: list[str]
) -> None:
    """In this process, for speed: what is not a usage error or an exit is what the real program would trace back."""
    file = folder / "counterfoil.toml"
    file.write_text(toml({"": mutated(place, value, as_new_key=as_new_key)}), encoding="utf-8")
    result = CliRunner().invoke(cli, ["--config", str(file), *command])
    if result.exception is not None and not isinstance(result.exception, SystemExit | UsageError):
        raise result.exception
    assert result.exit_code in {0, 1, 2, 3}


def test_mutations_reach_every_table() -> None:
    """Negative control: the paths that are mutated include the deepest ones."""
    found = places(VALID)
    assert ("participants", "catalog", "provider", "env", "GRPC") in found
    assert ("participants", "catalog", "build", 1, "run", 0) in found
    assert tomllib.loads(toml({"": VALID})) == VALID
