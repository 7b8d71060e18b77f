"""The program `nixpy`, and `python -m nixpy`."""

import sys


def run() -> None:
    """Run the command line.

    Ctrl-C and bugs are also reported while its modules are imported.
    """
    try:
        from nixpy.cli.main import main

        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001  (the last handler: without it, the exit status would mean diagnostics)
        from nixpy.core.fault import Fault

        fault = Fault(error, command="nixpy")
        if sys.stderr is not None:  # closed by `2>&-`
            sys.stderr.write(f"error[{fault.code}]: {fault}\n  hint: {fault.hint}\n{fault.trace()}")
        sys.exit(2)


if __name__ == "__main__":
    run()
