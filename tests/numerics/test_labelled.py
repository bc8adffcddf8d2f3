"""Arrays with labelled dimensions: keys keep their type, numbers their bits."""

import json
from enum import Enum

import numpy as np
import pytest
import xarray as xr

from wheelwork.errors import InvalidArgument
from wheelwork.numerics.labelled import Axis, LabelledArray, Stacks, keys_of


class Place(Enum):
    here = 1


ODD = [0.1, -0.0, 5e-324, -1.7e308, np.nan, np.inf]


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ((0, 1, -7), "i"),
        (("a", "0", "ü (1, 2)"), "O"),
        ((0.5, 0.25), "f"),
        (((0, 0), (0, 1)), "O"),
        ((0, "0", (1, "a"), 0.5, None), "O"),
        ((2**70, 1), "O"),
        ((("a", (1, 2)), ("b", (3, 4))), "O"),
        (("\ud800", "a\0b", "c"), "O"),
    ],
)
def test_keys_come_back_with_their_types_from_netcdf(keys, kind, tmp_path):
    dataset = xr.Dataset(coords=Axis("node", keys).coordinates())
    assert dataset.node.dtype.kind == kind
    dataset.to_netcdf(tmp_path / "keys.nc")
    with xr.open_dataset(tmp_path / "keys.nc") as read:
        found = keys_of(read.node)
    assert found == keys
    assert list(map(type, found)) == list(map(type, keys))


def test_numbers_of_numpy_are_plain_and_objects_are_named():
    axis = Axis("node", (np.int64(3), np.str_("a"), (np.int32(1), 2), Place.here))
    assert axis.keys == (3, "a", (1, 2), "<Place.here: 1>")
    assert type(axis.keys[0]) is int
    assert keys_of(xr.Dataset(coords=axis.coordinates()).node) == axis.keys


def test_the_members_of_pairs_are_coordinates_of_one_type():
    mixed = Axis("edge", ((0, "a"), (0, "b")), ("u", "v")).coordinates()
    assert mixed["u"].values.tolist() == ["0", "0"]
    assert mixed["v"].values.tolist() == ["'a'", "'b'"]
    plain = Axis("edge", ((0, 1), (1, 2)), ("u", "v")).coordinates()
    assert plain["v"].values.tolist() == [1, 2]
    assert plain["edge"].values.tolist() == ["(0, 1)", "(1, 2)"]


def test_an_entry_in_a_journal_loses_no_bit():
    axes = (
        Axis("branch", (0, 1)),
        Axis("edge", (("a", (1, 2)), ("b", 0.5), ("c", None)), ("u", "v")),
    )
    values = np.array(ODD).reshape(2, 3)
    one = LabelledArray(axes, values, 0.5 * values, "in parts", ("J", "rate", "current"))
    read = LabelledArray.from_entry(json.loads(json.dumps(one.entry())))
    assert read.axes == axes
    assert (read.reason, read.label) == (one.reason, one.label)
    assert read.values.tobytes() == one.values.tobytes()
    assert read.errors.tobytes() == one.errors.tobytes()


def test_the_order_in_which_points_arrive_does_not_matter():
    few = LabelledArray.of(("site",), {0: 1.0, 1: 2.0})
    many = LabelledArray.of(("site",), {2: 5.0, 1: 4.0}, {2: 0.1, 1: 0.2})
    found = []
    for order in ((0, 1, 2), (2, 1, 0)):
        stacks = Stacks(3)
        for index in order:
            stacks.put(index, {"n": (few, many, few)[index], "m": few})
        found.append(stacks.dataset(("point",), (3,)))
    assert found[0].identical(found[1])
    assert list(found[0].data_vars) == list(found[1].data_vars)
    dataset = found[0]
    assert dataset.site.values.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(dataset.n[1], [np.nan, 4.0, 5.0])
    np.testing.assert_array_equal(dataset.n_error[1], [np.nan, 0.2, 0.1])
    assert dataset.n_missing.values.tolist() == [
        "there is no site 2 at this point",
        "there is no site 0 at this point",
        "there is no site 2 at this point",
    ]


def test_other_dimensions_at_one_point_lose_no_other_number():
    found = []
    for order in ((0, 1), (1, 0)):
        stacks = Stacks(2)
        for index in order:
            dims, name = (("a",), ("b",))[index], ("n", "m")[index]
            one = LabelledArray.of(dims, np.array([1.0, 2.0]))
            stacks.put(index, {name: one, "each": one})
        found.append(stacks.dataset(("point",), (2,)))
    assert found[0].identical(found[1])
    assert list(found[0].dims) == list(found[1].dims)
    np.testing.assert_array_equal(found[0].each, [[1.0, 2.0], [np.nan, np.nan]])
    assert found[0].each_missing.values.tolist() == ["", "here it is over b"]


def test_an_array_must_fit_its_dimensions():
    with pytest.raises(InvalidArgument, match="over a, b must have that many dimensions"):
        LabelledArray.of(("a", "b"), np.zeros(3))
    with pytest.raises(InvalidArgument, match="must fit its axes"):
        LabelledArray.of(("a",), np.zeros(3), axes={"a": Axis("a", (1, 2))})
