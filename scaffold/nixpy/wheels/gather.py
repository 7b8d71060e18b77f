"""Gather the facts of all locked wheels from the nearest source."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from packaging.utils import NormalizedName

from nixpy.core.errors import NetworkError
from nixpy.core.urls import HTTP, file_path, shown, split
from nixpy.index.settings import IndexSettings
from nixpy.locks.model import LockedWheel, WheelFile
from nixpy.needs.model import WheelFacts
from nixpy.wheels import python_files
from nixpy.wheels.archive import Archive
from nixpy.wheels.cache import Cache
from nixpy.wheels.facts import read_facts
from nixpy.wheels.http import Client
from nixpy.wheels.installed import InstalledWheel, installed_wheels
from nixpy.wheels.local import LocalWheel
from nixpy.wheels.remote import RemoteWheel

_LOG = logging.getLogger(__name__)
_THREADS = 8
_LAST_WORDS = 5.0  # seconds that the threads get to end their work after one failed
_UNOPENED = WheelFacts(files=(), known="tag")

_Locate = Callable[[Sequence[LockedWheel]], Mapping[LockedWheel, WheelFile]]
_Answer = tuple[WheelFacts, str]
_Answers = queue.SimpleQueue[tuple[LockedWheel, _Answer | BaseException]]


class Progress(Protocol):
    """Shows the progress of reading wheels.

    Only the thread that called nixpy calls the methods.
    """

    def start(self, total: int) -> None:
        """Receive the number of wheels that nixpy will read."""

    def step(self, name: str, how: str) -> None:
        """Receive the name of a wheel that was read.

        `how` is cache, installed, file, ranges, download or skipped. After `start(0)` the names are those of other
        Pythons, and `how` is resolving.
        """


def gather(
    wheels: Sequence[LockedWheel],
    *,
    venv: Path | None,
    index: IndexSettings,
    cache: Cache,
    offline: bool = False,
    rescan: bool = False,
    metadata: bool = False,
    progress: Progress | None = None,
    locate: _Locate | None = None,
) -> dict[LockedWheel, WheelFacts]:
    """Return the facts of each wheel from the first source that has them.

    Sources are the cache, `venv`, a local file and an index, in this order.

    A wheel for several systems is read once; eight threads read wheels at the same time. Facts are known by `tag` only,
    and have no files, for wheels with code for macOS (opened only for their metadata), for wheels that are only on the
    network with `offline`, and for wheels without an address and index in the lock.

    Args:
        wheels: The locked wheels.
        venv: A virtual environment that may have them installed.
        index: The indexes, with their credentials.
        cache: The cache of facts.
        offline: Do not use the network.
        rescan: Do not read the cache; nixpy still updates it.
        metadata: Also read the requirements of each wheel.
        progress: Receives the name of each wheel that was read.
        locate: Finds the addresses of wheels for which the lock names only indexes. It is called once.

    Raises:
        NixpyError: A wheel cannot be read. It is raised once the other threads have ended, or after a few seconds.
    """
    stop = threading.Event()
    work = _Work(
        installed=installed_wheels(venv) if venv is not None else {},
        index=index,
        cache=cache,
        offline=offline,
        rescan=rescan,
        metadata=metadata,
        stop=stop,
    )
    files = {work.key(wheel): wheel for wheel in wheels}
    if progress is not None:
        progress.start(len(files))
    found: dict[object, WheelFacts] = {}
    if locate is not None and not offline:
        work.located = locate([wheel for wheel in files.values() if work.lacks_address(wheel)])

    def done(wheel: LockedWheel, answer: _Answer) -> None:
        found[work.key(wheel)] = answer[0]
        if progress is not None:
            progress.step(wheel.name, answer[1])

    try:
        _in_threads(list(files.values()), work.facts, done, stop)
    finally:
        work.close()
    return {wheel: found[work.key(wheel)] for wheel in wheels}


@dataclass(slots=True, kw_only=True)
class _Work:
    """The data that a thread needs to read one wheel."""

    installed: Mapping[NormalizedName, InstalledWheel]
    index: IndexSettings
    cache: Cache
    offline: bool
    rescan: bool
    metadata: bool
    stop: threading.Event
    located: Mapping[LockedWheel, WheelFile] = field(default_factory=dict, repr=False)
    _client: Client | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def facts(self, wheel: LockedWheel) -> _Answer:
        """Return the facts of one wheel, and their source in one word."""
        if self._unopened(wheel):
            return _UNOPENED, "skipped"
        sha256, url = wheel.file.sha256, self._file(wheel).url
        if (known := self._cached(sha256, url)) is not None:
            return known, "cache"
        if (known := self._of_installed(wheel)) is not None:
            return known, "installed"
        facts, how = self._read(wheel)
        _LOG.debug("analysed %s (%s)", wheel.file.filename, how)
        if sha256:
            self.cache.put(sha256, facts, url)
        return facts, how

    def lacks_address(self, wheel: LockedWheel) -> bool:
        """Return whether an index must first supply the address of the wheel."""
        file = wheel.file
        if not file.indexes or self._unopened(wheel) or self._cached(file.sha256, None) is not None:
            return False
        return self._of_installed(wheel) is None

    def key(self, wheel: LockedWheel) -> tuple[object, ...]:
        """Return a key that is equal for locked wheels of one file.

        A wheel that is not opened has its own.
        """
        file, unopened = wheel.file, self._unopened(wheel)
        return (unopened, file.sha256) if file.sha256 else (unopened, file.filename, file.url, file.path)

    def _unopened(self, wheel: LockedWheel) -> bool:
        return wheel.system.endswith("-darwin") and not (self.metadata or wheel.file.filename.endswith("-any.whl"))

    def _cached(self, sha256: str | None, url: str | None) -> WheelFacts | None:
        known = self.cache.get(sha256, url) if sha256 and not self.rescan else None
        return None if known and self.metadata and known.requires is None else known

    def _of_installed(self, wheel: LockedWheel) -> WheelFacts | None:
        """Return the facts of the installed wheel, or None if it is not the locked one.

        Its sources have the hashes in RECORD, unless the wheel has no other source. nixpy verifies and reads them again
        only if a file has changed.
        """
        installed = self.installed.get(wheel.name)
        if installed is None or not installed.matches(wheel):
            return None
        known = None if self.rescan else self.cache.get_installed(installed.fingerprint)
        if known and (known.requires is not None or not self.metadata):
            return known
        file = wheel.file
        other_source = file.url or file.path or file.indexes
        if other_source and not installed.verify(python_files.candidates(installed.members()).paths):
            return None
        facts = replace(self._look(wheel, installed), known="installed")
        self.cache.put_installed(installed.fingerprint, facts)
        return facts

    def _look(self, wheel: LockedWheel, archive: Archive) -> WheelFacts:
        """Read the facts of a wheel; the caller sets how they are known.

        A macOS wheel has no ELF files, and nixpy does not read its sources.
        """
        mac = wheel.file.filename.rpartition("-")[2].startswith("macosx_")
        return read_facts(archive, elf=not mac, sources=not mac, requires=self.metadata)

    def _file(self, wheel: LockedWheel) -> WheelFile:
        return self.located.get(wheel, wheel.file)

    def _read(self, wheel: LockedWheel) -> _Answer:
        file = self._file(wheel)
        path = file.path or file_path(file.url)
        if path is not None:
            local = LocalWheel(path, file.sha256)
            try:
                return replace(self._look(wheel, local), known="sha256"), "file"
            finally:
                local.close()
        if self.offline or file.url is None:
            return _UNOPENED, "skipped"
        if split(file.url).scheme not in HTTP:
            raise NetworkError(
                f"{file.filename} has an address that nixpy cannot download from",
                hint="Use an http, https or file URL.",
                path=shown(file.url),
            )
        remote = RemoteWheel(file.url, self._connection(), sha256=file.sha256, most=file.size)
        try:
            facts = self._look(wheel, remote)
            return replace(facts, known=remote.known), "download" if remote.whole else "ranges"
        finally:
            remote.close()

    def _connection(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = Client(self.index, self.stop)
            return self._client

    def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            self._client.close()


def _in_threads(
    jobs: Sequence[LockedWheel],
    work: Callable[[LockedWheel], _Answer],
    done: Callable[[LockedWheel, _Answer], None],
    stop: threading.Event,
) -> None:
    """Do all jobs in a few threads, and call `done` with each answer in this thread.

    The first error ends all.

    The threads are daemons and not those of an executor, for which Python waits at exit: after Ctrl-C the user
    must not wait for the time-out of a silent server.
    """
    waiting: queue.SimpleQueue[LockedWheel] = queue.SimpleQueue()
    answers: _Answers = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    threads = [
        threading.Thread(target=_run, args=(waiting, work, answers, stop), name=f"wheels-{n}", daemon=True)
        for n in range(min(_THREADS, len(jobs)))
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in jobs:
            job, answer = answers.get()
            if isinstance(answer, BaseException):
                raise answer  # noqa: TRY301
            done(job, answer)
    except Exception:
        stop.set()
        deadline = time.monotonic() + _LAST_WORDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        raise
    finally:
        stop.set()


def _run(
    waiting: queue.SimpleQueue[LockedWheel],
    work: Callable[[LockedWheel], _Answer],
    answers: _Answers,
    stop: threading.Event,
) -> None:
    """Do waiting jobs one after the other until none is left; each thread runs this."""
    while not stop.is_set():
        try:
            job = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            answers.put((job, work(job)))
        except BaseException as error:  # noqa: BLE001  # raised again by the thread that waits
            answers.put((job, error))
