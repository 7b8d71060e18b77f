"""Look at every built page in Chromium: `make screenshots`.

Each page is opened at the widths of a phone, a tablet and a desk, light and dark. The check fails where a page is wider
than its window, and where text of a figure is too small to read or cut off. The pictures go to `.screenshots`, which
git ignores. Names of pages, such as `how-to/ci`, restrict the run to these.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Page, sync_playwright

TOP = Path(__file__).parents[1]
SITE = TOP / ".docs"
PICTURES = TOP / ".screenshots"
WIDTHS = (390, 820, 1440)
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
LEGIBLE = 11  # CSS pixels of the smallest text in a figure

_FIGURES = """[...document.querySelectorAll('article img[src$=".svg"]')]
  .filter(image => image.clientWidth).map(image => [image.src, image.clientWidth])"""
# Of a figure: its smallest text and its longest line, as parts of the width.
_TEXT = """() => {
  const width = document.documentElement.viewBox.baseVal.width;
  const texts = [...document.querySelectorAll('text')].filter(text => text.textContent);
  const sizes = texts.map(text => parseFloat(getComputedStyle(text).fontSize));
  const ends = texts.map(text => text.getBBox()).map(box => box.x + box.width);
  return [Math.min(...sizes) / width, Math.max(...ends) / width];
}"""
# What reaches out of the window, for the message; what lies in a box that scrolls by itself does not count.
_WIDE = """() => [...document.querySelectorAll('article *')]
  .filter(element => element.getBoundingClientRect().right > window.innerWidth + 1)
  .filter(element => { for (let e = element.parentElement; e; e = e.parentElement)
    if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX)) return false; return true; })
  .slice(0, 3).map(element => element.tagName.toLowerCase() + ': ' + element.textContent.trim().slice(0, 60))"""


def faults(page: Page, figures: Page) -> Iterator[str]:
    """Yield what is wrong with the layout of the page that is open; `figures` is another, to measure figures in."""
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if wide > 0:
        yield f"is {wide} pixels wider than the window: {'; '.join(page.evaluate(_WIDE))}"
    for address, width in page.evaluate(_FIGURES):
        figures.goto(address)
        size, end = figures.evaluate(_TEXT)
        if size * width < LEGIBLE:
            yield f"{address.rpartition('/')[2]} has text of {size * width:.1f} pixels, {LEGIBLE} are legible"
        if end > 1:
            yield f"{address.rpartition('/')[2]} has text that reaches out of it"


def main(names: list[str]) -> int:
    """Take the pictures; return 1 where a page has a fault, else 0."""
    chromium = shutil.which("chromium")
    found = sorted(str(path.relative_to(SITE).with_suffix("")) for path in SITE.rglob("*.html"))
    chosen = [name for name in found if not names or name in names]
    assert chosen, f"no such page in {SITE}: {', '.join(names)}"  # noqa: S101
    failed = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scheme in SCHEMES:
            for width in WIDTHS:
                context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
                page, figures = context.new_page(), context.new_page()
                for name in chosen:
                    page.goto((SITE / f"{name}.html").as_uri())
                    for fault in faults(page, figures):
                        failed += 1
                        print(f"{name}, {width} pixels, {scheme}: {fault}")  # noqa: T201
                    page.screenshot(path=PICTURES / f"{scheme}-{width}" / f"{name}.png", full_page=True)
                context.close()
        browser.close()
    print(f"{len(chosen)} pages at {len(WIDTHS)} widths, light and dark: {failed} faults; see {PICTURES.name}/")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
