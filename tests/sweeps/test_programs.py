"""Programs that other processes cannot import: the machine is sent, or one line says why not."""

import subprocess
import sys

PROGRAM = '''
import dataclasses, types, warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import wheelwork as ww
from wheelwork.sweeps import Processes


class Strained(ww.ValidityWarning):
    """A warning that only this program knows."""


class Broken(Exception):
    """An exception that only this program knows."""


@dataclasses.dataclass(frozen=True)
class Square:
    x: float = 0.0

    def replace(self, **fields):
        return dataclasses.replace(self, **fields)

    def steady_state(self, method=None):
        if self.x == 2.0:
            warnings.warn("strained", Strained, stacklevel=1)
        if self.x == 3.0:
            raise Broken("at three")
        return types.SimpleNamespace(observables={"y": self.x**2}, errors={}, audit={})


heard = []
warnings.showwarning = lambda message, category, *place: heard.append(category.__name__)
dataset = ww.sweep(Square(), {"x": [1.0, 2.0, 3.0]}, executor=Processes(2))
print(dataset.y.values.tolist(), dataset.warning.values.tolist(), heard)
print(dataset.failure.values[2])
'''

POOL = """
if __name__ == "__main__":
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        try:
            print(ww.sweep(Square(), {"x": [1.0]}, executor=pool).y.values.tolist())
        except ww.InvalidArgument as reason:
            print(reason)
"""

EXPECTED = "[1.0, 4.0, nan] ['', 'strained', ''] ['ValidityWarning']"


def output_of(*arguments, **options):
    """Lines that a Python program prints; it must not fail, nor complain."""
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=120, **options
    )
    assert done.returncode == 0
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_program_on_standard_input_computes_with_processes_or_says_why_not():
    first, second, third = output_of("-", input=PROGRAM + POOL)
    assert first == EXPECTED
    assert second.startswith("Broken: at three (<stdin>, line")
    assert third.startswith("`executor` must be Processes(n) where the program is no file")


def test_a_script_without_a_guard_computes_with_processes(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(PROGRAM)
    first, second = output_of(str(script))
    assert first == EXPECTED
    assert second.startswith("Broken: at three")
