"""The parts of the pages that are made of the code, so that they cannot say anything else than it.

A page has the line `<!-- generated: NAME -->`; `PARTS` has a function a name, each of which returns Markdown.
"""

from __future__ import annotations

import ast
import csv
import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

import nixpy
from nixpy.cli.main import group
from nixpy.core.errors import NixpyError
from nixpy.diagnostics.codes import explanations
from nixpy.styles import host
from nixpy.styles.features import features
from nixpy.styles.promises import NEEDS, Need, in_words, serving
from nixpy.styles.styles import Style, styles

TOP = Path(__file__).parents[1]
PACKAGE = Path(nixpy.__file__).parent
PROOFS = TOP / "tests/nixos/box/proofs.csv"
FUZZING = TOP / "tests/fuzz/figures.csv"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def code(text: str) -> str:
    """Return `text` as code, nothing where it is empty."""
    return f"`{text}`" if text else ""


def csv_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


# --- commands ---------------------------------------------------------------------------------------------------------


def walk(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Yield every command below a group, with its context, in the order of its help."""
    assert isinstance(command, click.Group)  # noqa: S101
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None  # noqa: S101
        below = click.Context(found, info_name=name, parent=context)
        if isinstance(found, click.Group):
            yield from walk(found, below)
        elif not found.hidden:
            yield found, below


def all_commands() -> list[tuple[click.Command, click.Context]]:
    """Return nixpy itself, and every command of it."""
    top = click.Context(group, info_name="nixpy", **group.context_settings)
    return [(group, top), *walk(group, top)]


def commands() -> str:
    """Return what each command's `--help` says."""
    return "\n".join(_command(command, context) for command, context in all_commands())


def _command(command: click.Command, context: click.Context) -> str:
    usage = command.get_usage(context).removeprefix("Usage: ")
    text = "\n\n".join(_paragraphs(command.help or ""))
    rows = [_option(option, context) for option in command.get_params(context) if isinstance(option, click.Option)]
    return (
        f"## {context.command_path}\n\n```text\n{' '.join(usage.split())}\n```\n\n{text}\n\n"
        f"{table(('option', 'what'), [row for row in rows if row])}\n"
    )


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", textwrap.dedent(text.replace("\f", "")).strip()):
        if paragraph.startswith("\b\n"):  # as it stands
            yield f"```text\n{paragraph[2:]}\n```"
        else:
            yield _plain(" ".join(paragraph.split()))


def _plain(text: str) -> str:
    """Return text of a help page as Markdown that says the same."""
    words = re.split(r"(`[^`]*`)", text)
    return "".join(word if word.startswith("`") else re.sub(r"([*_<>\[\]])", r"\\\1", word) for word in words)


def _option(option: click.Option, context: click.Context) -> tuple[str, str] | None:
    record = option.get_help_record(context)
    return None if record is None else (f"`{record[0]}`", _plain(record[1]))


# --- settings ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting: its key as it is written, its kind and default, and what config.py says of it."""

    key: str
    kind: str
    default: str
    what: str


def all_settings() -> list[Setting]:
    """Return every setting, those of [tool.nixpy.libraries] with that prefix."""
    plain = list(_fields("project/config.py", "Settings"))
    return [setting for setting in plain if setting.key != "libraries"] + [
        Setting(key=f"libraries.{s.key}", kind=s.kind, default=s.default, what=s.what)
        for s in _fields("libraries/match.py", "Rules")
    ]


def _fields(file: str, name: str) -> Iterator[Setting]:
    """Yield the fields of a dataclass; what stands below a field as a string is its text."""
    tree = ast.parse((PACKAGE / file).read_text("utf-8"))
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            text = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            yield Setting(
                key=node.target.id.replace("_", "-"),
                kind=_kind(ast.unparse(node.annotation)),
                default=_default(node.value),
                what=" ".join(str(text).split()),
            )


def _kind(annotation: str) -> str:
    if choice := re.fullmatch(r"Literal\[(.*)\]", annotation):
        return " or ".join(f"`{value}`" for value in choice[1].replace("'", '"').split(", "))
    plain = annotation.removesuffix(" | None")
    names = {"str": "string", "bool": "true or false"}
    return names.get(plain, "table of strings" if plain.startswith("Mapping") else "list of strings")


def _default(value: ast.expr | None) -> str:
    match value:
        case ast.Constant(None) | ast.Tuple() | ast.Call() | ast.Constant(""):
            return ""
        case ast.Constant(bool() as flag):
            return f"`{str(flag).lower()}`"
        case ast.Constant(str() as text):
            return f"`{json.dumps(text)}`"
    raise ValueError(f"a default that is not known here: {value}")


def settings() -> str:
    """Return the table of settings."""
    return table(
        ("setting", "kind", "default", "what"), [(f"`{s.key}`", s.kind, s.default, s.what) for s in all_settings()]
    )


# --- finding codes ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One code of a finding, and all that is said with it, each with the way out."""

    name: str
    said: dict[str, str] = field(default_factory=dict)  # message: hint or command


_CODE = re.compile(r"NIX\d{3}")


def all_codes() -> list[Code]:
    """Return every code that nixpy can report, as the source has them."""
    found = {name: Code(name=name) for name in error_codes()}
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                for name, message, way_out in _said(function):
                    entry = found.setdefault(name, Code(name=name))
                    entry.said.setdefault(message, way_out)
    return [found[name] for name in sorted(found)]


def error_codes() -> set[str]:
    """Return the codes of the errors that end a command, which are those of their classes."""
    kinds = [NixpyError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return {kind.code for kind in kinds[1:]}


def _said(function: ast.FunctionDef) -> Iterator[tuple[str, str, str]]:
    names = {
        node.targets[0].id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.JoinedStr | ast.Constant | ast.IfExp)
    }
    for node in ast.walk(function):
        match node:
            case ast.Call(keywords=keywords):
                words = {keyword.arg: keyword.value for keyword in keywords}
                name = words.get("code")
                if isinstance(name, ast.Constant) and _CODE.fullmatch(str(name.value)):
                    way_out = words.get("hint") or words.get("command")
                    yield str(name.value), _words(words.get("message"), names), _words(way_out, names)
            case ast.Assign(value=ast.Tuple(elts=[ast.Constant(name), message])) if _CODE.fullmatch(str(name)):
                yield str(name), _words(message, names), ""


def _words(node: ast.expr | None, names: Mapping[str, ast.expr] = MappingProxyType({})) -> str:
    """Return the text of an expression; what a run fills in is `<name>`, as the source calls it, or … where that is a
    text of its own. `names` are the function's own.
    """
    match node:
        case ast.Name(name) if name in names:
            return _words(names[name])
        case ast.Call(func=ast.Attribute(value=ast.JoinedStr() as text)):
            return _words(text)
        case ast.Constant(str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return re.sub("(… ?)+…", "…", "".join(_words(part, names) for part in parts))
        case ast.FormattedValue(value=ast.IfExp() as inner):
            return _words(inner, names)
        case ast.FormattedValue(value=ast.Name(name) as inner) if name in names:
            return _words(inner, names)
        case ast.FormattedValue(value=inner):
            return _name(inner)
        case None | ast.Constant(None):
            return ""
        case ast.IfExp(body=body, orelse=other):
            return _words(body) or _words(other)
    return "…"


def _name(node: ast.expr) -> str:
    """Return what the source calls a value that a run fills in."""
    match node:
        case ast.Name(name) | ast.Attribute(attr=name):
            return f"<{name.strip('_').replace('_', ' ').lower()}>"
        case ast.Call(func=ast.Attribute(attr="join"), args=[inner]) | ast.Call(args=[inner, *_]):
            return _name(inner)
        case ast.GeneratorExp(elt=inner) | ast.ListComp(elt=inner):
            return _name(inner)
    return "…"


_AREAS = {
    "1": "libraries, said by init, sync and scan",
    "2": "packages, locks and flakes, said by init, sync and scan",
    "3": "what a style cannot do, said by init and sync",
    "4": "what is wrong where `nixpy doctor` is run",
    "5": "a package that nixpkgs lacks, said by `nixpy package`",
    "6": "what `[external]` asks for, said by init and sync",
    "7": "errors that end a command with status 2",
}


def codes() -> str:
    """Return a section for each code."""
    parts, area = [], ""
    for item in all_codes():
        if item.name[3] != area:
            area = item.name[3]
            parts.append(f"## NIX{area}…: {_AREAS[area]}\n")
        about = explanations()[item.name]
        title = (TOP / "docs" / about.page).read_text("utf-8").partition("\n")[0].removeprefix("# ")
        more = f"More: [{title}]({'../' + about.page})."
        parts.append(f"### {item.name}\n\n{about.meaning} {about.remedy} {more}\n")
        if item.said:
            parts.append("Messages:\n")
        for message, way_out in item.said.items():
            if message.strip("… "):
                wanted = f"\n\n  What to do: {_plain(way_out)}" if way_out.strip("… ") else ""
                parts.append(f"- {_plain(message)}{wanted}")
        parts.append("")
    return "\n".join(parts)


# --- styles, features, what a person may need -------------------------------------------------------------------------


def style_pages() -> str:
    """Return a section for each style."""
    return "\n".join(map(_style, styles()))


def _style(style: Style) -> str:
    good = "".join(f"- {text}\n" for text in style.good)
    bad = "".join(f"- {text}\n" for text in style.bad)
    rows = [(need.title, in_words(need.promised(style))) for need in NEEDS]
    rows += [("the host must have", host.in_words(style.host)), ("other names", ", ".join(map(code, style.aliases)))]
    rows += [("packages are installed into", code(style.folder) or "the store"), ("follows", style.document)]
    return (
        f"## {style.name}\n\n{style.title}. {style.summary}\n\n{style.how}\n\n"
        f"{table(('', ''), [row for row in rows if row[1]])}\nAdvantages:\n\n{good}\nDisadvantages:\n\n{bad}"
    )


def feature_pages() -> str:
    """Return a section for each feature."""
    return "\n".join(
        f"## {feature.name}\n\n{feature.title}. {feature.summary}\n\nCost: {feature.cost}.\n\n"
        f"Works with {', '.join(map(code, sorted(feature.styles))) or 'every style'}. Follows {feature.document}.\n"
        for feature in features()
    )


def proofs() -> dict[tuple[str, str], Mapping[str, str]]:
    """Return what was seen of styles, and the tests that saw it, by style and need."""
    return {(row["style"], row["need"]): row for row in csv_rows(PROOFS)}


def needs() -> str:
    """Return the table of styles by need: what was seen, and what is only claimed."""
    known = proofs()
    rows = [
        (f"[`{s.name}`](reference/styles.md#{s.name})", *(_answer(s, need, known) for need in NEEDS)) for s in styles()
    ]
    return table(("style", *(need.name for need in NEEDS)), rows)


def _answer(style: Style, need: Need, known: Mapping[tuple[str, str], Mapping[str, str]]) -> str:
    """Return what was seen, which the tests hold against the promise; the promise alone where nobody looked."""
    if row := known.get((style.name, need.name)):
        return f"**{row['seen']}**" if row["proof"].startswith("tests/nixos/box/") else f"{row['seen']}, evaluated"
    promised = need.promised(style)
    return in_words(promised) if promised is None else f"*claimed: {in_words(promised)}*"


def need_names() -> str:
    """Return the names of needs, for `nixpy styles --need`."""
    return table(
        ("need", "what", "styles that promise it"),
        [(f"`{need.name}`", need.title, ", ".join(f"`{s.name}`" for s in serving([need]))) for need in NEEDS],
    )


# --- tables and schemas -----------------------------------------------------------------------------------------------


def catalogue() -> str:
    """Return the table of sonames, and the families that are told by their names."""
    folder = PACKAGE / "libraries"
    sonames = [
        (f"`{r['soname']}`", r["provider"], code(r["expression"]), r["note"]) for r in csv_rows(folder / "sonames.csv")
    ]
    families = [
        (f"`{r['regex']}`", r["provider"], code(r["expression"]), r["note"]) for r in csv_rows(folder / "patterns.csv")
    ]
    head = ("who supplies it", "expression", "note")
    return f"## Sonames\n\n{table(('soname', *head), sonames)}\n## Families\n\n{table(('names', *head), families)}"


def dlopen() -> str:
    """Return the table of what packages open at run time."""
    return table(
        ("package", "kind", "what", "unless", "note"),
        [
            (f"`{r['package']}`", r["kind"], code(r["value"]), code(r["unless"]), r["note"].replace("*", r"\*"))
            for r in csv_rows(PACKAGE / "needs/dlopen.csv")
        ],
    )


def fingerprints() -> str:
    """Return the table of components and what they open at run time."""
    rows = [row for row in csv_rows(PACKAGE / "needs/fingerprints.csv") if row["kind"] != "marker"]
    return table(
        ("component", "opens", "how likely", "server", "note"),
        [(r["component"], code(r["value"]), r["kind"], r["server"], r["note"]) for r in rows],
    )


def plugins() -> str:
    """Return the table of folders of plugins and when their files are opened."""
    return table(
        ("folder", "files", "how likely", "note"),
        [
            (code(r["folder"]), code(r["files"]), r["certainty"], r["note"])
            for r in csv_rows(PACKAGE / "needs/plugins.csv")
        ],
    )


def notes() -> str:
    """Return the table of what nixpy does not set up."""
    return table(
        ("package or soname", "what it needs", "what to do"),
        [(f"`{r['name']}`", r["note"], r["hint"]) for r in csv_rows(PACKAGE / "libraries/notes.csv")],
    )


def large() -> str:
    """Return the table of large packages of nixpkgs."""
    return table(
        ("package", "what makes it large"),
        [(code(r["attribute"]), r["note"]) for r in csv_rows(PACKAGE / "libraries/large.csv")],
    )


def programs() -> str:
    """Return the programs that nixpkgs has too."""
    return table(
        ("wheel", "nixpkgs", "note"),
        [(f"`{r['wheel']}`", code(r["attribute"]), r["note"]) for r in csv_rows(PACKAGE / "nixpkgs/executables.csv")],
    )


def schemas() -> str:
    """Return each JSON schema: its members in a table, and the whole of it."""
    parts = []
    for path in sorted((PACKAGE / "cli/schemas").glob("*.json")):
        schema = json.loads(path.read_text("utf-8"))
        rows = [(f"`{member.path}`", " or ".join(member.kinds), member.what) for member in members(schema)]
        parts.append(
            f"## {path.stem}.json\n\n{schema.get('title', '')}. {schema.get('description', '')}\n\n"
            f"{table(('member', 'kind', 'what'), rows)}"
        )
    return "\n".join(parts)


@dataclass(slots=True, kw_only=True)
class Member:
    """A member of a report: its path, what it may be, and what the schema says of it."""

    path: str
    kinds: list[str] = field(default_factory=list)
    what: str = ""


def members(schema: Mapping[str, Any]) -> list[Member]:
    """Return every member that a schema has anywhere, each once, those of alternatives (`oneOf`) among them."""
    found: dict[str, Member] = {}
    for path, kind, what in _members(schema, schema, ""):
        member = found.setdefault(path, Member(path=path))
        member.kinds += [] if kind in member.kinds else [kind]
        member.what = member.what or what
    return list(found.values())


def _members(schema: Mapping[str, Any], whole: Mapping[str, Any], where: str) -> Iterator[tuple[str, str, str]]:
    for name, member in schema.get("properties", {}).items():
        for resolved in _alternatives(member, whole):
            inners = list(_alternatives(resolved["items"], whole)) if "items" in resolved else []
            path = f"{where}{name}" + ("[]" if "items" in resolved else "")
            what = str(member.get("description") or resolved.get("description") or "")
            yield path, _json_kind(resolved, inners[0] if inners else {}), what
            for below in (resolved, *inners):
                yield from _members(below, whole, f"{path}.")


def _alternatives(member: Any, whole: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what a member may be; null is no alternative of its own where it is one beside others."""
    resolved = _resolve(member, whole)
    choices = [_resolve(choice, whole) for choice in resolved.get("oneOf", ())]
    null = {"type": "null"}
    for choice in choices or [resolved]:
        if choice != null:
            kind = choice.get("type", "object")
            yield {**choice, "type": [kind, "null"]} if null in choices else choice


def _resolve(member: Any, whole: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = member.get("$ref", "") if isinstance(member, Mapping) else ""
    if reference.startswith("#/$defs/"):
        return _resolve(whole["$defs"][reference.removeprefix("#/$defs/")], whole)
    return member if isinstance(member, Mapping) else {}


def _json_kind(member: Mapping[str, Any], inner: Mapping[str, Any]) -> str:
    if "const" in member:
        return f"always `{json.dumps(member['const'])}`"
    if "enum" in member:
        return " or ".join(f"`{value}`" for value in member["enum"])
    kind = member.get("type", "object")
    kinds = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return f"{kinds} of {_json_kind(inner, {})}" if kinds == "array" and inner else kinds


def releases() -> str:
    """Return the releases of nixpkgs that nixpy knows."""
    import tomllib

    found = tomllib.loads((PACKAGE / "nixpkgs/releases.toml").read_text("utf-8"))["release"]
    return table(
        ("branch", "state", "supported until", "its Python", "its Pythons", "glibc"),
        [
            (f"`{r['branch']}`", r["state"], str(r.get("until", "")), r["default"], ", ".join(r["pythons"]), r["glibc"])
            for r in found
        ],
    )


def not_run() -> str:
    """Return every command that a page shows and the tests do not run, and why they do not."""
    rows = []
    for row in csv_rows(TOP / "docs/not-run.csv"):
        title = (TOP / row["page"]).read_text("utf-8").partition("\n")[0].removeprefix("# ")
        link = f"[{title}]({row['page'].removeprefix('docs/')})" if row["page"].startswith("docs/") else "README"
        rows.append((link, f"`{' '.join(row['command'].partition('  #')[0].split())}`", row["why"]))
    return table(("page", "command", "why it is not run"), rows)


def fuzzing() -> str:
    """Return what fuzzing reached, as `tests/fuzz/figures.py` wrote it down."""
    rows = [
        (
            f"`{row['reader']}`",
            f"{int(row['runs']):,}",
            f"{int(row['seconds']):,}",
            row["found"],
            row["left"],
            row["megabytes"],
            f"{row['files']} ({int(row['bytes']):,} bytes)",
            row["date"],
            f"{row['nixpy']}, {row['python']}, {row['atheris']}" if row["atheris"] else "",
        )
        for row in csv_rows(FUZZING)
    ]
    head = ("reader", "runs", "seconds", "found", "left", "peak memory (MB)", "corpus", "last run")
    return table((*head, "nixpy, Python, atheris"), rows)


# --- the Python API ---------------------------------------------------------------------------------------------------


def api_functions() -> list[Callable[..., Any]]:
    """Return the functions of the public API, and the method that one of its classes has, as their source has them."""
    found: list[Any] = [getattr(nixpy, name) for name in nixpy.__all__]
    functions: list[Any] = [*filter(inspect.isfunction, found), nixpy.LockFile.packages]
    return sorted(functions, key=lambda function: function.__code__.co_firstlineno)


def python_api() -> str:
    """Return the functions of the public API with their signatures and what their docstrings say."""
    return "\n".join(map(_function, api_functions()))


def _function(function: Callable[..., Any]) -> str:
    parameters, returns = _signature(function)
    text = inspect.getdoc(function) or ""
    first, *sections = re.split(r"\n\n(?=Args:|Returns:|Raises:|>>> )", text)
    signature = "".join(f"    {parameter},\n" for parameter in parameters)
    name = function.__qualname__
    shown = f"### {name}\n\n```python\n{name}(\n{signature}) -> {returns}\n```\n\n{first}\n"
    for section in sections:
        title, _, body = section.partition(":\n")
        if title == "Returns":
            shown += f"\n**Returns** {textwrap.dedent(body).strip()}\n"
        elif title in {"Args", "Raises"}:
            shown += f"\n**{'Arguments' if title == 'Args' else title}**\n\n"
            for item in re.split(r"\n(?! )", textwrap.dedent(body)):
                word, _, what = item.partition(": ")
                shown += f"- `{word}`: {' '.join(what.split())}\n"
    return shown


def _signature(function: Callable[..., Any]) -> tuple[list[str], str]:
    """Return the parameters of a function as they are written in its source, and the type of its result."""
    signature = inspect.signature(function)
    shown: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        shown.append(f"{parameter.name}: {parameter.annotation.replace('StrPath', 'str | PathLike[str]')}{default}")
    return shown, signature.return_annotation


PARTS: Mapping[str, Callable[[], str]] = {
    "catalogue": catalogue,
    "codes": codes,
    "commands": commands,
    "dlopen": dlopen,
    "large": large,
    "notes": notes,
    "features": feature_pages,
    "fingerprints": fingerprints,
    "plugins": plugins,
    "fuzzing": fuzzing,
    "not-run": not_run,
    "need-names": need_names,
    "needs": needs,
    "programs": programs,
    "python": python_api,
    "releases": releases,
    "schemas": schemas,
    "settings": settings,
    "styles": style_pages,
}
