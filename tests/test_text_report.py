"""What a person sees, as whole screens. With UPDATE_SNAPSHOTS=1 in the environment, the tests rewrite them."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
from counterfoil.core.printing import printable

from tests.builders import CLI, Object, Ran, Workspace, interaction, pact

SNAPSHOTS = Path(__file__).resolve().parent / "snapshots"
UPDATE = "UPDATE_SNAPSHOTS" in os.environ
ROUTES: Object = {
    "GET /product": {"body": {"id": 1, "price": {"amount": 12, "currency": "EUR"}}},
    "GET /null": {"body": {"id": None, "price": {"amount": "12", "currency": "EUR"}}},
    "GET /error": {"status": 500, "body": None, "log": "KeyError: 'price'"},
}
BODY: Object = {"id": 1, "price": {"amount": 12, "currency": "EUR"}}
WHOLE_NUMBERS: Object = {"$.id": {"match": "integer"}, "$.price.amount": {"match": "integer"}}


def normalised(text: str, root: Path) -> str:
    """The text without what differs from run to run: folders, ports, process ids, durations."""
    text = text.replace(str(root), "ROOT")
    text = re.sub(r"\bport \d+", "port PORT", text)
    text = re.sub(r"\b(127\.0\.0\.1|localhost):\d+", r"\1:PORT", text)
    text = re.sub(r"\bprocess \d+ \([^)]*\)", "process PID (NAME)", text)
    text = re.sub(r"\b\d+\.\d+ s\b", "SECONDS s", text)
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


@pytest.mark.parametrize("text", ["::error::x", "  ::set-output::x", "\u00a0##[error]x"])
def test_no_line_of_others_commands_ci(text: str) -> None:
    shown = printable(text).lstrip()
    assert not shown.startswith(("::", "##["))
    assert shown.endswith("x")
    assert printable(f"at {text}") == f"at {text}"


def assert_snapshot(name: str, ran: Ran, root: Path) -> None:
    """The exit code, and both streams, as the file has them."""
    parts = [f"exit code {ran.exit_code}", "--- stdout", ran.stdout, "--- stderr", ran.stderr]
    text = normalised("\n".join(part.rstrip("\n") for part in parts), root)
    file = SNAPSHOTS / f"{name}.txt"
    if UPDATE:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), (
        f"UPDATE_SNAPSHOTS=1 rewrites {file.name}, if this is as it should be"
    )


@pytest.fixture
def shop(shop: Workspace) -> Workspace:
    shop.provide("catalog", {"routes": ROUTES, "states": {"known": [""], "fail": ["locked"]}})
    return shop


def expecting(name: str, path: str = "/product", **more: object) -> Object:
    return interaction(name, path=path, body=BODY, rules=WHOLE_NUMBERS) | more


def test_a_compatible_screen(shop: Workspace) -> None:
    shop.provide("stock", {"routes": ROUTES})
    shop.pact(pact("web", "catalog", expecting("a product"), expecting("a product again")))
    shop.pact(pact("catalog", "stock", expecting("a product")))
    assert_snapshot("compatible", shop.run("check"), shop.root)


def test_a_broken_screen(shop: Workspace) -> None:
    shop.pact(
        pact(
            "web",
            "catalog",
            expecting("a product"),
            expecting("a product without an id", "/null"),
            expecting("a product that cannot be priced", "/error"),
            expecting("a locked product", providerStates=[{"name": "locked"}]),
        )
    )
    assert_snapshot("broken", shop.run("check"), shop.root)


def test_an_unproven_screen(shop: Workspace) -> None:
    shop.provide("catalog", {"startup": {"print": "no database at localhost:5432", "exit": 1}})
    shop.pact(pact("web", "catalog", expecting("a product"), expecting("another")))
    shop.pact(pact("app", "catalog"))
    shop.pact(pact("web", "stock", expecting("a stock")))
    assert_snapshot("unproven", shop.run("check"), shop.root)


def test_a_screen_of_many_findings_ends(shop: Workspace) -> None:
    shop.tables.pop("participants.catalog.provider")
    shop.configure("participants.catalog")
    for number in range(20):
        shop.pact(pact(f"consumer-{number:02}", "catalog"))
    assert_snapshot("many-findings", shop.run("check", "--lane", "pacts"), shop.root)


def test_a_screen_of_a_changed_schema(shop: Workspace) -> None:
    """What fails is told in full, and of what fails nothing there is a line each."""
    added = "".join(f"  string note_{number} = {number + 2};\n" for number in range(14))
    start = 'syntax = "proto3";\npackage shop.v1;\nmessage Product {\n  string name = 1;\n'
    service = "service Catalog {\n  rpc Get(Product) returns (Product);\n"
    shop.write("old/shop.proto", f"{start}}}\n{service}  rpc Find(Product) returns (Product);\n}}\n")
    shop.write("new/shop.proto", f"{start}{added}}}\n{service}}}\n")
    assert_snapshot("changed-schema", shop.run("breaking", "new", "--against", "old"), shop.root)


def test_what_is_unproven_is_counted_where_it_is_not_shown(shop: Workspace) -> None:
    rpcs = "".join(f"  rpc Get{number}(Product) returns (Product);\n" for number in range(14))
    start = 'syntax = "proto3";\npackage shop.v1;\nmessage Product {}\n'
    shop.write("old/shop.proto", f"{start}service Catalog {{\n{rpcs}}}\n")
    shop.write("new/shop.proto", f"{start}service Catalog {{}}\n")
    shop.write("new/buf.yaml", "version: v2\nbreaking:\n  use: [NO_SUCH_RULE]\n")
    said = shop.run("breaking", "new", "--against", "old").stdout
    assert "... and 3 more findings, 1 of them unproven: --format json lists them all" in said


def test_an_error_in_the_configuration(shop: Workspace) -> None:
    shop.configure("participants.catalog.provider", ready_wihtin_s=1)
    assert_snapshot("error-configuration", shop.run("check"), shop.root)


def test_an_error_in_a_pact(shop: Workspace) -> None:
    shop.pact(b'{\n  "consumer": {"name": "web"},\n  "provider": ', "web-catalog")
    assert_snapshot("error-pact", shop.run("check"), shop.root)


def test_an_error_in_a_participant(shop: Workspace) -> None:
    shop.pact(pact("web", "catalog", expecting("a product")))
    assert_snapshot("error-participant", shop.run("verify", "--participant", "catlog"), shop.root)


def test_every_snapshot_belongs_to_a_test() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert {file.stem for file in SNAPSHOTS.iterdir()} == set(re.findall(r'assert_snapshot\("([\w-]+)"', text))


def test_the_normaliser_keeps_what_matters() -> None:
    """Negative control: it hides what differs between runs, and neither counts nor verdicts."""
    told = "/some/where/a: 3 of 4 cases, 1.2 s; port 8080 of process 12 (python) at http://127.0.0.1:99/x within 30 s"
    assert normalised(told, Path("/some/where")) == (
        "ROOT/a: 3 of 4 cases, SECONDS s; port PORT of process PID (NAME) at http://127.0.0.1:PORT/x within 30 s\n"
    )


# --- terminals -------------------------------------------------------------------------------------------------------


def broken_shop(shop: Workspace) -> Workspace:
    shop.pact(pact("web", "catalog", expecting("null", "/null")))
    return shop


@pytest.mark.parametrize("command", [["check"], ["check", "--format", "json"], ["doctor"], ["--help"]])
def test_no_escape_codes_where_there_is_no_terminal(shop: Workspace, command: list[str]) -> None:
    ran = broken_shop(shop).run(*command)
    assert "\x1b" not in ran.stdout + ran.stderr


def on_terminal(shop: Workspace, *arguments: str, **env: str) -> str:
    """What the program writes when its streams are a terminal."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **env}
    with subprocess.Popen(
        [*CLI, *arguments], cwd=shop.root, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        chunks = []
        try:
            while chunk := os.read(ours, 65536):
                chunks.append(chunk)
        except OSError:  # how Linux says that nobody has the other end any more
            pass
        finally:
            os.close(ours)
        process.wait(30)
    return b"".join(chunks).decode()


def test_a_terminal_gets_colour_and_progress(shop: Workspace) -> None:
    text = on_terminal(broken_shop(shop), "check")
    assert "\x1b[1;31mINTERACTION_FAILED\x1b[0m" in text
    assert "verify catalog" in text
    assert "\x1b[?25h" in text, "the cursor is shown again"


def test_no_color_is_respected(shop: Workspace) -> None:
    text = on_terminal(broken_shop(shop), "check", NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", text)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_old_encoding_is_no_traceback(shop: Workspace, encoding: str) -> None:
    env = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    for arguments in (
        ["check", "--list"],
        ["check", "--lane", "pacts"],
        ["check", "--lane", "pacts", "--format", "json"],
    ):
        done = subprocess.run(
            [*CLI, *arguments], cwd=broken_shop(shop).root, env={**os.environ, **env}, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")
