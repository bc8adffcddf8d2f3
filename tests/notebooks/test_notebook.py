"""A notebook, executed: classes of its cells in worker processes, progress, the command line."""

import pytest

nbclient = pytest.importorskip("nbclient", reason="notebooks are executed where nbclient is")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")
pytestmark = pytest.mark.filterwarnings("default")  # what Jupyter warns of is its own affair

OWN_CLASSES = """
import dataclasses, types
import wheelwork as ww
from wheelwork.sweeps import Processes

@dataclasses.dataclass(frozen=True)
class Square:
    x: float = 0.0

    def replace(self, **fields):
        return dataclasses.replace(self, **fields)

    def steady_state(self, method=None):
        return types.SimpleNamespace(observables={"y": power(self.x)}, errors={}, audit={})

def power(x):
    return x**2

class Own(ww.WideBand):
    def sample(self, frequency):
        return super().sample(frequency)
"""

SWEEP = """
found = ww.sweep(Square(), {"x": [1.0, 2.0, 3.0]}, executor=Processes(2), progress=True)
print(found.y.values.tolist())
"""

LINE_SHAPE = """
device = ww.Flywheel.paper(bias=4.0)
leads = (dataclasses.replace(lead, lineshape=Own(lead.lineshape.rate)) for lead in device.leads)
found = ww.sweep(device.replace(leads=tuple(leads)), {"bias": [4.0]}, ww.FokkerPlanck(1e-3),
                 executor=Processes(1))
print(found.failure.values.tolist())
"""

COMMAND = """
from wheelwork.cli import main
main(["run", "rotor", "--points", "2", "--out", "results"])
"""

INTERRUPT = """
import os, signal

def interrupt(point):
    os.kill(os.getpid(), signal.SIGINT)

try:
    ww.sweep(Square(), {"x": [1.0, 2.0, 3.0]}, on_point=interrupt)
except KeyboardInterrupt as stopped:
    print(stopped, stopped.dataset.attrs["complete"])
"""

FIGURE = """
from wheelwork.plots import sweep_sheet
sweep_sheet(found)
"""


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Outputs of each cell."""
    cells = (OWN_CLASSES, SWEEP, LINE_SHAPE, COMMAND, INTERRUPT, FIGURE)
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    folder = str(tmp_path_factory.mktemp("notebook"))
    resources = {"metadata": {"path": folder}}
    nbclient.NotebookClient(notebook, timeout=300, resources=resources).execute()
    return [cell.outputs for cell in notebook.cells]


def printed(cell):
    return "".join(part["text"] for part in cell if part["output_type"] == "stream")


def test_classes_and_functions_of_cells_go_to_workers(outputs):
    assert printed(outputs[1]) == "[1.0, 4.0, 9.0]\n"
    assert printed(outputs[2]) == "['']\n"


def test_progress_is_one_line_of_the_output(outputs):
    (line,) = [part for part in outputs[1] if part["output_type"] == "display_data"]
    assert line["data"]["text/plain"].startswith("points, 3 of 3 [####################]")


def test_the_command_line_asks_for_no_widgets(outputs):
    text = str(outputs[3])
    assert "rotor.nc" in text
    assert "ipywidgets" not in text


def test_an_interrupted_cell_says_what_it_has(outputs):
    assert "of 3 points are done: `dataset` of this exception holds them 0" in printed(outputs[4])


def test_a_figure_is_shown_without_pyplot(outputs):
    (shown,) = outputs[5]
    assert "image/png" in shown["data"]
