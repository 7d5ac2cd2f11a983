"""The README's own commands work as they stand there."""

import re
import shlex
from pathlib import Path

import pytest

from tests.workflow.conftest import ROOT, snakemake

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.startswith(".venv/bin/snakemake")]
MAKE = [line for block in BLOCKS for line in block.splitlines() if line.startswith("make ")]


def test_the_readme_has_its_commands() -> None:
    assert any("--cores 8 --resources gpu=2" in command for command in COMMANDS)
    assert len(COMMANDS) >= 4
    assert len(MAKE) == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_a_snakemake_command_of_the_readme_plans_its_jobs(project: Path, command: str) -> None:
    # The roots of the README's example are the reader's own; the file itself is what the command needs.
    (project / "mine.yaml").write_text("run: mine\n", encoding="utf-8")
    words = shlex.split(command.split("  #")[0])[1:]
    done = snakemake(project, "-n", *words)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "build report" in done.stdout or "table_ablation" in done.stdout or "table ablation" in done.stdout


def test_the_resources_option_swallows_a_target_behind_it(project: Path) -> None:
    """The trap that the README warns of; when Snakemake mends it, the warning can go."""
    assert snakemake(project, "-n", "--cores", "8", "--resources", "gpu=2", "all").returncode != 0
    assert any(command.endswith("--resources gpu=2 -- all") for command in COMMANDS)


@pytest.mark.parametrize("command", MAKE)
def test_a_make_command_of_the_readme_is_a_target(command: str) -> None:
    target = command.split()[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
