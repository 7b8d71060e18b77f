"""The JSON of every command: `Ran.json` holds each report of all tests against the command's schema."""

from __future__ import annotations

import json

import click
import generate
import jsonschema
import pytest

from nixpy.cli.main import group
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
    assert found["properties"]["format"]["const"] == 1
    assert found["additionalProperties"] is False


@pytest.mark.parametrize("name", [None, "fhs"])
def test_styles(name: str | None, nixpy: Nixpy) -> None:
    """The list has styles and features, one style is alone; a member more would be noticed."""
    ran = nixpy("styles", *([name] if name else []), "--format", "json")
    assert ("features" in ran.json) == (name is None)
    more = Ran(0, json.dumps({**ran.json, "more": 1}), "", "styles")
    with pytest.raises(jsonschema.ValidationError):
        _ = more.json


def test_a_feature_is_described(nixpy: Nixpy) -> None:
    """`nixpy styles` describes a feature like a style, as text and as JSON."""
    ran = nixpy("styles", "cuda", "--format", "json")
    assert (ran.json["styles"], [one["name"] for one in ran.json["features"]]) == ([], ["cuda"])
    said = nixpy("styles", "find-library").out
    assert said.startswith("find-library: ctypes.util.find_library finds libraries\n")
    assert "--feature find-library" in said
    assert "loader, nix-ld, nix-ld-interpreter, wrapped-python" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_each_member_is_explained(command: str) -> None:
    """Every member of a report, also one of alternatives, stands once in the reference, and the schema says what it
    is.
    """
    found = generate.members(schema({"init": "sync"}.get(command, command)))
    paths = [member.path for member in found]
    assert len(set(paths)) == len(paths)
    assert [member.path for member in found if len(member.what) < 6] == []


def test_members_of_alternatives_are_found() -> None:
    """`oneOf` is followed: both shapes of a checked project are in the table, and what may be null says so."""
    check = {member.path: member for member in generate.members(schema("check"))}
    assert "projects[].files[].state" in check
    assert "`fresh`" in check["projects[].state"].kinds[0]
    assert 'always `"error"`' in check["projects[].state"].kinds
    doctor = {member.path: member for member in generate.members(schema("doctor"))}
    assert doctor["facts.host"].kinds == ["object or null"]
    assert "facts.host.driver" in doctor
