"""A study shared by the tasks of a SLURM array, by submitit.

python examples/study_on_slurm.py noack2021-mnist --scale hour --data /shared/mnist --out /shared/studies
"""

import argparse
import subprocess
import sys

import submitit


def study(*arguments: str) -> int:
    """Give `pellucid study` on whatever machine this is carried out."""
    return subprocess.run([sys.executable, "-m", "pellucid", "study", *arguments], check=False).returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", type=int, default=8)
    parser.add_argument("--cluster", default="slurm", help="local tries it on this machine")
    mine, words = parser.parse_known_args()
    executor = submitit.AutoExecutor(folder="submitit", cluster=mine.cluster)
    executor.update_parameters(timeout_min=240, cpus_per_task=2)
    with executor.batch():
        jobs = [executor.submit(study, *words, "--part", f"{part}/{mine.parts}") for part in range(1, mine.parts + 1)]
    for job in jobs:
        job.result()
    # what is missing, as of a task that was ended, is made here; then the claims are printed
    sys.exit(study(*words))


if __name__ == "__main__":
    main()
