"""FERSNet: facial expression recognition and synthesis, and the pipeline that regenerates its paper."""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

_PLACES = {
    "find_faces": "fersnet.faces.find",
    "load_model": "fersnet.use.model",
    "load_settings": "fersnet.settings.load",
    "read_index": "fersnet.datasets.index",
}
"""Where the public names are; each is loaded when it is asked for, so that importing the package stays cheap. Their
types are in `__init__.pyi`."""

__all__ = ["__version__", "find_faces", "load_model", "load_settings", "read_index"]


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
