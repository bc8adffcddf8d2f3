"""Which points a sweep visits, under which names, and how they come out as tables."""

import itertools
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from sweep_systems import Bath, Thermal

import wheelwork as ww
from wheelwork.errors import InvalidArgument
from wheelwork.sweeps import Product, Zipped, collect, replace_at, sweep
from wheelwork.sweeps.cases import as_cases, from_description
from wheelwork.sweeps.export import same_numbers, to_table, write_csv, write_netcdf, write_parquet

# ------------------------------------------------------------------ cases


def test_a_product_is_numbered_with_the_last_varying_fastest():
    cases = Product({"a": [1, 2], "b": [3, 4, 5]})
    expected = [{"a": a, "b": b} for a, b in itertools.product([1, 2], [3, 4, 5])]
    assert [cases.parameters(index) for index in range(len(cases))] == expected


def test_values_side_by_side_make_one_dimension():
    values = {"frequency": [1.0, 2.0, 3.0], "baths[0].temperature": [4.0, 5.0, 6.0]}
    dataset = sweep(Thermal(), Zipped(values))
    assert dataset.occupation.dims == ("point",)
    assert dataset.coords["baths[0].temperature"].dims == ("point",)
    for index in range(3):
        baths = (Bath(values["baths[0].temperature"][index]), Bath(3.0))
        expected = Thermal(values["frequency"][index], baths).occupation
        assert dataset.occupation[index] == expected


def test_a_table_is_the_same_as_its_columns():
    rows = [{"frequency": 1.0, "limit": 2.0}, {"frequency": 3.0, "limit": 2.0}]
    columns = Zipped({"frequency": [1.0, 3.0], "limit": [2.0, 2.0]})
    assert same_numbers(sweep(Thermal(), rows), sweep(Thermal(), columns))


@pytest.mark.parametrize("cases", [Product({"a": [0.1, 1 / 3]}), Zipped({"a": [0.1], "b": [2]})])
def test_cases_survive_being_written_down(cases):
    again = from_description(cases.describe())
    assert type(again) is type(cases)
    assert [again.parameters(i) for i in range(len(again))] == [
        cases.parameters(i) for i in range(len(cases))
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (3, "`values` must be a mapping"),
        ("bias", "`values` must be a mapping"),
        ([], "`values` must name at least one parameter"),
        ([1.0], "row 0 is 1.0"),
        ([{"a": 1.0}, {"b": 1.0}], r"row 1 has \['b'\], the first \['a'\]"),
        ({"a/b": [1.0]}, "names without '/'"),
    ],
)
def test_what_is_no_set_of_cases_is_refused(values, message):
    with pytest.raises(InvalidArgument, match=message):
        as_cases(values)


def test_columns_of_different_length_are_refused():
    with pytest.raises(InvalidArgument, match=r"as many of each, but has {'a': 2, 'b': 1}"):
        Zipped({"a": [1, 2], "b": [1]})
    with pytest.raises(InvalidArgument, match="must not name a parameter `point`"):
        Zipped({"point": [1, 2]})


# ------------------------------------------------------------------ nested names


@dataclass(frozen=True)
class Nest:
    parts: dict[Any, Any] = field(default_factory=dict)
    rows: tuple[Any, ...] = ()
    top: float = 0.0

    def replace(self, **fields: Any) -> "Nest":
        if "twice_top" in fields:
            fields["top"] = fields.pop("twice_top") / 2
        return replace(self, **fields)


def test_names_lead_through_fields_places_and_keys():
    nest = Nest({7: Bath(1.0), "x": [Bath(2.0)]}, (Bath(3.0), Bath(4.0)))
    changed = replace_at(
        nest,
        {
            "parts[7].temperature": 10.0,
            "rows[1].temperature": 20.0,
            "parts[x][0].temperature": 30.0,
        },
    )
    assert changed == Nest({7: Bath(10.0), "x": [Bath(30.0)]}, (Bath(3.0), Bath(20.0)))
    assert nest == Nest({7: Bath(1.0), "x": [Bath(2.0)]}, (Bath(3.0), Bath(4.0)))
    assert replace_at(nest, {"twice_top": 3.0}).top == 1.5


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rows[2].temperature", "there is no `2`"),
        ("rows[-1].temperature", "there is no `-1`"),
        ("rows[0].temprature", "there is no `temprature`"),
        ("parts[8].temperature", "there is no `8`"),
        ("rows[0]temperature]", "must read like"),
        ("rows[0].temperature.more", "there is no `more`"),
    ],
)
def test_a_name_that_leads_nowhere_is_refused(name, message):
    nest = Nest({7: Bath(1.0)}, (Bath(3.0), Bath(4.0)))
    with pytest.raises(InvalidArgument, match=message):
        replace_at(nest, {name: 1.0})


def test_parts_check_what_they_get():
    with pytest.raises(
        InvalidArgument, match=r"^`baths\[1\]\.temperature` must be positive, but is -1\.0"
    ):
        replace_at(Thermal(), {"baths[1].temperature": -1.0})


def test_nested_parameters_have_the_label_of_their_field(tmp_path):
    device, name = ww.Flywheel.paper(bias=1.0), "leads[0].temperature"
    method = ww.FokkerPlanck(1e-3)
    dataset = sweep(device, {name: [2.0]}, method, store=tmp_path / "store")
    expected = {"symbol": "T", "units": "energy", "long_name": f"temperature ({name})"}
    assert dataset[name].attrs == collect(tmp_path / "store")[name].attrs == expected
    chain = ww.PowerGrid.chain(sites=2, injection=4.0, extraction=6.0, damping=1e-2)
    axis = sweep(chain, {"extraction[1]": [5.0]})["extraction[1]"]
    assert axis.attrs["symbol"] == r"\Gamma_e"
    assert axis.attrs["long_name"] == "extraction rate (extraction[1])"
    assert sweep(Thermal(), {"baths[1].temperature": [1.0]})["baths[1].temperature"].attrs == {}


def test_machines_of_all_kinds_are_swept_by_nested_names():
    method = ww.EnergyDiffusion(1e-3)
    flywheel = ww.Flywheel.paper(bias=12.0)
    hot = sweep(flywheel, {"leads[0].temperature": [2.0, 4.0]}, method)
    assert hot.failure.values.tolist() == ["", ""]
    lead = replace(flywheel.leads[0], temperature=4.0)
    direct = flywheel.replace(leads=(lead, flywheel.leads[1])).steady_state(method)
    assert hot.phonon_number[1] == direct.phonon_number

    engine = ww.RotorEngine.paper()
    rotor = sweep(engine, {"beta_ratio": [0.2], "coupling": [0.1, 0.2]})
    direct = engine.replace(beta_ratio=0.2, coupling=0.2).steady_state()
    assert rotor.work_qubits[0, 1] == direct.work_qubits

    chain = ww.PowerGrid.chain(sites=3, injection=4.0, extraction=2.0, damping=1e-3)
    names = {"injection[0]": [4.0], "engines[2].rate": [2.0, 3.0], "damping": [1e-3]}
    grid = sweep(chain, names, ww.MeanField())
    own = sweep(chain, {"injection": [4.0], "extraction": [2.0, 3.0], "damping": [1e-3]})
    np.testing.assert_array_equal(grid.extracted.values, own.extracted.values)


# ------------------------------------------------------------------ what is kept


def test_chosen_observables_and_their_errors_alone_are_kept():
    dataset = sweep(Thermal(), {"frequency": [1.0]}, observables=["entropy"])
    assert "entropy" in dataset
    assert "occupation" not in dataset
    assert "occupation_error" not in dataset
    assert "audit_ok" in dataset


def test_failed_points_are_flagged():
    dataset = sweep(Thermal(limit=1.5), {"frequency": [1.0, 2.0]})
    assert dataset.failed.values.tolist() == [0, 1]


def test_the_order_of_names_is_that_of_the_points_not_of_their_finish():
    @dataclass(frozen=True)
    class Growing(Thermal):
        def steady_state(self, method=None):
            found = super().steady_state(method)
            if self.frequency < 1.5:
                found.observables.pop("entropy")
            return found

    forwards = sweep(Growing(), {"frequency": [1.0, 2.0]})
    backwards = sweep(Growing(), {"frequency": [2.0, 1.0]})
    assert list(forwards.data_vars)[:2] == ["occupation", "entropy"]
    assert list(backwards.data_vars)[:2] == ["occupation", "entropy"]
    assert np.isnan(forwards.entropy[0])


# ------------------------------------------------------------------ export


@pytest.fixture
def dataset():
    return sweep(Thermal(limit=1.5), {"frequency": [1 / 3, 2.0], "baths[0].temperature": [1.0]})


def test_tables_keep_every_digit(dataset, tmp_path):
    write_csv(dataset, tmp_path / "table.csv")
    lines = (tmp_path / "table.csv").read_text().splitlines()
    names, first, second = (line.split(",") for line in lines)
    assert names[:2] == ["frequency", "baths[0].temperature"]
    row = dict(zip(names, first, strict=True))
    assert float(row["frequency"]) == 1 / 3
    assert float(row["occupation"]) == float(dataset.occupation[0, 0])
    assert row["audit_ok[small]"] == "0"
    assert dict(zip(names, second, strict=True))["failure"].startswith("NotConverged")


def test_parquet_gives_the_table_back(dataset, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    write_parquet(dataset, tmp_path / "table.parquet")
    read = parquet.read_table(tmp_path / "table.parquet").to_pandas()
    assert read.equals(to_table(dataset).reset_index(drop=True))


def test_the_same_sweep_twice_gives_the_same_bytes(dataset, tmp_path):
    for name in ("one.nc", "two.nc"):
        again = sweep(
            Thermal(limit=1.5), {"frequency": [1 / 3, 2.0], "baths[0].temperature": [1.0]}
        )
        assert same_numbers(again, dataset)
        write_netcdf(again, tmp_path / name)
    assert (tmp_path / "one.nc").read_bytes() == (tmp_path / "two.nc").read_bytes()
    with xr.open_dataset(tmp_path / "one.nc") as read:
        xr.testing.assert_equal(read.load(), dataset)


def test_comparison_sees_the_last_bit_and_the_sign_of_nothing(dataset):
    for change in (np.nextafter(dataset.occupation, 9), -dataset.occupation * 0.0):
        assert not same_numbers(dataset, dataset.assign(occupation=change))
    assert not same_numbers(dataset, dataset.assign_attrs(x=1))
    assert not same_numbers(dataset, dataset.drop_vars("entropy"))


# ------------------------------------------------------------------ why an observable is missing


@dataclass(frozen=True)
class Reasoned:
    """What a state offers that knows why an observable is NaN."""

    observables: dict
    missing: dict
    errors: dict = field(default_factory=dict)
    audit: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Fridge:
    """A machine that has a COP for positive x only."""

    x: float = 0.0

    def replace(self, **fields):
        return replace(self, **fields)

    def steady_state(self, method=None):
        if self.x > 0.0:
            return Reasoned({"cop": 1.0 / self.x, "heat": self.x}, {})
        return Reasoned({"cop": float("nan"), "heat": self.x}, {"cop": "it does\nnot cool"})


def test_the_reason_for_a_missing_observable_is_kept(tmp_path):
    values = {"x": [1.0, -1.0, 2.0]}
    dataset = sweep(Fridge(), values)
    assert dataset.cop_missing.values.tolist() == ["", "it does not cool", ""]
    assert "heat_missing" not in dataset
    assert dataset.failed.values.tolist() == [0, 0, 0]
    sweep(Fridge(), values, store=tmp_path / "store")
    stored = collect(tmp_path / "store")
    assert stored.cop_missing.identical(dataset.cop_missing)
    chosen = sweep(Fridge(), values, observables=["heat"])
    assert "cop_missing" not in chosen
    assert to_table(dataset).cop_missing.tolist() == ["", "it does not cool", ""]
    write_netcdf(dataset, tmp_path / "dataset.nc")
    with xr.open_dataset(tmp_path / "dataset.nc") as read:
        assert read.cop_missing.values.tolist() == ["", "it does not cool", ""]


# ------------------------------------------------------------------ printing


def test_printouts_are_short():
    many = Product({"a": range(1000)})
    assert repr(many) == "Product(axes=<1 entries>)"
    seen = []
    sweep(Thermal(), {"frequency": [1.0]}, on_point=seen.append)
    assert len(repr(seen[0])) < 300
    assert repr(seen[0]).startswith("Point(index=0, total=1, parameters={'frequency': 1.0}")
