"""Runs every benchmark and prints its figures: `python -m benchmarks [NAME ...]`."""

from __future__ import annotations

import sys

from benchmarks import ledger, main_job, probe

BENCHMARKS = {
    "main-job": main_job.run,
    "probe-driver": probe.driver,
    "probe-lattice": probe.full_lattice,
    "probe-equals": probe.equals,
    "probe-memory": probe.memory,
    "ledger": ledger.run,
}


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all; 2 for a name that nobody knows."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"unknown benchmark '{unknown[0]}'; valid: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        print(f"== {name}")
        for line in BENCHMARKS[name]():
            print(f"  {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
