"""Sweeps on a cluster: two workers on this machine, and one that dies."""

import os
import signal
import threading
import time
import warnings
from dataclasses import replace

import numpy as np
import pytest
from sweep_systems import Thermal, notes

from wheelwork.sweeps import collect, sweep
from wheelwork.sweeps.export import same_numbers

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("default")  # what the cluster warns of is its own affair

VALUES = {"frequency": np.linspace(0.1, 10.0, 300)}
MACHINE = Thermal(limit=9.5)


@pytest.fixture(scope="module")
def client():
    with (
        warnings.catch_warnings(),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_a_cluster_gives_the_same_and_so_when_a_worker_is_killed(client, tmp_path):
    reference = sweep(MACHINE, VALUES)
    with client.get_executor() as executor:
        assert same_numbers(sweep(MACHINE, VALUES, executor=executor), reference)

    log = tmp_path / "log"
    machine = replace(MACHINE, seconds=0.004, log=str(log))
    workers = list(client.run(os.getpid).values())
    assert len(workers) == 2

    def kill_one_midway():
        while len(notes(log)) < 100:
            time.sleep(0.005)
        os.kill(workers[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_one_midway)
    killer.start()
    with client.get_executor() as executor:
        found = sweep(machine, VALUES, executor=executor, store=tmp_path / "store", workers=2)
    killer.join()
    assert workers[0] not in client.run(os.getpid).values()
    assert same_numbers(found.drop_attrs(deep=False), reference.drop_attrs(deep=False))
    assert same_numbers(collect(tmp_path / "store"), found)
