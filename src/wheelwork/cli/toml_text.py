"""From the text of a parameter file to its tables: what is no parameter file at all ends here."""

import tomllib
from pathlib import Path
from typing import Any

from wheelwork._checks import shown
from wheelwork.errors import InvalidArgument

NAMES = ("flywheel", "rotor", "power-grid")  # of machines; `known.MACHINES` says what they are


def load_toml(text: str, path: Path) -> dict[str, Any]:
    """Return the tables of `text`, which was read from `path`.

    Raises InvalidArgument where it is no TOML, or names no machine: a wrong file is refused before
    anything heavy is imported.
    """
    try:
        data = tomllib.loads(text)
    except ValueError as reason:  # also of a number with thousands of digits
        words = " ".join(str(reason).split())
        raise InvalidArgument(f"`FILE` must be valid TOML, but is not: {words} ({path})") from None
    except RecursionError:
        raise InvalidArgument(
            f"`FILE` must be valid TOML, but is nested too deeply ({path})"
        ) from None
    if "machine" not in data:
        raise InvalidArgument(f"`machine` is missing ({path})")
    require_name("machine", data["machine"], f" ({path})")
    return data


def require_name(key: str, name: object, where: str = "") -> None:
    """Raise InvalidArgument unless `name`, the value of `key`, is in `NAMES` or has a colon."""
    if name not in NAMES and not (isinstance(name, str) and ":" in name):
        known = " or ".join(map(repr, NAMES))
        raise InvalidArgument(
            f"`{key}` must be {known} or 'module:Class', but is {shown(name)}{where}"
        )
