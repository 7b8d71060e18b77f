"""Send requests to an index.

There is one pool of connections for all threads, with retries, logins and clear errors.
"""

from __future__ import annotations

import logging
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin

from nixpy import __version__
from nixpy.core import limits
from nixpy.core.errors import NetworkError, NixpyError
from nixpy.core.urls import shown, split, without_login
from nixpy.index.settings import IndexSettings, same_server

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)

_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 8
_CHECK = "Check the index settings of uv or pip, or run with --offline, which skips downloads."
_SMALL = 16 << 10  # bytes: reading this much of a redirect costs less than a new connection


class _StoppedError(Exception):
    """The result is no longer needed.

    Another thread failed, or the user interrupted nixpy.
    """


class _TransientError(Exception):
    """A failure that a later attempt may avoid.

    `after` is the pause in seconds that the server requests.
    """

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Client:
    """An HTTP client for indexes.

    It is safe for several threads; `stop` ends every wait at once.

    The client retries by itself, not by urllib3, since it must also repeat a request when a body breaks off, and end
    a pause when the user presses Ctrl-C. `attempts` is the number of attempts, `pause` the first wait in seconds, which
    doubles each time.
    """

    def __init__(
        self,
        settings: IndexSettings,
        stop: threading.Event | None = None,
        *,
        attempts: int = 4,
        pause: float = 0.5,
    ) -> None:
        # At level DEBUG urllib3 logs every path with its query, which may be signed.
        logging.getLogger("urllib3").setLevel(logging.INFO)
        self.stop = stop or threading.Event()
        self._settings = settings
        self._attempts = attempts
        self._pause = pause
        self._tls = _tls(settings)
        self._proxies = urllib.request.getproxies()
        self._managers: dict[str | None, PoolManager] = {}
        self._lock = threading.Lock()

    def get(self, url: str, use: Callable[[BaseHTTPResponse], _T], *, byte_range: str | None = None) -> _T:
        """Request `url` and return the result of `use`.

        `use` reads the body of the response.

        `use` gets responses with status 200 and 206 and, if a range was requested, every refusal of ranges. It may be
        called again after a broken connection. Raises NetworkError if the server cannot be reached or refuses, and
        StoppedError.
        """
        for attempt in range(self._attempts):
            pause = self._pause * 2**attempt
            try:
                return self._once(url, use, byte_range)
            except _TransientError as error:
                reason, pause = str(error), max(pause, error.after or 0)
            if attempt + 1 < self._attempts and self.stop.wait(min(pause, limits.PAUSE)):
                raise _StoppedError
        raise self._unreachable(url, reason)

    def chunks(self, response: BaseHTTPResponse, url: str, most: int | None = None) -> Iterator[bytes]:
        """Yield the body in pieces of at most 256 KiB.

        Raises StoppedError as soon as the work is cancelled.

        Raises NetworkError if the body has more than `most` bytes. If the rate is below the minimum of `core.limits`,
        `get` raises it: so a download ends after its size divided by that rate, whatever the server does.
        """
        total = 0
        # `read1` returns what has arrived; `stream` would wait for the whole piece.
        while chunk := response.read1(256 << 10):
            if self.stop.is_set():
                raise _StoppedError
            total += len(chunk)
            if total > (limits.UNKNOWN_SIZE if most is None else most):
                raise too_large(url, most)
            yield chunk

    def close(self) -> None:
        """Close every idle connection."""
        for manager in self._managers.values():
            manager.clear()

    def _once(self, url: str, use: Callable[[BaseHTTPResponse], _T], byte_range: str | None) -> _T:
        from urllib3.exceptions import HTTPError, LocationValueError, SSLError

        from nixpy.wheels.metered import EmptyError, SlowError

        if self.stop.is_set():
            raise _StoppedError
        try:
            with self._open(url, byte_range) as response:
                self._judge(url, response, ranged=byte_range is not None)
                return use(response)
        except SlowError:
            raise _too_slow(url) from None
        except EmptyError:
            raise _too_empty(url) from None
        except LocationValueError:
            raise NetworkError(
                "nixpy cannot download from this address", hint=_CHECK, path=self._settings.shown(url)
            ) from None
        except (HTTPError, OSError) as error:
            if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise NetworkError(
                    "the server's certificate is not trusted",
                    hint="Set SSL_CERT_FILE, or pip's cert, to the file of your authority's certificates.",
                    path=self._settings.shown(url),
                ) from None
            raise _TransientError(str(error).rpartition("): ")[2]) from None

    @contextmanager
    def _open(self, url: str, byte_range: str | None) -> Iterator[BaseHTTPResponse]:
        """Follow redirects without urllib3.

        Each server on the way gets only its own login.
        """
        login = self._settings.auth(url)
        for _ in range(_MOST_REDIRECTS):
            headers = {"User-Agent": f"nixpy/{__version__}", "Accept-Encoding": "identity"}
            headers |= {"Authorization": login} if login else {}
            headers |= {"Range": byte_range} if byte_range else {}
            response = self._manager(url).request(
                "GET", without_login(url), headers=headers, redirect=False, preload_content=False, retries=False
            )
            _LOG.debug("requested %s, status %d", self._settings.shown(url), response.status)
            target = response.headers.get("Location") if response.status in _REDIRECTS else None
            if target is None:
                try:
                    yield response
                except BaseException:
                    response.close()  # the rest of the body would be read as the response to the next request
                    raise
                response.close() if response.length_remaining else response.release_conn()
                return
            small = response.length_remaining is not None and response.length_remaining <= _SMALL
            response.drain_conn() if small else response.close()  # its body may have no end
            try:
                target = urljoin(url, split(target).geturl())
            except NixpyError as error:
                raise NetworkError(error.message, hint=_CHECK, path=self._settings.shown(url)) from None
            if split(target).scheme not in ("https", split(url).scheme):
                raise NetworkError(
                    f"the server redirects from https to {self._settings.shown(target)}, and nixpy does not follow",
                    hint=_CHECK,
                    path=self._settings.shown(url),
                )
            login = login if same_server(url, target) else self._settings.auth(target)
            url = target
        raise NetworkError("the server redirects without end", hint=_CHECK, path=self._settings.shown(url))

    def _judge(self, url: str, response: BaseHTTPResponse, *, ranged: bool) -> None:
        status = response.status
        if status in (200, 206):
            return
        if status in _TRY_AGAIN:
            raise _TransientError(f"the server answers {status}", _retry_after(response))
        if status in (401, 403, 407):
            raise NetworkError(
                f"the index refuses access (status {status})",
                hint="Give it a login: in netrc, in the index URL, or as UV_INDEX_<NAME>_USERNAME and "
                "UV_INDEX_<NAME>_PASSWORD.",
                path=self._settings.shown(url),
            )
        if status in (404, 410):
            raise NetworkError(
                f"the index no longer has this file (status {status})",
                hint="Lock the project again.",
                path=self._settings.shown(url),
            )
        if not ranged:
            raise NetworkError(f"the server answers with status {status}", hint=_CHECK, path=self._settings.shown(url))

    def _unreachable(self, url: str, reason: str) -> NetworkError:
        return NetworkError(
            f"this file cannot be fetched: {self._settings.redact(reason)}",
            hint="Check the network, and the index, proxy and certificate settings of uv or pip, "
            "or run with --offline, which skips downloads.",
            path=self._settings.shown(url),
        )

    def _manager(self, url: str) -> PoolManager:
        """Return the pool for the proxy that the environment sets for this server.

        Without a proxy, it is the pool without one.
        """
        import urllib3

        parts = split(url)
        proxy = self._proxies.get(parts.scheme) or self._proxies.get("all")
        if proxy is not None and urllib.request.proxy_bypass(parts.hostname or ""):
            proxy = None
        with self._lock:
            if proxy not in self._managers:
                from nixpy.wheels.metered import POOLS

                options: dict[str, Any] = {
                    "maxsize": 8,
                    "timeout": urllib3.Timeout(connect=10, read=30),
                    "ssl_context": self._tls,
                }
                manager = urllib3.PoolManager(**options) if proxy is None else _through(proxy, options)
                manager.pool_classes_by_scheme = POOLS
                self._managers[proxy] = manager
            return self._managers[proxy]


def too_large(url: str, most: int | None) -> NetworkError:
    """Return the error for a file with more than the `most` bytes that the lock names."""
    expected = "any wheel has" if most is None else f"the {most:,} bytes that the lock names"
    return NetworkError(
        f"the server sends more than {expected}", hint="Check the index, or lock the project again.", path=shown(url)
    )


def _too_slow(url: str) -> NetworkError:
    return NetworkError(
        f"the server sends less than {limits.RATE:,} bytes a second",
        hint="Try again later, choose another index, or run with --offline, which skips downloads.",
        path=shown(url),
    )


def _too_empty(url: str) -> NetworkError:
    return NetworkError(
        f"the server sends more than {limits.HEADERS:,} bytes of headers or of empty parts",
        hint="Check the index, or run with --offline, which skips downloads.",
        path=shown(url),
    )


def _through(proxy: str, options: dict[str, Any]) -> PoolManager:
    import urllib3

    address = proxy if "://" in proxy else f"http://{proxy}"
    login = IndexSettings().auth(address)
    headers = {"Proxy-Authorization": login} if login else None
    return urllib3.ProxyManager(without_login(address), proxy_headers=headers, **options)


def _tls(settings: IndexSettings) -> ssl.SSLContext:
    file = settings.certificates
    try:
        if file is not None and file.is_dir():
            context = ssl.create_default_context(capath=str(file))
        else:
            context = ssl.create_default_context(cafile=str(file) if file else None)
    except (OSError, ssl.SSLError):
        raise _no_certificates(file) from None
    try:
        if settings.client_certificate is not None:
            context.load_cert_chain(settings.client_certificate)
    except (OSError, ssl.SSLError):
        raise _no_certificates(settings.client_certificate) from None
    return context


def _no_certificates(path: object) -> NetworkError:
    return NetworkError(
        "this certificate file cannot be read",
        hint="Correct SSL_CERT_FILE, SSL_CLIENT_CERT or pip's cert and client-cert.",
        path=str(path),
    )


def _retry_after(response: BaseHTTPResponse) -> float | None:
    from urllib3 import Retry
    from urllib3.exceptions import InvalidHeader

    try:
        return Retry().get_retry_after(response)
    except (InvalidHeader, ValueError, OverflowError, TypeError, LookupError):  # an invalid date
        return None
