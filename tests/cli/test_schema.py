"""The JSON schema of parameter files: the stored one is the derived one."""

import json
from pathlib import Path

import pytest

import wheelwork.cli
from wheelwork.cli.parameter_file import json_schema
from wheelwork.cli.schema import schema_of
from wheelwork.cli.toml_text import NAMES

STORED = Path(wheelwork.cli.__file__).with_name("schema.json")


def test_the_stored_schema_is_the_derived_one(stored):
    stored(STORED, json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("machine", [None, *NAMES])
def test_the_schema_of_one_machine_has_its_definitions_alone(machine):
    assert schema_of(machine) == json_schema(machine)
