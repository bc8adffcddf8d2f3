"""The form of parameter files as JSON schema, for editors and other programs."""

import json
from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from wheelwork.cli.load import FILES


def schema() -> int:
    """Print the JSON schema of parameter files (TOML), one form per machine."""
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return 0


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of all that `load_job` accepts."""
    forms: Any = reduce(or_, FILES.values())
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[forms, Field(discriminator="machine")])
    found = adapter.json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
