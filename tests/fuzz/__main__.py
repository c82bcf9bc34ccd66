"""Look for inputs that fail: `python -m tests.fuzz --runs 100000 [TARGET ...]`.

Where atheris is installed (it is no part of the environment), coverage guides the search; else inputs are made from
the corpus at random. What fails is put into the corpus, where the quick suite tries it from then on.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bounded import bounded

_MORE = 3 * 2**30  # bytes beyond what the process has


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    words.add_argument("targets", nargs="*")
    words.add_argument("--runs", type=int, default=100_000)
    words.add_argument("--seconds", type=float, default=0.0, help="stop each target after so long")
    words.add_argument("--seed", type=int, default=int(time.time()))
    words.add_argument("--guided", action="store_true", help="by coverage, with atheris: one target a process")
    words.add_argument("--json", type=Path, help="add what came out to this file")
    asked = words.parse_args()
    atheris: Any = __import__("atheris") if asked.guided else None
    if atheris is not None:
        with atheris.instrument_imports(include=["pellucid", "zipfile", "tarfile", "json", "tomllib", "pickletools"]):
            from fuzz.targets import TARGETS
    else:
        from fuzz.targets import TARGETS
    from fuzz.mutate import mutations
    from fuzz.running import Tally, keep, known, run

    failed = 0
    for name in asked.targets or TARGETS:
        tally = Tally()
        seeds = known(name)
        with tempfile.TemporaryDirectory() as place, bounded(_MORE):
            scratch, read = Path(place), TARGETS[name]
            run(read, seeds, scratch, Tally())  # what is imported at first use is no input's doing
            began = time.monotonic()

            def over(began: float = began) -> bool:
                return bool(asked.seconds) and time.monotonic() - began > asked.seconds

            def one(content: bytes, read: Any = read, scratch: Path = scratch, tally: Tally = tally) -> None:
                run(read, [content], scratch, tally, timed=True)

            def finish(name: str = name, tally: Tally = tally) -> int:
                for words, content in tally.failures.items():
                    sys.stdout.write(f"{name}: {words}: {keep(name, content)}\n")
                line = {"inputs": tally.inputs, "refused": tally.refused, "failures": len(tally.failures)}
                line["guided"] = asked.guided
                sys.stdout.write(f"{name}: {line}, {tally.seconds:.0f} s\n")
                sys.stdout.flush()
                if asked.json:
                    _add(asked.json, name, line)
                return len(tally.failures)

            if atheris is not None:

                def guided(content: bytes, tally: Tally = tally, place: str = place) -> None:
                    one(content)
                    if tally.inputs >= asked.runs or over():
                        code = bool(finish())
                        shutil.rmtree(place)
                        os._exit(code)  # the library below would end the process without a word

                found = scratch / "found"
                found.mkdir()
                for number, content in enumerate(seeds):
                    (found / f"seed-{number}").write_bytes(content)
                options = ["-runs=-1", "-rss_limit_mb=0", "-timeout=60", f"-seed={asked.seed % 2**31}"]
                atheris.Setup(["fuzz", *options, "-max_len=20000", "-verbosity=0", str(found)], guided)
                atheris.Fuzz()
            for content in mutations(seeds, asked.runs, seed=asked.seed):
                one(content)
                if over():
                    break
            failed += finish()
    return bool(failed)


def _add(path: Path, name: str, line: dict[str, Any]) -> None:
    content = json.loads(path.read_text()) if path.exists() else {}
    before = content.get(name, {"inputs": 0, "refused": 0})
    line = {**line, **{key: before[key] + line[key] for key in ("inputs", "refused")}}
    path.write_text(json.dumps({**content, name: line}, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(main())
