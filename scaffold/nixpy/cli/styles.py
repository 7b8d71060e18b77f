"""`nixpy styles`."""

from __future__ import annotations

import click

from nixpy.cli import values
from nixpy.cli.common import format_option, print_json
from nixpy.cli.layout import table, tell
from nixpy.cli.output import Styled, echo
from nixpy.styles import features, host, promises, styles


@click.command("styles")
@click.argument("name", required=False, shell_complete=values.styles_and_features)
@click.option(
    "--need",
    "needs",
    multiple=True,
    metavar="NEED",
    shell_complete=values.needs,
    help=f"List only styles with this property: {', '.join(need.name for need in promises.NEEDS)}. Repeat it, or "
    "separate several with commas.",
)
@format_option
def command(name: str | None, needs: tuple[str, ...], form: str) -> None:
    """List the styles and features, or describe one of them: how it works, what it offers, what it costs."""
    wanted = [promises.find(part.strip()) for text in needs for part in text.split(",")]
    if name and wanted:
        raise click.UsageError("--need selects among all styles; leave out NAME")
    feature = next((one for one in features.features() if name and one.name == name.lower()), None)
    if feature:
        if form == "json":
            print_json({"styles": [], "features": [_feature(feature)]})
        else:
            _tell_feature(feature)
        return
    shown = [styles.find(name)] if name else list(promises.serving(wanted))
    if form == "json":
        extra = {} if name or wanted else {"features": [_feature(feature) for feature in features.features()]}
        print_json({"styles": [_data(style) for style in shown], **extra})
        return
    if name:
        _tell(shown[0])
        return
    for line in table([(style.name, style.summary) for style in shown], indent=0):
        echo(line)
    if not shown:
        tell("no style has all of these properties; leave out the least important one", err=True)
    if not wanted:
        echo("")
        tell("features, for --feature or `features` in [tool.nixpy]:")
        for one in features.features():
            echo(Styled(one.name, bold=True))
            tell(one.summary, lead="  ")
            tell(one.cost, lead="  cost: ")
        echo("", err=True)
        tell("`nixpy styles NAME` describes a style or feature; without --style, `nixpy init` recommends one", err=True)


def _feature(feature: features.Feature) -> dict[str, object]:
    return {
        "name": feature.name,
        "title": feature.title,
        "summary": feature.summary,
        "cost": feature.cost,
        "document": feature.document,
        "styles": sorted(feature.styles) or [style.name for style in styles.styles()],
    }


def _data(style: styles.Style) -> dict[str, object]:
    return {
        "name": style.name,
        "aliases": list(style.aliases),
        "title": style.title,
        "summary": style.summary,
        "how": style.how,
        "document": style.document,
        "promises": {**{need.name: need.promised(style) for need in promises.NEEDS}, "host": host.in_words(style.host)},
        "good": list(style.good),
        "bad": list(style.bad),
    }


def _tell_feature(feature: features.Feature) -> None:
    tell(feature.title, lead=(Styled(feature.name, bold=True), ": "))
    tell(feature.summary)
    echo("")
    rows = [
        ("use it", f"--feature {feature.name}, or `features` in [tool.nixpy]"),
        ("cost", feature.cost),
        ("styles", ", ".join(style.name for style in styles.styles() if style.name in feature.styles) or "all"),
        ("follows", feature.document),
    ]
    for line in table([row for row in rows if row[1]], indent=0):
        echo(line)


def _tell(style: styles.Style) -> None:
    tell(style.title, lead=(Styled(style.name, bold=True), ": "))
    tell(style.how)
    echo("")
    rows = [
        ("other names", ", ".join(style.aliases)),
        *((need.title, promises.in_words(need.promised(style))) for need in promises.NEEDS),
        ("the host must have", host.in_words(style.host)),
        ("follows", style.document),
    ]
    for line in table([row for row in rows if row[1]], indent=0):
        echo(line)
    for mark, texts in (("+", style.good), ("-", style.bad)):
        for text in texts:
            tell(text, lead=f"{mark} ")
