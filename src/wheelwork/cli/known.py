"""Names in parameter files: machines, methods, kinds of fields, and classes of the user."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from wheelwork.cli.toml_text import require_name
from wheelwork.errors import InvalidArgument, shown
from wheelwork.machines.flywheel import Flywheel
from wheelwork.machines.power_grid import (
    ActiveElement,
    MasterEquation,
    PowerGrid,
    QuantumJumps,
    Saturable,
)
from wheelwork.machines.rotor import GlobalMasterEquation, LocalMasterEquation, RotorEngine
from wheelwork.oscillator_networks import MeanField
from wheelwork.papers import culhane_2022, leitch_2024
from wheelwork.papers.huber_rabl_2022 import network
from wheelwork.papers.runs import Presentation
from wheelwork.phase_space import EnergyDiffusion, EulerMaruyama, FokkerPlanck, Langevin
from wheelwork.plots import sweep_sheet
from wheelwork.transport import LineShape, Lorentzian, Semicircle, Tabulated, WideBand

LONGEST_NAME = 500  # characters of a path and a class
LONGEST_REASON = 200  # of what a module of the user says when it cannot be imported


@dataclass(frozen=True)
class Kind:
    """A kind of machine.

    methods: by the `kind` of [method]; where there is a default, it is the first.
    parameter: what is swept where a file does not say; empty: it must.
    constructors: classmethods that make the machine, by the `kind` of [device]; an empty name is
    the class itself. Without any, [device] has no `kind`.
    needed: fields that a file must give though the class has a default.
    """

    name: str
    machine: type
    presentation: Presentation
    methods: Mapping[str, type]
    default_method: str = ""
    parameter: str = ""
    constructors: Mapping[str, str] = field(default_factory=dict)
    needed: frozenset[str] = frozenset()


MACHINES: Mapping[str, Kind] = {
    "flywheel": Kind(
        name="flywheel",
        machine=Flywheel,
        presentation=culhane_2022.PRESENTATION,
        methods={"fokker-planck": FokkerPlanck, "energy-diffusion": EnergyDiffusion},
        default_method="fokker-planck",
        parameter="bias",
        needed=frozenset({"frequency"}),
    ),
    "rotor": Kind(
        name="rotor",
        machine=RotorEngine,
        presentation=leitch_2024.PRESENTATION,
        methods={"local": LocalMasterEquation, "global": GlobalMasterEquation},
        default_method="local",
        parameter="beta_ratio",
    ),
    "power-grid": Kind(
        name="power-grid",
        machine=PowerGrid,
        presentation=network.PRESENTATION,
        methods={
            "mean-field": MeanField,
            "langevin": Langevin,
            "euler-maruyama": EulerMaruyama,
            "master-equation": MasterEquation,
            "quantum-jumps": QuantumJumps,
        },
        default_method="mean-field",
        parameter="extraction",
        constructors={"chain": "chain", "graph": ""},
        needed=frozenset({"damping"}),
    ),
}

# What a field may hold whose type says only what its value must be able to do. Of a single one a
# table need not name its `kind`.
KINDS: Mapping[Any, Mapping[str, type]] = {
    LineShape: {
        "lorentzian": Lorentzian,
        "wideband": WideBand,
        "semicircle": Semicircle,
        "tabulated": Tabulated,
    },
    ActiveElement: {"saturable": Saturable},
}

# Every method of every machine, for a machine that is none of these.
METHODS = {name: cls for kind in MACHINES.values() for name, cls in kind.methods.items()}


def kind_of(name: Any, folder: Path) -> Kind:
    """Return the kind of machine that a file names, by a name of `MACHINES` or as "module:Class".

    A class that derives from a known machine is shown, and may be solved, like that machine.
    Raises InvalidArgument for other names, and for a class that is no machine.
    """
    require_name("name", name)
    if name in MACHINES:
        return MACHINES[name]
    cls = load_class(name, folder)
    missing = [verb for verb in ("replace", "steady_state") if not hasattr(cls, verb)]
    if missing or not is_dataclass(cls):
        raise InvalidArgument(
            "`name` must be that of a dataclass with the methods `replace` and `steady_state`, "
            f"but is {shown(name)}"
        )
    for known_kind in MACHINES.values():
        if issubclass(cls, known_kind.machine):
            return replace(known_kind, name=cls.__name__.lower(), machine=cls)
    return Kind(cls.__name__.lower(), cls, Presentation(draw=sweep_sheet), METHODS)


# ---------------------------------------------------------------------------- classes of the user


def load_class(name: str, folder: Path) -> type:
    """Return the class named `name`: "module:Class", or "file.py:Class" in `folder`.

    Importing runs the code of the module, with all rights of whoever started the program: a file
    that names a class must be trusted like a script. The folder of a file is added to the end of
    the import path, so that worker processes can import it too.
    Raises InvalidArgument where there is no such module or class.
    """
    module, _, attribute = name.rpartition(":")
    if "\0" in name or len(name) > LONGEST_NAME:
        raise InvalidArgument(f"`name` must be that of a class, but is {shown(name)}")
    if module.endswith(".py"):
        loaded = _import_file((folder / module).resolve(), name)
    else:
        loaded = _import(module, name)
    value = getattr(loaded, attribute, None)
    if not isinstance(value, type):
        raise InvalidArgument(
            f"`name` must be that of a class, but '{module}' has no {shown(attribute)}"
        )
    return value


def _import_file(path: Path, name: str) -> object:
    try:
        there = path.is_file()
    except (OSError, ValueError):  # such as a name that is too long
        there = False
    if not there:
        raise InvalidArgument(f"`name` must be that of a class in a file, but '{path}' is none")
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    loaded = _import(path.stem, name)
    if Path(getattr(loaded, "__file__", None) or "") != path:
        raise InvalidArgument(
            f"`name` must be that of a class in a file, but another module is called "
            f"'{path.stem}': give '{path.name}' another name"
        )
    return loaded


def _import(module: str, name: str) -> object:
    try:
        return import_module(module)
    except (Exception, SystemExit) as reason:  # whatever the user's module raises
        words = " ".join(str(reason).split())[:LONGEST_REASON]
        raise InvalidArgument(
            f"`name` must be that of a class that can be imported, but {shown(name)} "
            f"cannot: {words}"
        ) from reason
