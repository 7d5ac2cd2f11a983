"""A downloader for pooch that takes up a broken download where it broke."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from time import sleep
from typing import IO, Any

import requests

from fersnet.errors import UserError

CHUNK = 1 << 15
"""Bytes that are asked for at a time, of which a broken connection loses those that came last."""
TIMEOUT = (15, 60)
"""Seconds to connect, and seconds without a byte, after which a connection counts as broken."""
TRIES = 4
"""Connections in a row that bring nothing, after which the host counts as gone."""
PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Answers that may be another one a moment later."""

Report = Callable[[int], None]
"""Told of bytes that have arrived, and with a negative number of bytes that have to come again."""


class ResumingDownloader:
    """What pooch calls to download a file.

    The bytes go to a file of their own, named after the address, which stays where a download breaks off: within this
    call, and in a later one, only what is missing is asked for.

    Args:
        folder: where unfinished files lie.
        sizes: bytes of each file by its address.
        report: told of each arrival.
    """

    def __init__(self, folder: Path, sizes: Mapping[str, int], report: Report) -> None:
        self.folder, self.sizes, self.report = folder, sizes, report
        self.session = requests.Session()

    def part(self, url: str) -> Path:
        """The file in which a download collects."""
        return self.folder / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.part"

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """Download a file as a whole, and hand it over as `output_file`.

        Raises:
            UserError: if the host says that there is no such file, has another one, or cannot be reached.
            OSError: if the disk does not take it.
        """
        part, size = self.part(url), self.sizes[url]
        self.folder.mkdir(parents=True, exist_ok=True)
        have = most = _size(part)
        vain = 0
        while have != size:
            if have > size:
                part.unlink()
                reason = ""
            else:
                reason = self._continue(url, part, have)
            have = _size(part)
            # Starting anew is no progress, so that a host which always breaks at one place is given up.
            most, vain = (have, 0) if have > most else (most, vain + 1)
            if vain == TRIES and have != size:
                raise UserError(f"{url}: {reason or 'no end'}; run again to continue, what has arrived is kept")
            if reason and vain:
                sleep(min(2.0**vain, 20.0))
        part.replace(output_file)

    def _continue(self, url: str, part: Path, have: int) -> str:
        """Ask for what is missing, and add it to what is there; why something is still missing, or ""."""
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        try:
            with self.session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
                status = response.status_code
                if status in PASSING:
                    return f"the host answers {status} {response.reason}"
                other_place = status == 206 and not response.headers.get("Content-Range", "").startswith(
                    f"bytes {have}-"
                )
                if have and (status in (200, 416) or other_place):
                    # The host knows no ranges, or what is there is not the beginning of this file.
                    part.unlink()
                    self.report(-have)
                    if status != 200:
                        return ""
                elif status not in (200, 206):
                    raise UserError(f"{url}: the host answers {status} {response.reason}; the file may have moved")
                with part.open("ab") as file:
                    return self._copy(response, file, self.sizes[url])
        except requests.TooManyRedirects:
            raise UserError(f"{url}: the host sends from one address to the next without end") from None
        except requests.RequestException as error:
            return f"the connection broke ({cause(error)})"

    def _copy(self, response: requests.Response, file: IO[bytes], size: int) -> str:
        for chunk in response.iter_content(CHUNK):
            file.write(chunk)
            self.report(len(chunk))
            if file.tell() > size:
                file.truncate(0)
                raise UserError(f"{response.url}: longer than the {size} bytes that it should have; nothing was kept")
        return "" if file.tell() == size else "the connection ended early"


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def cause(error: BaseException) -> str:
    """The innermost reason of a broken connection, in one line."""
    while (inner := next((part for part in error.args if isinstance(part, BaseException)), None)) is not None:
        error = inner
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return cause(reason)
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
