"""The Snakemake commands of the README and the pages work as they stand there; the tutorial's are played elsewhere."""

import shlex
from pathlib import Path

import pytest

from tests.test_documents import NEEDED, of_program
from tests.workflow.conftest import snakemake

COMMANDS = sorted(
    {
        shlex.join(one.words)
        for one in of_program("snakemake")
        if one.whole and not NEEDED.search(one.remark) and "tutorial" not in one.page and "-s" not in one.words
    }
)


def test_the_readme_has_its_commands() -> None:
    shown = [one for one in of_program("snakemake") if one.whole and one.page == "README.md"]
    assert len(shown) >= 4 and {shlex.join(one.words) for one in shown} <= {*COMMANDS}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_snakemake_command_plans_its_jobs(project: Path, command: str) -> None:
    # The roots of the README's example are the reader's own; the file itself is what the command needs.
    (project / "mine.yaml").write_text("run: mine\n", encoding="utf-8")
    done = snakemake(project, "-n", *shlex.split(command))
    assert done.returncode == 0, done.stdout[-3000:]
    assert "build report" in done.stdout or "table_ablation" in done.stdout or "table ablation" in done.stdout


def test_the_resources_option_swallows_a_target_behind_it(project: Path) -> None:
    """The trap that the README warns of; when Snakemake mends it, the warning can go."""
    assert snakemake(project, "-n", "--cores", "8", "--resources", "gpu=2", "all").returncode != 0
    assert any(command.endswith("--resources gpu=2 -- all") for command in COMMANDS)
