"""`pellucid` as a process, which signals reach and whose output may be cut off; `python -m pellucid` is the same."""

from pellucid import stopping


def main() -> None:
    """Run the command line and end the process; signals are heeded before the rest is imported."""
    stopping.begin()
    import os
    import sys

    from pellucid import cli
    from pellucid.cli.starter import starter
    from pellucid.cli.streams import open_streams

    if starter() == os.getppid():  # which says what there is to say
        stopping.keep_silent()

    out = open_streams()
    code = cli.run(sys.argv[1:])
    sys.stdout.flush()
    stopping.at_once()
    sys.exit(out.judged(code))


if __name__ == "__main__":
    main()
