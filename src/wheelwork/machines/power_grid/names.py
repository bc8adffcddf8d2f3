"""Names of parameters that stand for those of generators and engines."""

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wheelwork.errors import InvalidArgument
from wheelwork.machines.power_grid.elements import ActiveElement, Saturable

if TYPE_CHECKING:
    from wheelwork.machines.power_grid.machine import PowerGrid

# name → (field of the element, mappings of the machine that hold such elements)
DERIVED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "injection": ("rate", ("generators",)),
    "extraction": ("rate", ("engines",)),
    "saturation": ("saturation", ("generators", "engines")),
    "exponent": ("exponent", ("generators", "engines")),
}


def split_name(name: str) -> tuple[str, str | None]:
    """Split "extraction[7]" into "extraction" and "7"; without brackets, None."""
    base, bracket, rest = name.partition("[")
    return (base, rest[:-1]) if bracket and rest.endswith("]") else (name, None)


def changed_elements(
    machine: "PowerGrid", name: str, place: str | None, value: Any
) -> dict[str, dict[Hashable, ActiveElement]]:
    """Return the mappings of elements in which `name` is `value`, at one place or at all."""
    field, holders = DERIVED[name]
    fields: dict[str, dict[Hashable, ActiveElement]] = {}
    met = 0
    for holder in holders:
        elements: Mapping[Hashable, ActiveElement] = getattr(machine, holder)
        chosen = [node for node in elements if place is None or str(node) == place]
        if field == "rate" and place is None and len(chosen) != 1:
            raise InvalidArgument(
                f"`{name}` must stand for one of {holder}, but there are {len(chosen)}: name "
                f'the node, as in replace(**{{"{name}[7]": 2.0}})'
            )
        changed = dict(elements)
        for node in chosen:
            each = elements[node]
            if not isinstance(each, Saturable):
                raise InvalidArgument(
                    f"`{name}` must belong to a Saturable, but is asked of {each!r} (node {node!r})"
                )
            try:
                changed[node] = replace(each, **{field: value})
            except InvalidArgument as reason:
                raise InvalidArgument(str(reason).replace(f"`{field}`", f"`{name}`")) from None
            met += 1
        fields[holder] = changed
    if met == 0:
        raise InvalidArgument(f"`{name}` must name a node with such an element, but names {place}")
    return fields


def only_rate(holder: str, elements: Mapping[Hashable, ActiveElement]) -> float:
    """Return Γ(0) of the only element."""
    if len(elements) != 1:
        raise InvalidArgument(f"`{holder}` must hold one element for this, but has {len(elements)}")
    (each,) = elements.values()
    if not isinstance(each, Saturable):
        raise InvalidArgument(f"`{holder}` must hold a Saturable for this, but has {each!r}")
    return each.rate
