"""Stores and real processes: killed, at work together, out of room."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from store_tools import entries, stored
from sweep_systems import Thermal, notes

from wheelwork.sweeps import collect, status, sweep
from wheelwork.sweeps.execution import Share
from wheelwork.sweeps.export import same_numbers

KILLS = 20
VALUES = {"frequency": np.linspace(0.1, 10.0, 300)}


def machine_with(log, **fields):
    return {"limit": 9.5, "seconds": 0.003, "log": str(log)} | fields


def uninterrupted(machine):
    """The dataset that the store must give, computed at once, without a trace in the log."""
    quick = sweep(Thermal(**machine | {"seconds": 0.0, "log": ""}), VALUES)
    return quick.drop_attrs(deep=False)


def wait_for_lines(log, count, patience=30.0):
    end = time.monotonic() + patience
    while len(notes(log)) < count:
        assert time.monotonic() < end
        time.sleep(0.001)


def test_killed_at_random_moments_and_resumed_nothing_is_lost_or_done_twice(zygote, tmp_path):
    log, store = tmp_path / "log", tmp_path / "store"
    machine, moments = machine_with(log), random.Random(1)
    for _ in range(KILLS):
        before, lines = stored(store) if store.exists() else Counter(), len(notes(log))
        child = zygote.start("store", machine, VALUES)
        wait_for_lines(log, lines + 1)
        time.sleep(moments.uniform(0.0, 0.04))
        os.kill(child, signal.SIGKILL)
        assert zygote.wait(child) == -signal.SIGKILL
        again = [line.split()[0] for line in notes(log)[lines:]]
        assert not before.keys() & set(again)
    assert 0 < len(stored(store)) < 300
    assert status(store).writers == 0
    assert zygote.run("store", machine, VALUES) == 0
    assert same_numbers(collect(store).drop_attrs(deep=False), uninterrupted(machine))
    assert set(stored(store).values()) == {1}
    assert 300 <= len(notes(log)) <= 300 + KILLS  # one in flight at each death


def children_of(process):
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == process and fields[0] != "Z":
                found.append(int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_killed_with_workers_they_end_too_and_the_store_goes_on(zygote, tmp_path):
    log, store = tmp_path / "log", tmp_path / "store"
    machine = machine_with(log)
    for round_ in range(2):
        before, lines = stored(store) if store.exists() else Counter(), len(notes(log))
        child = zygote.start("store", machine, VALUES, workers=2)
        wait_for_lines(log, lines + 20)
        workers = children_of(child)
        assert len(workers) >= 2
        os.kill(child, signal.SIGKILL)
        zygote.wait(child)
        end = time.monotonic() + 20
        while any(Path(f"/proc/{worker}").exists() for worker in workers):
            assert time.monotonic() < end, f"a worker outlived its parent (round {round_})"
            time.sleep(0.02)
        assert not before.keys() & {line.split()[0] for line in notes(log)[lines:]}
        assert status(store).writers == 0
    assert zygote.run("store", machine, VALUES) == 0
    assert same_numbers(collect(store).drop_attrs(deep=False), uninterrupted(machine))
    assert set(stored(store).values()) == {1}


def test_two_processes_share_the_work_and_survive_each_other(zygote, tmp_path):
    log, store = tmp_path / "log", tmp_path / "store"
    machine = machine_with(log)
    one, two = (zygote.start("store", machine, VALUES) for _ in range(2))
    wait_for_lines(log, 100)
    os.kill(one, signal.SIGKILL)
    assert zygote.wait(two) == 0  # it takes over what the other had claimed
    assert zygote.wait(one) == -signal.SIGKILL
    assert same_numbers(collect(store).drop_attrs(deep=False), uninterrupted(machine))
    assert set(stored(store).values()) == {1}
    assert len(notes(log)) <= 301
    writers = [entry["process"] for entry in entries(store) if "writer" in entry]
    assert sorted(writers) == sorted([one, two])


def test_shards_make_up_the_whole(zygote, tmp_path):
    log, store = tmp_path / "log", tmp_path / "store"
    machine = machine_with(log, seconds=0.001)
    shards = [{"shard": [1, 3]}, {"shard": [2, 3]}, {"shard": [3, 3]}, {"shard": [1, 3]}, {}]
    children = [zygote.start("store", machine, VALUES, **shard) for shard in shards]
    assert [zygote.wait(child) for child in children] == [0] * 5
    assert len(notes(log)) == 300
    assert same_numbers(collect(store).drop_attrs(deep=False), uninterrupted(machine))


def test_a_forked_child_does_not_hold_the_locks_of_its_parent(tmp_path):
    code = f"""
import os
from pathlib import Path
from wheelwork.sweeps.store.files import close, is_held, open_locked
path = Path({str(tmp_path / "file")!r})
held = open_locked(path, os.O_RDWR | os.O_CREAT)
assert is_held(path)
reading, writing = os.pipe()
ready, say_ready = os.pipe()
child = os.fork()
if child == 0:
    os.write(say_ready, b"x")
    os.read(reading, 1)
    os._exit(0)
os.read(ready, 1)
assert is_held(path)
close(held)
assert not is_held(path)
os.write(writing, b"x")
os.waitpid(child, 0)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_shard_computes_its_part_only():
    seen = []
    values = {"frequency": np.linspace(1.0, 2.0, 7)}
    dataset = sweep(Thermal(), values, shard=(2, 3), on_point=seen.append)
    assert [point.index for point in seen] == [1, 4]
    assert dataset.attrs["complete"] == 0
    assert Share(3, 3).number == 3


def test_a_real_lack_of_room_is_told_and_the_store_stays_valid(zygote, tmp_path):
    machine = machine_with(tmp_path / "log", seconds=0.0)
    # a limit on the size of files stands in for a full disk: the manifest fits, the points do not
    assert zygote.run("store", machine, VALUES, largest=30_000) == 7
    assert "cannot write into the store 'store': File too large" in zygote.errors.read_text()
    found = status(tmp_path / "store")
    assert found.damaged == 0
    assert 0 < found.done < 300
    assert zygote.run("store", machine, VALUES) == 0
    assert same_numbers(collect(tmp_path / "store").drop_attrs(deep=False), uninterrupted(machine))


def test_a_read_only_store_is_told_and_stays_valid(zygote, tmp_path):
    machine = machine_with(tmp_path / "log", seconds=0.0)
    assert zygote.run("store", machine, VALUES, shard=[1, 2]) == 0
    before = collect(tmp_path / "store", partial=True)
    folders = (tmp_path / "store", tmp_path / "store" / "journals")
    (tmp_path / "store" / "lock").chmod(0o444)
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert zygote.run("store", machine, VALUES, user=65534) == 7
        assert "'store': Permission denied" in zygote.errors.read_text()
        assert same_numbers(collect(tmp_path / "store", partial=True), before)
    finally:
        for folder in folders:
            folder.chmod(0o755)
