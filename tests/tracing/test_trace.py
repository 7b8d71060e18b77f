"""The measurement of what packages open at run time: its parts, its page, and a sample measured again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracing import log, measure, page, results
from tracing.debian import Debian
from tracing.works import SAMPLE, all_works

LINES = """\
         2:	file=libz.so.1 [0];  needed by /app/a/b.so [0]
         2:	file=libz.so.1 [0];  generating link map
         2:	file=libc.so.6 [0];  needed by /app/a/b.so [0]
         2:	file=libc.so.6 [0];  generating link map
         2:	file=libgrafted-1234.so.1 [0];  needed by /app/a/b.so [0]
         2:	file=libX11.so.6 [0];  dynamically loaded by /app/a/b.so [0]
         2:	file=libX11.so.6 [0];  generating link map
         2:	file=libxcb.so.1 [0];  needed by /libraries/libX11.so.6 [0]
         2:	file=libxcb.so.1 [0];  generating link map
         2:	file=libffi.so.8 [0];  needed by /nix/store/x-python3/lib/python3.13/lib-dynload/_ctypes.cpython-313.so [0]
         2:	file=libmagic.so.1 [0];  dynamically loaded by /nix/store/x/lib-dynload/_ctypes.cpython-313.so [0]
         2:	file=/usr/lib/libjpeg.so.0 [0];  dynamically loaded by /nix/store/x/lib-dynload/_ctypes.cpython-313.so [0]
         2:	file=libEGL.so.1 [0];  dynamically loaded by program [0]
"""


def test_log(tmp_path: Path) -> None:
    (tmp_path / "ld.2").write_text(LINES)
    (tmp_path / "find_library").write_text(
        '{"name": "usb", "found": null, "caller": "/app/usb.py"}\n'
        '{"name": "z", "found": "libz.so.1", "caller": "/app/usb.py"}\n'
        '{"name": "c", "found": null, "caller": "/nix/store/x-python3/lib/python3.13/uuid.py"}\n'
    )
    trace = log.read(tmp_path, own={"libgrafted-1234.so.1", "program"}, given={"libz.so.1", "libX11.so.6"})
    assert trace.linked == {"libz.so.1"}
    assert trace.opened == {"libX11.so.6", "libz.so.1"}
    assert trace.failed == {"libmagic.so.1", "libjpeg.so.0", "libEGL.so.1", "libusb.so"}
    assert trace.mapped >= {"libxcb.so.1"}


def test_page_is_up_to_date() -> None:
    assert page.PAGE.read_text() == page.document(results.read())


def test_every_row_has_a_program() -> None:
    assert {row.name for row in results.read().packages} <= {work.name for work in all_works()}
    assert set(SAMPLE) <= {row.name for row in results.read().packages}


def test_totals() -> None:
    rows = (
        results.Row(
            name="a",
            kind="x",
            wheels=("a==1",),
            works=False,
            works_with_all=True,
            rendered=("libb.so.1", "libc.so.1"),
            opened=("liba.so.1", "libb.so.1"),
            missed=("liba.so.1",),
            never=("libc.so.1",),
        ),
        results.Row(name="b", kind="x", wheels=("b==1",), works=True, works_with_all=True),
        results.Row(name="c", kind="x", wheels=("c==1",), works=False, works_with_all=False, missed=("libd.so.1",)),
    )
    sums = page.totals(rows)
    assert (sums.judged, sums.works, sums.recall, sums.never_opened) == (2, 1, 0.5, 0.5)


@pytest.mark.parametrize("name", SAMPLE)
@pytest.mark.usefixtures("real_box", "network")
def test_sample(name: str) -> None:
    (recorded,) = (row for row in results.read().packages if row.name == name)
    (work,) = (work for work in all_works() if work.name == name)
    seen = measure.measure(work, Debian(), versions=recorded.wheels)
    assert (seen.works, seen.missed, seen.never) == (recorded.works, recorded.missed, recorded.never), seen.output
