"""The commands behind `wheelwork run`."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from wheelwork.cli.execution import Execution
from wheelwork.cli.jobs import DEFAULT_FOLDER, Job, load_job, paper_job
from wheelwork.cli.run import HERE, run
from wheelwork.errors import InvalidArgument

PLAIN_WIDTH = 100  # of a table that goes to a file or a pipe

run_app = App(
    name="run",
    help="Sweep a machine over one parameter: table, netCDF file, figure.\n\n"
    "`wheelwork run flywheel`, `rotor` and `power-grid` take the published parameters, "
    "`wheelwork run FILE.toml` any others (the folder examples/ explains every key).",
    suppress_keyboard_interrupt=False,
)


@run_app.command
def flywheel(
    *,
    out: Path = DEFAULT_FOLDER,
    points: float = 65,
    bias_max: float = 32.0,
    rtol: float = 1e-6,
    how: Execution = HERE,
) -> int:
    """Sweep the bias of the electromechanical flywheel, parameters of Culhane et al., Fig. 2.

    Writes flywheel.nc, flywheel.png and flywheel.pdf.

    Parameters
    ----------
    out
        Folder for the results; made if it is not there.
    points
        Number of bias values, evenly spaced from 0 to `bias-max`.
    bias_max
        Largest bias mu_L - mu_R, in the unit of the paper's energies.
    rtol
        Relative tolerance; the errors reached are in the results.
    """
    options = {"points": _whole(points), "bias_max": bias_max, "rtol": rtol}
    return _run(paper_job("flywheel", out, **options), how)


@run_app.command
def rotor(
    *,
    out: Path = DEFAULT_FOLDER,
    points: float = 89,
    rtol: float = 1e-9,
    how: Execution = HERE,
) -> int:
    """Sweep the hot bath of the rotor engine, parameters of Leitch et al., Fig. 2.

    Writes rotor.nc, rotor.png and rotor.pdf: flows, regimes, bounds, ergotropies, rectification.

    Parameters
    ----------
    out
        Folder for the results; made if it is not there.
    points
        Number of values of beta_2/beta_1, evenly spaced from 0.02 to 0.9.
    rtol
        Relative tolerance; the errors reached are in the results.
    """
    return _run(paper_job("rotor", out, points=_whole(points), rtol=rtol), how)


@run_app.command(name="power-grid")
def power_grid(
    *,
    out: Path = DEFAULT_FOLDER,
    points: float = 32,
    rtol: float = 1e-9,
    how: Execution = HERE,
) -> int:
    """Sweep the engine of a power grid, parameters of Huber and Rabl, Figs. 2-5.

    Writes power-grid.nc, power-grid.png and power-grid.pdf: current and number of branches over
    both rates, symmetry breaking, noise, entanglement, a grid with several ports. Takes a minute
    or two.

    Parameters
    ----------
    out
        Folder for the results; made if it is not there.
    points
        Number of extraction rates in the table, evenly spaced up to 8 g.
    rtol
        Relative tolerance of the amplitudes without noise.
    """
    return _run(paper_job("power-grid", out, points=_whole(points), rtol=rtol), how)


@run_app.default
def parameter_file(
    file: Annotated[Path, Parameter(name="FILE")],
    /,
    *,
    out: Path | None = None,
    how: Execution = HERE,
) -> int:
    """Sweep a machine over one parameter: table, netCDF file, figure.

    `wheelwork run flywheel`, `rotor` and `power-grid` take the published parameters,
    `wheelwork run FILE.toml` any others (the folder examples/ explains every key).

    Parameters
    ----------
    file
        TOML file; examples/*.toml explain every key. A class that it names is imported, which runs
        its code.
    out
        Folder for the results; before the file's [output] folder, which is before `out`.
    """
    if not file.exists() and file.suffix != ".toml":
        raise InvalidArgument(
            "`run` must be given `flywheel`, `rotor`, `power-grid` or a TOML file, "
            f"but is given '{file}'"
        )
    return _run(load_job(file, out), how)


def _whole(points: float) -> int:
    if points != int(points):  # the parser would cut 2.5 to 2 in silence
        raise InvalidArgument(f"`--points` must be an integer, but is {points!r}")
    return int(points)


def _run(job: Job, how: Execution) -> int:
    out, progress = Console(), Console(stderr=True)
    if not out.is_terminal:
        out = Console(width=PLAIN_WIDTH)
    return run(job, out, progress, how)
