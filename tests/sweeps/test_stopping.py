"""Real signals, from a terminal and a batch system: one line, no traceback, a whole store."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sweep_systems import notes

from wheelwork.sweeps import status

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs POSIX signals")

HERE = Path(__file__).parent
PATIENCE = 60.0
POINTS = 400

PROGRAM = f"""
import signal, sys
import numpy as np
sys.path.insert(0, {str(HERE)!r})
signal.signal(signal.SIGINT, signal.default_int_handler)  # the tests may run without
from sweep_systems import Thermal, note
from wheelwork.sweeps import Processes, sweep
from wheelwork.sweeps.execution import processes

start = processes._Process.start
def noted(process):
    start(process)
    note("started", str(process.pid))
processes._Process.start = noted

machine = Thermal(seconds=0.02, log="log")
try:
    sweep(machine, {{"frequency": np.linspace(0.1, 10.0, {POINTS})}}, store="store",
          executor=Processes(2))
except KeyboardInterrupt as reason:
    print(reason, flush=True)
    raise
"""

COMMAND = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from wheelwork.cli import main
sys.exit(main(["run", "job.toml", "--workers", "2", "--store", "store"]))
"""

JOB = f"""
machine = "{HERE / "sweep_systems.py"}:Thermal"

[device]
seconds = 0.02
log = "log"

[sweep]
parameter = "frequency"
start = 0.1
stop = 10.0
points = {POINTS}

[output]
folder = "out"
"""


class Program:
    """A Python program in a group of processes of its own, as a terminal has it."""

    def __init__(self, folder, code):
        self.output, self.errors = folder / "output.txt", folder / "errors.txt"
        with self.output.open("w") as output, self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-"], cwd=folder, start_new_session=True,
                stdin=subprocess.PIPE, stdout=output, stderr=errors,
            )  # fmt: skip
        self.process.stdin.write(code.encode())
        self.process.stdin.close()

    def ctrl_c(self):
        os.killpg(self.process.pid, signal.SIGINT)

    def ended(self):
        """Wait for the end; return the exit code and what was printed on either stream."""
        code = self.process.wait(PATIENCE)
        return code, self.output.read_text(), self.errors.read_text()


@pytest.fixture
def start(tmp_path):
    """Start programs, which end with the test."""
    started = []

    def begin(code):
        started.append(Program(tmp_path, code))
        return started[-1]

    yield begin
    for program in started:
        if program.process.poll() is None:
            os.killpg(program.process.pid, signal.SIGKILL)
            program.process.wait()


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def wait_for_notes(path, count):
    wait_for(lambda: len(notes(path)) >= count)


def test_ctrl_c_before_the_first_point_is_an_interrupt_and_workers_say_nothing(start, tmp_path):
    program = start(PROGRAM)
    wait_for_notes(tmp_path / "started", 2)  # processes that have not got to Python yet
    program.ctrl_c()
    code, output, errors = program.ended()
    assert code == -signal.SIGINT  # as of any Python program that Ctrl-C ends
    assert output == (
        f"0 of {POINTS} points are stored in 'store': call again with the same arguments to go on\n"
    )
    assert errors.count("Traceback") == 1
    assert "resource_tracker" not in errors


def test_sigterm_ends_a_program_with_its_workers_and_frees_all(start, tmp_path):
    program = start(PROGRAM)
    wait_for_notes(tmp_path / "log", 20)
    program.process.terminate()
    assert program.ended() == (143, "", "")
    found = status(tmp_path / "store")
    assert (found.damaged, found.writers) == (0, 0)
    assert 0 < found.done < POINTS


def test_ctrl_c_at_the_command_line_is_one_line_at_once_and_again_ends_it(start, tmp_path):
    (tmp_path / "job.toml").write_text(JOB)
    program = start(COMMAND)
    wait_for_notes(tmp_path / "log", 20)
    program.ctrl_c()
    wait_for(lambda: "stopping" in program.errors.read_text())
    program.ctrl_c()  # while results are written
    code, _, errors = program.ended()
    assert code == 130
    done = status(tmp_path / "store").done
    first, *more = errors.splitlines()
    assert first == (
        f"stopping: {done} of {POINTS} points are stored; resume with: wheelwork resume store"
    )
    assert more in ([], ["interrupted again: not everything was written"])
