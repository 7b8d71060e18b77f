"""`nixpy styles`."""

from __future__ import annotations

import click

from nixpy import styles
from nixpy.cli.common import format_option, print_json, table


@click.command("styles", short_help="List the styles, or tell all about one.")
@click.argument("name", required=False)
@format_option
def command(name: str | None, form: str) -> None:
    """List the styles, or tell all about one: how it works, what it promises, what it costs."""
    shown = [styles.find(name)] if name else list(styles.styles())
    if form == "json":
        print_json({"styles": [_data(style) for style in shown]})
    elif name:
        _tell(shown[0])
    else:
        for line in table([(style.name, style.summary) for style in shown], indent=0):
            click.echo(line)
        click.echo("\nnixpy styles NAME tells more; without --style, nixpy init recommends one.", err=True)


def _data(style: styles.Style) -> dict[str, object]:
    return {
        "name": style.name,
        "aliases": list(style.aliases),
        "title": style.title,
        "summary": style.summary,
        "how": style.how,
        "document": style.document,
        "promises": {
            "executables": style.executables,
            "leak-free": style.leak_free,
            "darwin": style.darwin,
            "host": style.host,
        },
        "good": list(style.good),
        "bad": list(style.bad),
    }


def _tell(style: styles.Style) -> None:
    click.echo(f"{click.style(style.name, bold=True)}: {style.title}")
    click.echo(style.how)
    click.echo("")
    rows = [
        ("also spelled", ", ".join(style.aliases)),
        ("programs in wheels run", "yes" if style.executables else "no"),
        ("leaks into what Python starts", "no" if style.leak_free else "LD_LIBRARY_PATH"),
        ("macOS", "yes" if style.darwin else "no"),
        ("the host must offer", style.host),
        ("follows", style.document),
    ]
    for line in table([row for row in rows if row[1]], indent=0):
        click.echo(line)
    for mark, texts in (("+", style.good), ("-", style.bad)):
        for text in texts:
            click.echo(f"{mark} {text}")
