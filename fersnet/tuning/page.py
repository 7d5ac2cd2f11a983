"""The page of all ranges, written by `fersnet ranges`."""

from collections.abc import Mapping

from fersnet.methods.contract import Method
from fersnet.methods.find import find_known
from fersnet.methods.ranges import Range
from fersnet.settings.load import load_settings
from fersnet.settings.tree import Settings
from fersnet.tuning.fersnet_ranges import EVERY, SYNTHESISING

HEADER = """\
# Ranges of the search

For everyone who tunes, or asks from where settings were drawn. Written by `fersnet ranges` from what each method's file
declares, and from `fersnet/tuning/fersnet_ranges.py`; a test fails when it drifts. How a search works:
[tuning.md](tuning.md).

A range holds what changes how well a training goes, and not how long it takes: no widths, epochs or sizes of batches.
*By size*: 0.001 to 0.01 is as likely as 0.01 to 0.1.
"""


def ranges_page() -> str:
    """`docs/ranges.md`: every range with the value of both presets."""
    presets = [load_settings({"preset": name}, []) for name in ("published", "embedded")]
    lines = [HEADER, *_table("FERSNet and its variants", EVERY, [_variant(one) for one in presets])]
    more = {key: within for key, within in SYNTHESISING.items() if key not in EVERY}
    lines += _table("Those that synthesise, beside these", more, [_variant(one) for one in presets])
    known, left = find_known({}), []
    for key, found in {**known.systems, **known.recognisers}.items():
        method = found.declared
        if isinstance(method, Method) and method.ranges:
            lines += _table(method.name, method.ranges, [one.for_method(key).model_dump() for one in presets])
        else:
            left.append(found.declared.name)
    lines += ["## Without ranges", ""]
    lines += [f"{', '.join(left)}: what their papers tune is a grid, chosen on each fold's validation subjects.", ""]
    return "\n".join(lines)


def _variant(settings: Settings) -> dict[str, object]:
    recipe = settings.for_variant(settings.synthesis.method).model_dump()
    return {f"{part}.{key}": value for part in ("training", "losses") for key, value in recipe[part].items()}


def _table(heading: str, ranges: Mapping[str, Range], values: list[dict[str, object]]) -> list[str]:
    rows = [f"| `{key}` | {within} | {' | '.join(f'{one[key]}' for one in values)} |" for key, within in ranges.items()]
    return [f"## {heading}", "", "| key | range | published | embedded |", "| --- | --- | --- | --- |", *rows, ""]
