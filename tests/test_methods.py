"""Methods and readers: found by name, whole, and told in one line where a user's own lacks a part."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fersnet.errors import UserError
from fersnet.methods.citations import citations_page
from fersnet.methods.contract import Method, Reader, Recogniser, SynthesisSystem
from fersnet.methods.find import find_known, load_code
from fersnet.settings.load import load_settings
from fersnet.settings.meanings import meanings

ROOT = Path(__file__).parent.parent
KNOWN = find_known({})
FOUND = [*KNOWN.systems.values(), *KNOWN.recognisers.values(), *KNOWN.readers.values()]
METHODS = [*KNOWN.systems, *KNOWN.recognisers]
OWN_ROOMS = ("fersnet/rivals", "fersnet/baselines", "tests/rivals", "tests/baselines", "benchmarks/plain")
"""Where a method's own files lie."""

RECOGNISER = """
from fersnet.methods.contract import Recogniser, Reference
from fersnet.settings.base import Section

class MineSettings(Section):
    pass

METHOD = Recogniser(
    name="Mine", reference=Reference(authors="A", title="B", venue="C", year=2026), settings=MineSettings,
    trains_networks=False,
)

def fit(train, validation, settings, run, classes):
    pass
"""


@pytest.mark.parametrize("found", FOUND, ids=lambda found: found.key)
def test_a_method_of_the_project_is_whole(found) -> None:
    code, declared = load_code(found.module), found.declared
    wanted = declared.functions
    if isinstance(declared, Method):
        wanted = (*wanted, *(("task", "stages") if declared.trains_networks else ()))
        settings = declared.settings(**declared.small)
        assert declared.settings(**declared.embedded) and settings
        assert meanings(declared.settings).keys() == declared.settings.model_fields.keys()
        assert declared.reference.doi or declared.reference.arxiv or declared.reference.venue
    for name in wanted:
        assert callable(getattr(code, name)), f"{found.module} has no {name}"


def test_the_page_of_references_is_that_of_the_declarations() -> None:
    drifted = (ROOT / "CITATIONS.md").read_text(encoding="utf-8") != citations_page()
    assert not drifted, "a reference has changed: run `fersnet citations`"


def test_no_shared_file_names_a_method() -> None:
    pattern = re.compile(rf"\b({'|'.join(METHODS)})\b", re.IGNORECASE)
    printed = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in _printed_names()))
    places = [ROOT / name for name in ("fersnet", "rules", "workflow_scripts", "benchmarks", "tests/soak")]
    paths = [path for place in places for path in place.rglob("*") if path.suffix in (".py", ".smk", ".j2")]
    for path in (*paths, ROOT / "tests" / "costs" / "test_counting.py"):
        if not str(path.relative_to(ROOT)).startswith(OWN_ROOMS):
            text = path.read_text(encoding="utf-8")
            assert not pattern.search(text), f"{path}: {pattern.search(text)}"
            assert not printed.search(text), f"{path}: {printed.search(text)}"


def _printed_names() -> list[str]:
    return [found.declared.name for found in FOUND if not isinstance(found.declared, Reader)]


def test_settings_are_read_without_torch() -> None:
    code = "import sys; from fersnet.settings.load import load_settings; load_settings({'preset': 'embedded'}, [])"
    code += "; print([name for name in ('torch', 'pandas', 'mlflow') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("key", "text", "parts"),
    [
        ("mine", None, ["modules.mine", "mine.py", "nothing is there"]),
        ("mine", "import no_such_library", ["modules.mine", "mine.py", "ModuleNotFoundError", "no_such_library"]),
        ("mine", "def broken(:", ["modules.mine", "mine.py", "SyntaxError"]),
        ("mine", "x = 1", ["modules.mine", "mine.py", "METHOD"]),
        ("mine", RECOGNISER.replace('name="Mine", ', ""), ["modules.mine", "mine.py", "'name'"]),
        ("mine", RECOGNISER.replace("def fit", "def learn"), ["modules.mine", "mine.py", "Recogniser", "fit()"]),
        ("mine", RECOGNISER.replace("    trains_networks=False,\n", ""), ["modules.mine", "mine.py", "task()"]),
        (METHODS[0], RECOGNISER, [f"modules.{METHODS[0]}", "mine.py", "taken"]),
    ],
)
def test_a_module_that_cannot_be_taken_is_one_line(
    tmp_path: Path, key: str, text: str | None, parts: list[str]
) -> None:
    if text is not None:
        (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        find_known({key: str(tmp_path / "mine.py")})
    for part in parts:
        assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_a_module_joins_the_run_with_its_settings(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(RECOGNISER.replace("    pass\n\nMETHOD", "    depth: int = 3\n\nMETHOD"))
    modules = {"mine": str(tmp_path / "mine.py")}
    for listed in ({}, {"methods": [*KNOWN.recognisers]}):
        settings = load_settings({"modules": modules, "baselines": {**listed, "mine": {"depth": 5}}}, [])
        assert "mine" in settings.baselines.methods
        assert settings.baselines.of("mine").depth == 5
    with pytest.raises(UserError, match=r"'baselines.mine.dept'.*'baselines.mine.depth'"):
        load_settings({"modules": modules, "baselines": {"mine": {"dept": 5}}}, [])
    assert isinstance(settings.known.recognisers["mine"].declared, Recogniser)
    assert not isinstance(settings.known.recognisers["mine"].declared, SynthesisSystem)
