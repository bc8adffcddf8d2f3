"""A store never gives a wrong number, never the numbers of another sweep, and loses none."""

import errno
import json
import os
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest
from store_tools import VALUES, entries, stored
from sweep_systems import Thermal, notes

from wheelwork.errors import InvalidArgument
from wheelwork.sweeps import StoreError, Zipped, case_sweep, collect, identity, status, sweep
from wheelwork.sweeps.export import same_numbers
from wheelwork.sweeps.store import journal, open_store

MACHINE = Thermal(limit=9.5)


@pytest.fixture
def reference():
    return sweep(MACHINE, VALUES)


@pytest.fixture
def filled(tmp_path):
    sweep(MACHINE, {"frequency": VALUES["frequency"][:3]}, store=tmp_path / "store")
    return tmp_path / "store"


def only_journal(store):
    (path,) = (store / "journals").iterdir()
    return path


def test_a_store_changes_no_number_and_collects_to_the_same(tmp_path, reference):
    kept = sweep(MACHINE, VALUES, store=tmp_path / "store")
    assert same_numbers(kept, reference)
    assert same_numbers(collect(tmp_path / "store"), reference)


def test_nothing_is_computed_again(tmp_path):
    log = tmp_path / "log"
    machine = replace(MACHINE, log=str(log))
    first = sweep(machine, VALUES, store=tmp_path / "store")
    seen = []
    again = sweep(machine, VALUES, store=tmp_path / "store", on_point=seen.append)
    assert same_numbers(first, again)
    assert len(notes(log)) == 12
    assert [point.stored for point in seen] == [True] * 12
    assert set(stored(tmp_path / "store").values()) == {1}


def test_equal_parameters_are_computed_once(tmp_path):
    log = tmp_path / "log"
    machine = replace(MACHINE, log=str(log))
    table = Zipped({"frequency": [1.0, 2.0, 1.0]})
    dataset = sweep(machine, table, store=tmp_path / "store")
    assert len(notes(log)) == 2
    assert dataset.occupation.values[0] == dataset.occupation.values[2]
    assert same_numbers(collect(tmp_path / "store"), dataset)
    assert status(tmp_path / "store").complete


def accepted(store):
    """What the store takes for entries, and how many lines it refuses."""
    readers = open_store(store).readers()
    found = [entry for reader in readers for entry in reader.news(final=True)]
    return found, sum(reader.damaged for reader in readers)


def test_a_journal_cut_at_any_byte_gives_only_whole_lines(filled):
    path = only_journal(filled)
    content, whole = path.read_bytes(), entries(filled)
    ends = [i + 1 for i, byte in enumerate(content) if byte == ord("\n")]
    assert [entry for entry in whole if "point" in entry]
    for length in range(len(content)):
        path.write_bytes(content[:length])
        found, damaged = accepted(filled)
        assert found == whole[: sum(end <= length for end in ends)]
        assert damaged == (length > 0 and length not in ends)


def test_a_cut_point_is_missing_from_the_dataset(filled):
    path = only_journal(filled)
    path.write_bytes(path.read_bytes()[:-1])
    found = collect(filled, partial=True)
    assert found.occupation.notnull().values.tolist() == [True, True, False]
    assert found.failure.values.tolist() == ["", "", "not computed"]
    assert (status(filled).done, status(filled).damaged) == (2, 1)


def test_a_cut_journal_is_resumed_to_the_same_numbers(filled):
    whole = collect(filled)
    content = only_journal(filled).read_bytes()
    for length in range(0, len(content), 97):
        for path in (filled / "journals").iterdir():
            path.unlink()
        (filled / "journals" / "old.journal").write_bytes(content[:length])
        again = sweep(MACHINE, {"frequency": VALUES["frequency"][:3]}, store=filled)
        assert same_numbers(again, whole)


def test_a_changed_byte_is_never_accepted(filled):
    path = only_journal(filled)
    content, whole = path.read_bytes(), entries(filled)
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << (place % 7)
        path.write_bytes(changed)
        found, damaged = accepted(filled)
        assert all(entry in whole for entry in found)
        assert len(whole) - 2 <= len(found) < len(whole)
        assert damaged >= 1


def test_a_journal_of_another_sweep_is_not_accepted(filled, tmp_path):
    sweep(replace(MACHINE, limit=5.0), VALUES, store=tmp_path / "other")
    only_journal(filled).unlink()
    shutil.copy(only_journal(tmp_path / "other"), filled / "journals")
    assert collect(filled, partial=True).failure.values.tolist() == ["not computed"] * 3
    assert status(filled).damaged > 0


def changed(filled, **arguments):
    call = {"machine": MACHINE, "values": {"frequency": VALUES["frequency"][:3]}} | arguments
    return lambda: sweep(**call, store=filled)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"machine": replace(MACHINE, limit=np.nextafter(9.5, 10))}, "machine.limit is 9.5 there"),
        ({"machine": replace(MACHINE, baths=MACHINE.baths[:1])}, "machine.baths"),
        ({"method": 1e-6}, "method is null there, 1e-06 here"),
        ({"observables": ["occupation"]}, "observables is null there"),
        ({"values": {"frequency": [1.0, 2.0]}}, "values.product.frequency"),
        ({"values": Zipped({"frequency": VALUES["frequency"][:3]})}, "values.product"),
    ],
)
def test_another_sweep_is_refused_and_told_apart(filled, arguments, message):
    before = sorted(path.name for path in filled.rglob("*"))
    with pytest.raises(InvalidArgument, match=r"`store` must hold this sweep.*" + message):
        changed(filled, **arguments)()
    assert sorted(path.name for path in filled.rglob("*")) == before


@pytest.mark.parametrize("package", ["wheelwork", "numpy"])
def test_another_version_is_refused(filled, monkeypatch, package):
    newer = identity.code_version() | {package: "99.0"}
    monkeypatch.setattr(case_sweep, "code_version", lambda: newer)
    with pytest.raises(InvalidArgument, match=f"code.{package} is .* here"):
        changed(filled)()


def test_the_version_sees_every_source_that_can_change_a_number(monkeypatch, tmp_path):
    def digest():
        identity.code_version.cache_clear()
        return identity.code_version()["wheelwork"]

    for name in ("solver.py", "cli/table.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("answer = 1\n")
    monkeypatch.setattr(identity, "SOURCES", tmp_path)
    try:
        before = digest()
        (tmp_path / "cli/table.py").write_text("answer = 2\n")
        assert digest() == before
        (tmp_path / "solver.py").write_text("answer = 2\n")
        assert digest() != before
    finally:
        identity.code_version.cache_clear()


def test_keys_tell_apart_the_last_bit():
    seal = identity.seal_of({})
    keys = {
        identity.point_key(seal, parameters)
        for parameters in ({"a": 1.0}, {"a": np.nextafter(1.0, 2.0)}, {"b": 1.0}, {"a": -1.0})
    }
    assert len(keys) == 4
    assert identity.point_key(identity.seal_of({"x": 1}), {"a": 1.0}) not in keys
    same = [identity.point_key(seal, pair) for pair in ({"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0})]
    assert same[0] == same[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({0: 1.0}, {"0": 1.0}),
        (1.0, np.nextafter(1.0, 2.0)),
        (np.array([1.0, 1 / 3]), np.array([1.0, 0.3333333333333333 + 6e-17])),
        ((1, 2), (1, 2, 3)),
        (Thermal(), Thermal(limit=1e8)),
        (0.0, -0.0),
        (np.arange(5000.0), np.where(np.arange(5000.0) == 2500, -1.0, np.arange(5000.0))),
    ],
)
def test_identities_tell_apart_what_differs(one, other):
    seals = [identity.seal_of({"x": identity.exact("x", value)}) for value in (one, other, one)]
    assert seals[0] == seals[2]
    assert seals[0] != seals[1]


def test_what_cannot_be_written_down_is_not_kept(tmp_path, spring):
    with pytest.raises(InvalidArgument, match=r"`machine` must consist of values .*lambda"):
        sweep(spring(), {"stretch": [1.0]}, store=tmp_path / "store")
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_text("x"), "must be a folder, but is the file"),
        (lambda path: (path.mkdir(), (path / "a.txt").touch()), r"but .* holds 'a\.txt'"),
    ],
)
def test_a_place_in_other_use_is_refused(tmp_path, make, message):
    make(tmp_path / "store")
    with pytest.raises(InvalidArgument, match=message):
        sweep(MACHINE, VALUES, store=tmp_path / "store")


def test_a_damaged_manifest_is_an_error(filled):
    path = filled / "manifest.json"
    content = path.read_text()
    path.write_text(content.replace("9.5", "9.4"))
    with pytest.raises(StoreError, match="its seal does not fit"):
        collect(filled)
    path.write_text(content[:-5])
    with pytest.raises(StoreError, match="is damaged"):
        changed(filled)()
    path.write_text(json.dumps(json.loads(content) | {"schema": 99}))
    with pytest.raises(InvalidArgument, match="must have schema 1, but has 99"):
        collect(filled)
    path.unlink()
    with pytest.raises(InvalidArgument, match="must be a store of a sweep"):
        collect(filled)


def test_an_incomplete_store_is_collected_only_on_request(filled):
    only_journal(filled).unlink()
    with pytest.raises(StoreError, match="3 of 3 points are missing"):
        collect(filled)
    assert collect(filled, partial=True).attrs["complete"] == 0


def test_a_full_disk_is_an_error_and_loses_nothing(tmp_path, monkeypatch, reference):
    write = os.write
    room = 3000

    def write_while_there_is_room(file, data):
        nonlocal room
        if room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(file, bytes(data[:room]))
        room -= written
        return written

    monkeypatch.setattr(journal.os, "write", write_while_there_is_room)
    with pytest.raises(StoreError, match=r"cannot write .*store.*No space left.*remains valid"):
        sweep(MACHINE, VALUES, store=tmp_path / "store")
    monkeypatch.undo()
    found = status(tmp_path / "store")
    assert (found.damaged, found.failed) == (0, 0)
    assert 0 < found.done < 12
    assert same_numbers(sweep(MACHINE, VALUES, store=tmp_path / "store"), reference)
    assert set(stored(tmp_path / "store").values()) == {1}


def test_threads_share_a_store(tmp_path):
    log = tmp_path / "log"
    machine = Thermal(seconds=0.005, log=str(log))
    values = {"frequency": np.linspace(1.0, 2.0, 40)}
    found = []
    threads = [
        threading.Thread(
            target=lambda: found.append(sweep(machine, values, store=tmp_path / "store"))
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(notes(log)) == 40
    assert same_numbers(*found)
    assert found[0].attrs["complete"] == 1
    assert len([e for e in entries(tmp_path / "store") if "writer" in e]) == 2


def test_a_line_being_written_is_read_when_it_is_whole(tmp_path):
    seal = bytes(32)
    lines = [journal.sealed({"point": name}, seal) for name in "abc"]
    path = tmp_path / "one.journal"
    path.write_bytes(lines[0] + lines[1][:9])
    reader = journal.Reader(path, seal)
    assert [entry["point"] for entry in reader.news()] == ["a"]
    assert list(reader.news()) == []
    with path.open("ab") as file:
        file.write(lines[1][9:] + lines[2])
    assert [entry["point"] for entry in reader.news()] == ["b", "c"]
    assert reader.damaged == 0
