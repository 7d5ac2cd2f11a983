"""The documentation: it is built as a site, says for whom it is, and shows no command that does not work."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
from snakemake.cli import get_argument_parser

from fersnet.cli import app, commands_page

ROOT = Path(__file__).parent.parent
JOINED = ("CHANGELOG", "CITATIONS", "CODE_OF_CONDUCT", "CONTRIBUTING", "SECURITY", "THIRD_PARTY")
PAGES = [
    *sorted((ROOT / "docs").rglob("*.md")),
    *(ROOT / f"{name}.md" for name in (*JOINED, "config/README", "results/README")),
]
"""All pages of the site."""
NEEDED = re.compile(r"\(needs [^)]+\)")
"""Marks a command, in its comment or in the lines before its block, that cannot be run without something else."""
RUN_BY = {
    "tests/report/test_survey.py::test_the_two_commands_follow_each_other": (".venv/bin/fersnet survey ",),
    "tests/test_documents.py::test_make_knows_its_targets": ("make ",),
    "tests/workflow/test_readme.py::test_a_snakemake_command_plans_its_jobs": (
        ".venv/bin/snakemake ",
        "snakemake --cores ",
    ),
    "tests/workflow/test_elsewhere.py::elsewhere": ("snakemake -s /path/to/project/Snakefile ",),
    "tests/workflow/test_smoke.py::test_the_weights_that_recognise_here_are_the_averaged_ones_of_the_benchmark": (
        ".venv/bin/python benchmarks/weights.py results/",
    ),
    "tests/workflow/test_smoke.py::test_parts_of_the_tutorial_play": (
        ".venv/bin/fersnet show results/smoke ",
        ".venv/bin/fersnet sync results/smoke ",
        ".venv/bin/fersnet export results/",
        ".venv/bin/fersnet check ",
    ),
    "tests/workflow/test_own_methods.py::test_parts_of_the_tutorial_play": (
        ".venv/bin/fersnet render ",
        ".venv/bin/fersnet show results/group ",
    ),
    "tests/workflow/test_tuning.py::found": (".venv/bin/fersnet tune ",),
    "tests/plan/test_plan.py::test_the_graph_of_the_smoke_config_is_read": (".venv/bin/fersnet plan ",),
    "tests/datasets/test_fetching.py::test_the_command_asks_first_and_keeps_out_of_the_project": (
        ".venv/bin/fersnet fetch london ",
    ),
    "tests/datasets/test_fetching.py::test_archives_are_unpacked_checked_and_deleted": (
        ".venv/bin/fersnet fetch ravdess ",
    ),
    "tests/datasets/test_fetching.py::test_the_command_says_what_to_do_where_it_does_not_fetch": (
        ".venv/bin/fersnet fetch kdef ",
    ),
    "tests/use/test_command_line.py::test_a_command_of_the_readme_works": (
        ".venv/bin/fersnet predict ",
        ".venv/bin/fersnet synthesize ",
    ),
    "tests/use/test_demo.py::address": (".venv/bin/fersnet demo ",),
    "tests/use/test_store.py::test_a_model_is_logged_once_served_and_fetched": (
        "export MLFLOW_TRACKING_URI=",
        ".venv/bin/mlflow models predict ",
    ),
    "tests/judge/test_judge.py::test_the_command_makes_file_and_record_and_leaves_nothing_else": (
        ".venv/bin/python -m fersnet.judge ",
    ),
}
"""The test, or what a file's tests share, that runs commands with such a beginning, or has their jobs planned."""


class Shown(NamedTuple):
    """A command as a page shows it."""

    page: str
    words: list[str]
    remark: str
    """Its comment, and the lines before its block."""
    whole: bool
    """Whether it stands in a block, to be typed as it is, and not in a sentence, which may leave parts out."""


BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
IN_A_SENTENCE = re.compile(r"`((?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(?:fersnet|snakemake|make) [^`]+)`")


@cache
def shown() -> list[Shown]:
    written = {path for path in PAGES if path.name in ("command_line.md", "CHANGELOG.md")}
    return [one for path in (ROOT / "README.md", *PAGES) if path not in written for one in commands_of(path)]


def commands_of(path: Path) -> Iterator[Shown]:
    text = path.read_text(encoding="utf-8")
    page = str(path.relative_to(ROOT))
    for block in BLOCK.finditer(text):
        if block[1] in ("bash", "sh", "console", ""):
            before = text[: block.start()].rstrip("\n").rpartition("\n\n")[2]
            for line in block[2].splitlines():
                yield Shown(page, shlex.split(line, comments=True), f"{before} {line.partition(' #')[2]}", True)
    for sentence in IN_A_SENTENCE.finditer(BLOCK.sub("", text)):
        yield Shown(page, shlex.split(sentence[1]), "", False)


def of_program(name: str) -> list[Shown]:
    """The commands of one program, without its name and what is set before it."""
    found = []
    for one in shown():
        words = [word for word in one.words if not re.match(r"[A-Z_]+=", word)]
        if words and words[0].removeprefix(".venv/bin/") == name:
            found.append(one._replace(words=words[1:]))
    assert found
    return found


def without_values(words: list[str]) -> list[str]:
    return [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]


def test_every_command_is_run_by_a_test_or_says_what_it_needs() -> None:
    for one in shown():
        line = shlex.join(one.words)
        if one.whole and not NEEDED.search(one.remark):
            known = any(f"{line} ".startswith(starts) for starts in RUN_BY.values())
            assert known, f"{one.page}: no test is known to run: {line}"


@pytest.mark.parametrize("test", RUN_BY)
def test_what_is_said_to_run_a_command_is_there(test: str) -> None:
    file, name = test.split("::")
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    lines = [f"{shlex.join(one.words)} " for one in shown() if one.whole]
    for start in RUN_BY[test]:
        assert any(line.startswith(start) for line in lines), f"no page shows {start}"


def test_commands_of_fersnet_have_the_names_and_options_that_pages_give_them() -> None:
    for one in of_program("fersnet"):
        command: Any = typer.main.get_command(app)
        rest = list(one.words)
        while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
            assert rest[0] in command.commands, f"{one.page}: no command `fersnet {shlex.join(one.words)}`"
            command = command.commands[rest.pop(0)]
        options = {"--help"}.union(*((*option.opts, *option.secondary_opts) for option in command.params))
        for word in without_values(rest):
            assert word in options, f"{one.page}: fersnet {shlex.join(one.words)}: no option {word}"
        if one.whole:
            command.make_context("fersnet", rest)  # raises where an argument is missing or too many


def test_options_of_snakemake_are_there() -> None:
    options = {name for action in get_argument_parser()._actions for name in action.option_strings}
    for one in of_program("snakemake"):
        for word in without_values(one.words):
            assert word in options, f"{one.page}: snakemake has no option {word}"


def test_make_knows_its_targets() -> None:
    if shutil.which("make") is None:
        pytest.skip("no make here: apt-get install make")
    targets = {one.words[0]: one.page for one in of_program("make")}
    for target, page in targets.items():
        done = subprocess.run(
            ["make", "--dry-run", "--old-file", ".venv/.ready", target], cwd=ROOT, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, (page, done.stderr)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_says_at_its_top_for_whom_it_is(path: Path) -> None:
    title, _, paragraph, *_ = path.read_text(encoding="utf-8").split("\n", 3)
    assert title.startswith("# ") and paragraph.startswith("For ")


def test_the_index_leads_to_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {
        (index.parent / link).resolve() for link in re.findall(r"\]\(([^)#]+)", index.read_text(encoding="utf-8"))
    }
    assert {*PAGES} - {index} <= linked


def test_the_page_of_the_command_line_is_that_of_the_commands() -> None:
    drifted = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8") != commands_page()
    assert not drifted, "a command has changed: run `fersnet commands`"


def test_the_site_builds_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(tmp_path)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr
    pages = {str(path.relative_to(tmp_path)): path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.html")}
    assert {"index.html", "settings.html", "files.html", "tutorial/1_a_run.html"} <= pages.keys()
    assert 'id="fersnet.use.model.load_model"' in pages["api.html"]
    for name, page in pages.items():
        loading = re.findall(r"<(?:script|link|img|iframe)\b[^>]*", page)
        assert not [tag for tag in loading if re.search(r"""\b(?:src|href)=["']?(?:https?:)?//""", tag)], name
