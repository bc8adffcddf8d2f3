"""A process that forks sweeps on demand, so that killing twenty of them costs no start-up time.

Reads lines of JSON: {"store", "machine", "values", ...}; answers with the process id of each.
"""

import json
import os
import resource
import sys

import numpy as np
from sweep_systems import Thermal

from wheelwork.sweeps import Processes, StoreError, sweep
from wheelwork.sweeps.identity import code_version

FAILED = 7


def run(order):
    """Carry out one sweep; exit code 7 with the message in `answer` for a failing store."""
    os.chdir(order["folder"])
    if "largest" in order:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["largest"], order["largest"]))
    if "user" in order and os.getuid() == 0:
        os.setuid(order["user"])
    executor = Processes(order["workers"]) if "workers" in order else None
    machine = Thermal(**order["machine"])
    values = {name: np.array(column) for name, column in order["values"].items()}
    try:
        sweep(machine, values, store=order["store"], executor=executor, shard=order.get("shard"))
    except StoreError as reason:
        print(json.dumps(str(reason)), file=sys.stderr, flush=True)
        return FAILED
    return 0


def main():
    code_version()  # once: all are of one version
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = run(order)
            finally:
                os._exit(code)
        print(child, flush=True)


if __name__ == "__main__":
    main()
