"""Looking for faces in a process of its own, which gets ready while this one imports PyTorch."""

import signal
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import TYPE_CHECKING

from fersnet.errors import UserError
from fersnet.faces.find import Face, find_faces, searching
from fersnet.settings.data import FacesSettings

if TYPE_CHECKING:
    from fersnet.faces.images import Picture


class Finder:
    """A process that looks for faces, from the moment that this object is made; it ends with its owner, however that
    ends. It answers one question at a time."""

    def __init__(self, settings: FacesSettings) -> None:
        """
        Args:
            settings: Whose backend is made ready.
        """
        # A spawned process has none of this one's files, so that its end of the pipe breaks when this one is killed.
        context = get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_work, args=(there, settings), daemon=True)
        self._process.start()
        there.close()

    def find(self, picture: "Picture", settings: FacesSettings) -> list[Face]:
        """As `find_faces`.

        Raises:
            UserError: as there.
        """
        self._here.send((picture, settings))
        found = self._here.recv()
        if isinstance(found, Exception):
            raise found
        return found

    def __enter__(self) -> "Finder":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._here.close()
        self._process.terminate()  # It may still be getting ready.
        self._process.join()


def _work(there: Connection, settings: FacesSettings) -> None:
    """Answer until the owner's end of the pipe is closed, be it by Ctrl-C, which is for the owner alone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(UserError):  # told when a picture comes
        searching(settings)
    while True:
        try:
            question = there.recv()
        except EOFError:
            return
        try:
            there.send(find_faces(*question))
        except Exception as error:  # the owner tells of it
            there.send(error)
