"""Classes that a user names in a parameter file, imported from a module or from a file."""

import sys
from importlib import import_module
from pathlib import Path

from wheelwork.errors import InvalidArgument


def is_class_name(text: object) -> bool:
    """Return whether `text` reads "module:Class" or "file.py:Class"."""
    return isinstance(text, str) and ":" in text


def load_class(name: str, folder: Path) -> type:
    """Return the class that `name` stands for: "module:Class", or "file.py:Class" in `folder`.

    Importing runs the code of the module, with all rights of whoever started the program: a file
    that names a class must be trusted like a script. The folder of a file is added to the end of
    the import path, so that worker processes can import it too.
    Raises InvalidArgument where there is no such module or class.
    """
    module, _, attribute = name.rpartition(":")
    if module.endswith(".py"):
        loaded = _import_file((folder / module).resolve(), name)
    else:
        loaded = _import(module, name)
    value = getattr(loaded, attribute, None)
    if not isinstance(value, type):
        raise InvalidArgument(f"`name` must be that of a class, but '{module}' has no {name!r}")
    return value


def _import_file(path: Path, name: str) -> object:
    if not path.is_file():
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
    except (ImportError, SyntaxError, ValueError) as reason:
        raise InvalidArgument(
            f"`name` must be that of a class that can be imported, but {name!r} cannot: {reason}"
        ) from reason
