"""The surface of the program: help, exit codes, options, doctor."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import click
import pytest
from counterfoil import __version__
from counterfoil.commands.cli import Commands, cli

from tests.builders import CLI, EXIT_CODES, Workspace, interaction, pact

CONTEXT = click.Context(cli)
ALL = {name: cli.get_command(CONTEXT, name) or cli for name in cli.list_commands(CONTEXT)}
PATHS = {
    f"{name} {inner}".strip(): (inner and isinstance(outer, click.Group) and outer.get_command(CONTEXT, inner)) or outer
    for name, outer in ALL.items()
    for inner in (outer.list_commands(CONTEXT) if isinstance(outer, click.Group) else [""])
}
"""Every command that does something, by the words that call it."""
COMMANDS = {"check", "verify", "breaking", "consume", "build", "doctor"}
JUDGING = {"check", "verify", "breaking"}


@pytest.fixture
def shop(shop: Workspace) -> Workspace:
    shop.provide("catalog", {"routes": {"GET /product": {"body": {"id": 1}}, "GET /null": {"body": {"id": None}}}})
    shop.pact(pact("web", "catalog", interaction("a product", body={"id": 1})))
    return shop


def test_the_commands_are_these() -> None:
    assert set(ALL) >= COMMANDS


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_lists_every_command_and_exit_code(shop: Workspace, option: str) -> None:
    ran = shop.run(option)
    assert (ran.exit_code, ran.stderr) == (0, "")
    listed = {line.split()[0] for line in ran.stdout.split("Commands:")[1].splitlines() if line.strip()}
    assert set(ALL) <= listed
    for words in ("0 compatible", "1 broken", "2 usage error", "3 unproven"):
        assert words in " ".join(ran.stdout.split())


@pytest.mark.parametrize("command", sorted(ALL))
def test_every_command_has_help(shop: Workspace, command: str) -> None:
    ran = shop.run_here(command, "--help")
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert re.match(rf"Usage: (python -m )?counterfoil {command} ", ran.stdout)
    described = ALL[command]
    assert (described.help or "").splitlines()[0][:30] in ran.stdout
    for parameter in described.params:
        assert parameter.opts[-1].lower() in ran.stdout.lower()


@pytest.mark.parametrize("path", sorted(PATHS))
def test_every_command_has_examples_that_it_takes(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("services/orders/x", "contracts/witnesses/shop.v1.Money/FILE.json", "ledger.jsonl"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    mark, title, *examples = (PATHS[path].epilog or "").split("\n")
    assert (mark, title) == ("\b", "Examples:")
    assert examples
    for words in map(shlex.split, examples):
        own = path.split()
        assert words[: len(own) + 1] == ["counterfoil", *own]
        assert PATHS[path].make_context(path, words[len(own) + 1 :]).command is PATHS[path]


@pytest.mark.parametrize("command", sorted(JUDGING))
def test_judging_commands_take_a_format(command: str) -> None:
    options = {option for parameter in ALL[command].params for option in parameter.opts}
    assert "--format" in options


def test_the_lines_of_help_are_those_of_the_commands() -> None:
    assert {name: place.help for name, place in Commands.places.items()} == {
        name: command.get_short_help_str(limit=200) for name, command in ALL.items()
    }


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_what_judges_nothing_loads_nothing_that_judges(shop: Workspace, option: str) -> None:
    run = f"from counterfoil.commands.cli import cli; cli(['{option}'], standalone_mode=False)"
    code = f"import sys; {run}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=shop.root)
    loaded = set(done.stdout.split())
    assert "click" in loaded
    assert not loaded & {
        "rich",
        "google.protobuf",
        "msgspec",
        "sqlalchemy",
        "jinja2",
        "yaml",
        "counterfoil.lanes.engine",
    }


def test_version_names_what_it_drives(shop: Workspace) -> None:
    ran = shop.run("--version")
    first, *lines = ran.stdout.splitlines()
    assert (ran.exit_code, ran.stderr, first) == (0, "", f"counterfoil, version {__version__}")
    versions = dict(line.split() for line in lines)
    assert {"python", "buf", "pact", "protobuf", "git"} <= versions.keys()
    assert versions["protobuf"] == metadata.version("protobuf")


def test_version_leaves_out_what_hangs(shop: Workspace) -> None:
    program = shop.write("bin/node", "#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    ran = shop.run("--version", env={"PATH": f"{program.parent}:/bin:/usr/bin"})
    assert ran.exit_code == 0
    assert not re.search("^node", ran.stdout, re.MULTILINE)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shop: Workspace, shell: str) -> None:
    ran = shop.run_here("completion", shell)
    assert ran.exit_code == 0
    assert f"_COUNTERFOIL_COMPLETE={shell}_complete" in ran.stdout


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("counterfoil che", {"check"}),
        ("counterfoil check --la", {"--lane"}),
        ("counterfoil check --lane ve", {"verify"}),
    ],
)
def test_a_shell_is_offered_what_fits(shop: Workspace, words: str, offered: set[str]) -> None:
    env = {"_COUNTERFOIL_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    ran = shop.run(env=env)
    assert {line.partition(",")[2] for line in ran.stdout.splitlines()} == offered


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--no-such-option"], "No such option"),
        (["check", "--no-such-option"], "No such option"),
        (["chek"], "No such command 'chek'"),
        (["check", "--lane", "verifi"], "'verifi' is not one of 'pacts', 'verify', 'schema'"),
        (["check", "--format", "xml"], "'xml' is not one of 'text', 'json'"),
        (["check", "extra"], "unexpected extra argument"),
        (["--config"], "requires an argument"),
        ([], "Usage: "),
    ],
)
def test_a_usage_error_has_exit_code_2(shop: Workspace, arguments: list[str], told: str) -> None:
    ran = shop.run_here(*arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert told in ran.stderr


def test_a_usage_error_has_its_parts_in_order(shop: Workspace) -> None:
    shop.configure("schema", dri="protos")
    ran = shop.run("check")
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert [line[:8] for line in ran.stderr.splitlines()] == ["error: u", "  at    ", "  why   ", "  next  "]
    assert ran.error["at"].startswith(f"{shop.file}:")


@pytest.mark.parametrize(("path", "verdict"), [("/product", "compatible"), ("/null", "broken"), (None, "unproven")])
def test_the_exit_code_is_the_verdict(shop: Workspace, path: str | None, verdict: str) -> None:
    interactions = [interaction("a product", path=path, body={"id": 1})] if path else []
    shop.pact(pact("web", "catalog", *interactions))
    ran = shop.run("check")
    assert ran.exit_code == EXIT_CODES[verdict]
    assert ran.stdout.splitlines()[-1].startswith(f"{verdict}: ")


def test_the_installed_program_is_the_module(shop: Workspace) -> None:
    program = os.path.join(os.path.dirname(sys.executable), "counterfoil")  # noqa: PTH118, PTH120  (not resolved)
    done = subprocess.run([program, "check", "--list"], cwd=shop.root, capture_output=True, check=False, text=True)
    assert (done.returncode, done.stdout) == (0, shop.run("check", "--list").stdout)


def test_a_reader_that_leaves_early_is_no_traceback(shop: Workspace) -> None:
    shop.pact(pact("web", "catalog", *(interaction(f"product {number} {'x' * 200}") for number in range(2_000))))
    with subprocess.Popen(
        [*CLI, "check", "--list"], cwd=shop.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        told = process.stderr.read()
        process.wait(30)
    assert b"Traceback" not in told


# --- doctor ----------------------------------------------------------------------------------------------------------


def test_doctor_as_json(shop: Workspace) -> None:
    shop.configure("participants.catalog", tools=["git", "no-such-tool"])
    ran = shop.run("doctor", "--format", "json")
    document = json.loads(ran.stdout)
    assert (ran.exit_code, document["format"], document["verdict"]) == (3, 1, "unproven")
    tools = {tool["name"]: tool for tool in document["tools"]}
    assert {"python", "counterfoil", "pact-python", "buf", "git", "no-such-tool"} <= set(tools)
    assert tools["no-such-tool"] == {
        "name": "no-such-tool",
        "path": None,
        "version": None,
        "minimum": "0",
        "install": "install 'no-such-tool' and put it on PATH",
        "usable": False,
    }
    assert tools["buf"]["usable"]
    assert tools["buf"]["version"].split(".")[0] == "1"
    assert tools["python"]["version"] == ".".join(map(str, sys.version_info[:3]))


def test_doctor_as_text(shop: Workspace) -> None:
    shop.configure("participants.catalog", tools=["no-such-tool"])
    ran = shop.run("doctor")
    rows = {line.split()[0]: line.split() for line in ran.stdout.splitlines() if line.strip()}
    assert ran.exit_code == 3
    assert rows["tool"] == ["tool", "version", "needed", "state"]
    assert rows["git"][-1] == "ok"
    assert rows["no-such-tool"][1:5] == ["-", "any", "missing:", "install"]


def test_doctor_is_content_with_what_is_there(shop: Workspace) -> None:
    assert shop.run("doctor").exit_code == 0


@pytest.mark.parametrize(("version", "usable"), [("2.19.9", False), ("2.20.0", True), ("no number", False)])
def test_doctor_reads_versions(shop: Workspace, version: str, *, usable: bool) -> None:
    program = shop.write("bin/git", f"#!/bin/sh\necho 'git version {version}'\n")
    program.chmod(0o755)
    ran = shop.run("doctor", "--format", "json", env={"PATH": f"{program.parent}:{os.environ['PATH']}"})
    (git,) = [tool for tool in json.loads(ran.stdout)["tools"] if tool["name"] == "git"]
    assert (git["path"], git["usable"]) == (str(program), usable)
    assert ran.exit_code == (0 if usable else 3)


@pytest.mark.parametrize("name", ["[/red]", "[red]x", "\x1b[31mx"])
def test_doctor_shows_hostile_names_harmlessly(shop: Workspace, name: str) -> None:
    shop.configure("participants.catalog", tools=[name])
    ran = shop.run("doctor")
    assert ran.exit_code == 3
    assert "\x1b" not in ran.stdout
    assert name in ran.stdout or "\x1b" in name


def test_doctor_works_without_a_workspace(shop: Workspace, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = Workspace(tmp_path_factory.mktemp("outside"))
    ran = outside.run("doctor", "--format", "json")
    assert ran.exit_code == 0
    assert shop.run("--config", str(outside.file), "doctor").exit_code == 2


def test_doctor_does_not_pass_over_a_mistake_in_the_configuration(shop: Workspace) -> None:
    shop.write("counterfoil.toml", "format = \n")
    assert shop.run("doctor").exit_code == 2


def test_what_the_system_refuses_without_a_word_is_still_told(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise InterruptedError

    monkeypatch.setattr("counterfoil.commands.doctor.examine", refuse)
    ran = shop.run_here("doctor")
    assert ran.exit_code == 2
    assert ran.error["error"].startswith("InterruptedError")
    assert "room" not in ran.error["next"]
