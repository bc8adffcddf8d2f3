"""What tests of stores share: the sweep, its files, and processes that fill it."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
FREQUENCIES = np.linspace(0.1, 10.0, 12)
VALUES = {"frequency": FREQUENCIES}


def entries(store):
    """All entries of all journals of a store that are whole."""
    found = []
    for path in sorted((Path(store) / "journals").iterdir()):
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                found.append(json.loads(line[17:]))
    return found


def stored(store):
    """How often each frequency is stored."""
    return Counter(entry["at"]["frequency"].hex() for entry in entries(store) if "point" in entry)


class Zygote:
    """A process that forks sweeps (see `sweep_zygote`)."""

    def __init__(self, folder):
        self.folder = folder
        self.errors = folder / "errors.txt"
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE / "sweep_zygote.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def start(self, store, machine, values, **options):
        """Start a sweep and return its process id."""
        lists = {name: list(column) for name, column in values.items()}
        order = {"folder": str(self.folder), "store": store, "machine": machine, "values": lists}
        return int(self._ask(order | options))

    def wait(self, child):
        """Return the exit code of a sweep, minus the signal where it was killed."""
        return int(self._ask({"wait": child}))

    def run(self, store, machine, values, **options):
        """Carry out a sweep; return its exit code."""
        return self.wait(self.start(store, machine, values, **options))

    def _ask(self, order):
        print(json.dumps(order), file=self.process.stdin, flush=True)
        return self.process.stdout.readline()

    def close(self):
        """End it."""
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()
