"""The JSON of every command: `Ran.json` holds each report of all tests against the command's schema."""

from __future__ import annotations

import json

import click
import jsonschema
import pytest

from nixpy.cli import group
from runner import Nixpy, Ran, schema

CONTEXT = click.Context(group, info_name="nixpy")
COMMANDS = [
    name
    for name in group.list_commands(CONTEXT)
    if (command := group.get_command(CONTEXT, name)) and any(option.name == "form" for option in command.params)
]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_a_schema(command: str) -> None:
    """It is one of JSON Schema, of the format every report begins with, and admits no member that it does not name."""
    found = schema({"init": "sync"}.get(command, command))
    jsonschema.Draft202012Validator.check_schema(found)
    assert f"nixpy {command}" in found["title"]
    assert found["properties"]["format"] == {"const": 1}
    assert found["additionalProperties"] is False


@pytest.mark.parametrize("name", [None, "fhs"])
def test_styles(name: str | None, nixpy: Nixpy) -> None:
    """The list has styles and features, one style is alone; a member more would be noticed."""
    ran = nixpy("styles", *([name] if name else []), "--format", "json")
    assert ("features" in ran.json) == (name is None)
    more = Ran(0, json.dumps({**ran.json, "more": 1}), "", "styles")
    with pytest.raises(jsonschema.ValidationError):
        _ = more.json
