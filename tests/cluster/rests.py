"""Trainings that rest until they are interrupted, so that no machine is too fast or too slow for a test to meet them.

A copy of the project gets a few more lines in its training loop. While the file `REST` lies in the copy, a training
that has finished an epoch in this attempt rests within the next one, until a signal asks it to save; what it saved on
which signal stands in `SAVED`. Without the file a training is what it always is.
"""

from pathlib import Path

REST = "rest"
SAVED = "saved.txt"
LINES = f"""

_epoch_of_the_project, _save_of_the_project, _finished = _Trainer._run_epoch, _Trainer._save_if_due, []


def _run_epoch(trainer, stage):
    _epoch_of_the_project(trainer, stage)
    _finished.append(trainer.progress.epoch)


def _save_if_due(trainer, stage=None):
    from pathlib import Path

    while stage is not None and _finished and Path("{REST}").exists() and not trainer.stop:
        time.sleep(0.05)
    try:
        _save_of_the_project(trainer, stage)
    except TrainingInterrupted as interruption:
        with Path("{SAVED}").open("a", encoding="utf-8") as file:
            file.write(f"{{trainer.run.folder.name}} {{interruption}}\\n")
        raise


_Trainer._run_epoch, _Trainer._save_if_due = _run_epoch, _save_if_due
"""


def let_trainings_rest(project: Path) -> None:
    """Puts the lines into a copy of the project."""
    with (project / "fersnet" / "training" / "loop.py").open("a", encoding="utf-8") as file:
        file.write(LINES)


def saved(project: Path, fold: int) -> list[str]:
    """On which signals a fold's training has saved its state and ended, one by one."""
    path = project / SAVED
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [line.split()[1].rstrip(":") for line in lines if line.startswith(f"fold{fold} ") and "state saved" in line]
