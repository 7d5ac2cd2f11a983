"""The three XML files of an MMI session, parsed without entities, external references or unbounded size."""

from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

MAXIMUM_BYTES = 4_000_000
VIEWS = {"0": "frontal", "1": "profile", "2": "dual"}
_APEX = "2"


class XmlError(Exception):
    """An XML file that cannot be used; the message is the reason."""


def parse(path: Path) -> Element:
    """The root element of an XML file.

    Raises:
        XmlError: if the file is unreadable, larger than 4 MB, not well formed, or declares entities.
    """
    from defusedxml import DefusedXmlException, ElementTree

    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            raise XmlError("XML file is larger than 4 MB")
        with path.open("rb") as file:
            return ElementTree.parse(file, forbid_entities=True, forbid_external=True).getroot()
    except DefusedXmlException as error:
        raise XmlError("XML file declares entities or external references") from error
    except OSError as error:
        raise XmlError(f"XML file cannot be read: {error.strerror or error}") from error
    except (ParseError, ValueError, LookupError) as error:
        raise XmlError(f"XML file is broken: {error}") from error


def _named(root: Element, name: str) -> list[Element]:
    return [
        element
        for element in root.iter()
        if isinstance(element.tag, str) and element.tag.rsplit("}", 1)[-1].casefold() == name
    ]


def _attribute(element: Element, name: str) -> str | None:
    """An attribute by name, ignoring case."""
    return next((value.strip() for key, value in element.attrib.items() if key.casefold() == name), None)


def emotion_code(root: Element) -> int | None:
    """The emotion code in `Sxxx-yyy.xml`: the `Metatag` element whose `Name` is `Emotion`; None if there is none.

    Raises:
        XmlError: if the value is no number, or two elements contradict each other.
    """
    values = {
        _attribute(element, "value") or ""
        for element in _named(root, "metatag")
        if (_attribute(element, "name") or "").casefold() == "emotion"
    }
    if not values:
        return None
    if len(values) > 1:
        raise XmlError("two emotion labels contradict each other")
    value = values.pop()
    if not (value.isascii() and value.isdigit()):
        raise XmlError("emotion label is not a number")
    return int(value[:9])


def view_of(root: Element, video: str) -> str:
    """The view in `session.xml`: "frontal", "profile", "dual" or "unknown".

    The `track` element that names the video counts, otherwise the first one.
    """
    tracks = _named(root, "track")
    own = [track for track in tracks if video.casefold() in {value.casefold() for value in track.attrib.values()}]
    chosen = (own or tracks)[:1]
    return VIEWS.get(_attribute(chosen[0], "view") or "", "unknown") if chosen else "unknown"


def apex_intervals(root: Element) -> list[tuple[int, int | None]]:
    """The apexes in `Sxxx-yyy-oao_aucs.xml`: 1-based start of the apex and of what follows (None: nothing).

    Each `ActionUnit` holds `Marker` elements with a `Frame` and a `Type`: 0 neutral, 1 onset, 2 apex, 3 offset. Each
    marker begins a phase that lasts until the next one.
    """
    intervals: list[tuple[int, int | None]] = []
    for unit in _named(root, "actionunit"):
        markers: list[tuple[int, str]] = []
        for marker in _named(unit, "marker"):
            frame = _attribute(marker, "frame") or ""
            if frame.isascii() and frame.isdigit():
                markers.append((int(frame[:9]), _attribute(marker, "type") or ""))
        markers.sort()
        for position, (frame, kind) in enumerate(markers):
            if kind == _APEX:
                following = [later for later, _ in markers[position + 1 :] if later > frame]
                intervals.append((frame, following[0] if following else None))
    return intervals
