"""A build runs when something changed, once at a time, and is remembered only when it succeeded."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from counterfoil.project.builds import Stamps, digest_of
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import CLI, Workspace, line_of

APPEND = "import pathlib, sys; pathlib.Path('runs').open('a').write('x'); pathlib.Path('out').write_text('built')"


@pytest.fixture
def shop(shop: Workspace) -> Workspace:
    """A participant whose build counts its runs in a file."""
    shop.write("lib/input.txt", "1")
    shop.write("shared.txt", "1")
    shop.configure("participants.lib", dir="lib")
    configure(shop)
    return shop


def configure(shop: Workspace, **changes: object) -> None:
    entry: dict[str, object] = {
        "run": [sys.executable, "-I", "-S", "-c", APPEND],
        "inputs": ["*.txt", "../shared.txt"],
        "outputs": ["out"],
    }
    shop.configure("participants.lib", build=[entry | changes])


def runs(shop: Workspace) -> int:
    """How often the build has run, after asking for it once more."""
    ran = shop.run_here("build")
    assert ran.exit_code == 0, ran.stderr
    started, ended = ran.stderr.splitlines()
    assert started.startswith("started  build lib (")
    assert ended.startswith("ended    build lib (")
    return len((shop.root / "lib/runs").read_text())


def test_a_second_build_is_skipped(shop: Workspace) -> None:
    assert (runs(shop), runs(shop)) == (1, 1)
    assert shop.run("build").stdout.startswith("build  lib  1/1 participant  compatible\n")


def test_a_change_of_an_input_builds_again(shop: Workspace) -> None:
    assert runs(shop) == 1
    shop.write("lib/input.txt", "2")
    assert runs(shop) == 2
    shop.write("lib/added.txt", "")
    assert runs(shop) == 3
    (shop.root / "lib/added.txt").rename(shop.root / "lib/renamed.txt")
    assert runs(shop) == 4
    shop.write("shared.txt", "2")
    assert runs(shop) == 5
    shop.write("lib/no-input.md", "")
    assert runs(shop) == 5


def test_a_change_of_the_command_builds_again(shop: Workspace) -> None:
    assert runs(shop) == 1
    configure(shop, run=[sys.executable, "-I", "-S", "-c", APPEND + " # changed"])
    assert runs(shop) == 2


def test_a_missing_output_builds_again(shop: Workspace) -> None:
    assert runs(shop) == 1
    (shop.root / "lib/out").unlink()
    assert (runs(shop), runs(shop)) == (2, 2)


def test_without_inputs_it_builds_each_time(shop: Workspace) -> None:
    configure(shop, inputs=[])
    assert (runs(shop), runs(shop)) == (1, 2)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"0" * 64], ids=["empty", "garbage", "other"])
def test_a_corrupted_stamp_builds_again(shop: Workspace, content: bytes) -> None:
    assert runs(shop) == 1
    (stamp,) = shop.root.glob(".counterfoil/stamps/*.stamp")
    stamp.write_bytes(content)
    assert (runs(shop), runs(shop)) == (2, 2)


@pytest.mark.fires("BUILD_FAILED")
def test_a_failed_build_is_not_remembered(shop: Workspace) -> None:
    assert runs(shop) == 1
    shop.write("lib/input.txt", "2")
    configure(shop, run=["sh", "-c", "echo broken >&2; exit 3"])
    for _ in range(2):
        report = shop.judge_here("build")
        assert report.exit_code == 3
        assert report.the("BUILD_FAILED", "lib:1")["evidence"][0]["lines"] == ["broken"]
    assert not list(shop.root.glob(".counterfoil/stamps/*.stamp"))
    configure(shop)
    assert runs(shop) == 2


@pytest.mark.silent("BUILD_FAILED", "TOOL_MISSING")
def test_a_build_that_succeeded_says_so_in_json(shop: Workspace) -> None:
    report = shop.judge_here("build")
    assert (report.verdict, report.exit_code, report.findings) == ("compatible", 0, [])
    assert len(report.document["steps"]) == 1


def test_builds_run_in_their_order_and_stop_at_a_failure(shop: Workspace) -> None:
    commands = ("touch a", "test -e a && touch b", "exit 1", "touch c")
    shop.configure("participants.lib", build=[{"run": ["sh", "-c", command]} for command in commands])
    report = shop.judge_here("build")
    assert report.rules == {("BUILD_FAILED", "lib:3")}
    assert sorted(path.name for path in (shop.root / "lib").iterdir()) == ["a", "b", "input.txt"]


def test_two_runs_at_once_build_once(shop: Workspace) -> None:
    """Both start together; the second waits, and finds nothing left to do. None may overlap: the lock file tells."""
    guarded = f"import os; os.close(os.open('lock', os.O_CREAT | os.O_EXCL)); {APPEND}; os.unlink('lock')"
    configure(shop, run=[sys.executable, "-I", "-S", "-c", guarded])
    started = [subprocess.Popen([*CLI, "build"], cwd=shop.root, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [process.wait(30) for process in started] == [0, 0, 0]
    assert (shop.root / "lib/runs").read_text() == "x"


def test_only_the_participants_asked_for_are_built(shop: Workspace) -> None:
    shop.configure("participants.other", dir=".", build=[{"run": ["touch", "other-was-built"]}])
    assert shop.run_here("build", "--participant", "lib").exit_code == 0
    assert not (shop.root / "other-was-built").exists()
    ran = shop.run_here("build", "--participant", "libs")
    assert ran.exit_code == 2
    assert ran.error["why"] == "did you mean 'lib'? valid: lib, other"


def test_nothing_half_written_is_left(shop: Workspace) -> None:
    assert runs(shop) == 1
    assert {path.suffix for path in (shop.root / ".counterfoil").rglob("*") if path.is_file()} <= {".lock", ".stamp"}
    assert line_of(shop.file.read_text(), "participants.lib")


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=3), st.binary(max_size=4), min_size=1, max_size=4),
    st.binary(max_size=4),
)
def test_a_digest_sees_every_change(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("digest")
    for name, data in files.items():
        (folder / name).write_bytes(data)
    before = digest_of(folder, ["*"], ["make"])
    assert digest_of(folder, ["*", "*"], ["make"]) == before
    assert digest_of(folder, ["*"], ["make", "all"]) != before
    name = min(files)
    (folder / name).write_bytes(content)
    assert (digest_of(folder, ["*"], ["make"]) == before) == (content == files[name])


def test_a_stamp_holds_for_its_digest_alone(tmp_path: Path) -> None:
    stamps = Stamps(tmp_path / "stamps")
    assert not stamps.matches("a", "1")
    with stamps.held("a", threading.Event()):
        stamps.write("a", "1")
    assert stamps.matches("a", "1")
    assert not stamps.matches("a", "2")
    assert not stamps.matches("b", "1")
    stamps.forget("a")
    stamps.forget("a")
    assert not stamps.matches("a", "1")
