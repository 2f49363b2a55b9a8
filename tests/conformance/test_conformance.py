"""Protobuf's own conformance tests, run against our runtime stubs; and that a bad run is not taken for a good one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.runner import (
    HERE,
    ConformanceStub,
    UnavailableError,
    complaints,
    judge,
    known_stubs,
    read_suites,
)

SUITE = "CONFORMANCE SUITE {}: {} successes, {} skipped, 8 expected failures, {} unexpected failures.\n"
STUB = ConformanceStub("some", ["stub"], [], {}, "some", [0, 883])


@pytest.mark.parametrize("name", known_stubs())
def test_a_runtime_stub_passes_what_is_not_listed_with_a_cause(name: str) -> None:
    try:
        suites, wrong = judge(known_stubs()[name])
    except UnavailableError as error:
        pytest.skip(str(error))
    assert wrong == []
    assert suites[0].successes > 2000


@pytest.mark.parametrize(
    ("told", "exit_code"),
    [
        ("", 0),
        ("", 1),
        (SUITE.format("PASSED", 5559, 0, 0), 0),
        (SUITE.format("PASSED", 0, 5567, 0) + SUITE.format("PASSED", 0, 883, 0), 0),
        (SUITE.format("FAILED", 5559, 0, 1) + SUITE.format("PASSED", 0, 883, 0), 1),
        (SUITE.format("PASSED", 5559, 0, 0) + SUITE.format("PASSED", 800, 0, 0), 0),
    ],
    ids=["silent", "crashed", "one suite", "skips everything", "fails", "skips less than listed"],
)
def test_a_bad_run_is_told_from_a_good_one(told: str, exit_code: int) -> None:
    assert complaints(STUB, read_suites(told), exit_code, told)


def test_a_good_run_has_nothing_wrong() -> None:
    told = SUITE.format("PASSED", 5559, 0, 0) + SUITE.format("PASSED", 0, 883, 0)
    assert complaints(STUB, read_suites(told), 0, told) == []


@pytest.mark.parametrize("path", sorted(HERE.glob("*.txt")), ids=lambda path: path.name)
def test_every_known_failure_has_a_cause(path: Path) -> None:
    for paragraph in path.read_text(encoding="utf-8").split("\n\n"):
        assert paragraph.startswith("# "), f"no cause stands above: {paragraph}"
