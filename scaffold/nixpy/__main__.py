"""The program `nixpy`, and `python -m nixpy`."""

import sys


def run() -> None:
    """Run the command line; Ctrl-C ends it quietly also while its modules are loaded."""
    try:
        from nixpy.cli.main import main

        main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    run()
