"""`python -m tests.campaign [ROW...] [--share S]`: disturb everything, count failures, write them down.

Without names every row is done. `--share` does that share of each row's cases, to try it.
"""

import argparse
import json
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
RESULTS = TESTS.parent / "docs" / "results" / "reliability.json"
# tests import each other by plain names
sys.path.insert(0, str(TESTS))


def main() -> int:
    """Run the rows that are named, or all; the exit code is 1 where something failed."""
    from campaign.rows import ROWS, Counted

    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--share", type=float, default=1.0)
    given = parser.parse_args()
    if unknown := set(given.names) - set(ROWS):
        parser.error(f"no row is called {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    failed = False
    for name in given.names or ROWS:
        counted: Counted = ROWS[name].count(given.share)
        failed = failed or bool(counted.failures)
        print(f"{name}: {counted.count}, failures: {len(counted.failures)}", flush=True)
        for failure in counted.failures:
            print(f"    {failure}", flush=True)
        if given.share == 1:
            known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
            known[name] = {"count": counted.count, "failures": len(counted.failures)}
            RESULTS.write_text(json.dumps({row: known[row] for row in ROWS if row in known}, indent=2) + "\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
