"""The cache of facts: what answers for what, and that nothing in it can do harm."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nixpy.needs.model import ElfFile, RuntimeOpen, WheelFacts
from nixpy.wheels import cache as module
from nixpy.wheels.cache import Cache

DIGEST = "ab" * 32
URL = "https://index.example/files/demo.whl"
FULL = WheelFacts(
    files=(ElfFile(path="a.so", machine=62, needed=("libz.so.1",), glibc=(2, 28)),),
    known="sha256",
    requires=("six",),
    opens=(
        RuntimeOpen(
            names=("libz.so",), evidence="source", certainty="likely", path="a.py", line=1, systems=("x86_64-linux",)
        ),
    ),
    imports=("six.moves",),
    unreadable=("bin/a",),
)
text = st.text(max_size=9)
elf_files = st.builds(
    ElfFile,
    path=text,
    machine=st.integers(0, 65535),
    needed=st.lists(text, max_size=3).map(tuple),
    soname=st.none() | text,
    interpreter=st.none() | text,
    glibc=st.none() | st.tuples(st.integers(0, 9), st.integers(0, 99)),
)
opens = st.builds(
    RuntimeOpen,
    names=st.lists(text, max_size=3).map(tuple),
    evidence=st.sampled_from(["linked", "note", "source", "strings", "table"]),
    certainty=st.sampled_from(["certain", "likely", "possible"]),
    path=text,
    line=st.none() | st.integers(1, 99),
    find_library=st.booleans(),
    module=st.none() | text,
    systems=st.lists(text, max_size=3).map(tuple),
)
facts_of_wheels = st.builds(
    WheelFacts,
    files=st.lists(elf_files, max_size=3).map(tuple),
    known=st.just("sha256"),
    requires=st.none() | st.lists(text, max_size=3).map(tuple),
    opens=st.lists(opens, max_size=3).map(tuple),
    imports=st.lists(text, max_size=3).map(tuple),
    unreadable=st.lists(text, max_size=3).map(tuple),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=facts_of_wheels)
def test_facts_come_back_as_they_were(tmp_path: Path, facts: WheelFacts) -> None:
    """Whatever facts are kept, the same are found again."""
    cache = Cache(folder=tmp_path)
    cache.put(DIGEST, facts, URL)
    assert cache.get(DIGEST) == facts


def test_hashed_facts_answer_for_every_source(tmp_path: Path) -> None:
    """The hash says it all: where the file came from does not matter."""
    cache, facts = Cache(folder=tmp_path), WheelFacts(files=(), known="sha256")
    cache.put(DIGEST, facts, URL)
    assert cache.get(DIGEST, "https://other.example/demo.whl") == facts
    assert cache.get("cd" * 32, URL) is None


def test_ranges_answer_for_their_own_source(tmp_path: Path) -> None:
    """What one index claimed about a hash is not believed of another; a login or signature makes no other index."""
    cache, facts = Cache(folder=tmp_path), WheelFacts(files=(), known="index")
    cache.put(DIGEST, facts, URL)
    assert cache.get(DIGEST, URL) == facts
    assert cache.get(DIGEST, URL.replace("https://", "https://user:pw@") + "?signature=1#sha256=1") == facts
    assert cache.get(DIGEST, URL.replace("index", "evil")) is None
    assert cache.get(DIGEST, URL.replace("https", "http")) is None
    assert cache.get(DIGEST) is None


@pytest.mark.parametrize("known", ["installed", "tag"])
def test_weaker_facts_are_not_kept(tmp_path: Path, known: str) -> None:
    """What an environment or only a tag says is true of this project at most."""
    Cache(folder=tmp_path).put(DIGEST, WheelFacts(files=(), known=known), URL)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"known": "sha256"}',
        b'{"known": "index", "files": []}',
        b'{"known": "sha256", "files": [1]}',
        b'{"known": "sha256", "files": [{"path": "a"}]}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_entry_is_none(tmp_path: Path, content: bytes) -> None:
    """An entry that is not exactly what was written is as good as none, and is replaced."""
    cache, facts = Cache(folder=tmp_path), WheelFacts(files=(), known="sha256")
    cache.put(DIGEST, facts)
    (entry,) = tmp_path.rglob("*.json")
    entry.write_bytes(content)
    assert cache.get(DIGEST) is None
    cache.put(DIGEST, facts)
    assert cache.get(DIGEST) == facts
    assert len(list(tmp_path.rglob("*.*"))) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"path":"a.so"', '"path":1'),
        ('"needed":["libz.so.1"]', '"needed":"libz.so.1"'),
        ('"needed":["libz.so.1"]', '"needed":{"libz.so.1":1}'),
        ('"machine":62', '"machine":true'),
        ('"glibc":[2,28]', '"glibc":[2,"28"]'),
        ('"requires":["six"]', '"requires":[1]'),
        ('"evidence":"source"', '"evidence":"guess"'),
        ('"certainty":"likely"', '"certainty":[]'),
        ('"find_library":false', '"find_library":0'),
        ('"line":1', '"line":"1"'),
        ('"module":null', '"module":3'),
        ('"systems":["x86_64-linux"]', '"systems":null'),
        ('"names":["libz.so"]', '"names":"libz.so"'),
        ('"imports":["six.moves"]', '"imports":"six.moves"'),
        ('"unreadable":["bin/a"]', '"unreadable":[null]'),
        (',"imports":["six.moves"]', ""),
        (',"imports":["six.moves"]', ',"imports":[],"more":1'),
    ],
)
def test_wrong_type_in_an_entry(tmp_path: Path, old: str, new: str) -> None:
    """A value of the wrong type, a key too few or too many: the entry is ignored."""
    cache = Cache(folder=tmp_path)
    cache.put(DIGEST, FULL)
    assert cache.get(DIGEST) == FULL
    (entry,) = tmp_path.rglob("*.json")
    content = entry.read_text()
    assert old in content
    entry.write_text(content.replace(old, new))
    assert cache.get(DIGEST) is None


def test_a_new_reader_reads_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries of an older reader are not used."""
    cache = Cache(folder=tmp_path)
    cache.put(DIGEST, WheelFacts(files=(), known="sha256"))
    monkeypatch.setattr(module, "READER", module.READER + 1)
    assert cache.get(DIGEST) is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    """Without a usable folder nothing is kept, and nothing fails."""
    (tmp_path / "file").write_text("")
    for cache in (Cache(folder=tmp_path / "file" / "below"), Cache(folder=None)):
        cache.put(DIGEST, WheelFacts(files=(), known="sha256"))
        assert cache.get(DIGEST) is None


def test_a_hash_is_never_a_path(tmp_path: Path) -> None:
    """What is not a sha256 names no file."""
    cache = Cache(folder=tmp_path / "cache")
    cache.put("../../outside", WheelFacts(files=(), known="sha256"))
    assert list(tmp_path.iterdir()) == []


def test_the_folder_can_be_chosen(tmp_path: Path) -> None:
    """NIXPY_CACHE_DIR decides; without it the platform does."""
    assert Cache.default({"NIXPY_CACHE_DIR": str(tmp_path)}).folder == tmp_path
    assert Cache.default({}).folder is not None
