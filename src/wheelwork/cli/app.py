"""The command line: commands, options, exit codes."""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from cyclopts import App, CycloptsError

from wheelwork.cli.exit_codes import BAD_INPUT, FAILURE, FINISHED, INTERRUPTED, PIPE_CLOSED
from wheelwork.cli.terminal import accept_all_characters, open_closed_streams
from wheelwork.errors import InvalidArgument, WheelworkError

app = App(
    name="wheelwork",
    help="Autonomous quantum machines: steady states, stored work, and the error of every number.",
    version=lambda: version("wheelwork"),
    help_epilogue="Exit codes: 0 all computed, 1 failure or points without a result, "
    "2 bad input, 3 points missing in a store, 130 interrupted and 143 terminated (what was done "
    "is kept), 141 the reader of the output has gone.",
    suppress_keyboard_interrupt=False,
)
for name, words in (  # as text: a command loads when it is asked for
    ("run", "Sweep a machine over one parameter: table, netCDF file, figure."),
    ("status", "Say how far the sweep in a store is."),
    ("resume", "Go on with the job of a store."),
    ("collect", "Write all points of a store to one file."),
    ("schema", "Print the JSON schema of parameter files."),
):
    function = "run_app" if name == "run" else name
    app.command(f"wheelwork.cli.commands:{function}", name=name, help=words)

app.register_install_completion_command()


def main(tokens: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; every error is one line on stderr."""
    for library in ("OMP", "OPENBLAS", "MKL"):
        # The matrices of a point are small: more threads only wait for each other.
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    open_closed_streams()
    accept_all_characters()
    try:
        command, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
        code = command(*bound.args, **bound.kwargs)
        sys.stdout.flush()
        return code if isinstance(code, int) else FINISHED
    except CycloptsError as reason:
        return _complain(" ".join(str(reason).split()), BAD_INPUT)
    except InvalidArgument as reason:
        return _complain(str(reason), BAD_INPUT)
    except BrokenPipeError:  # whoever read the output, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except SystemExit as end:  # by which Rich ends a program whose reader has gone
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        return PIPE_CLOSED
    except (WheelworkError, OSError, MemoryError) as reason:
        return _complain(str(reason) or type(reason).__name__, FAILURE)
    except KeyboardInterrupt:
        return _complain("interrupted; nothing written", INTERRUPTED)


def _complain(message: str, code: int) -> int:
    for line in message.splitlines():
        print(f"wheelwork: {line}", file=sys.stderr)
    return code
