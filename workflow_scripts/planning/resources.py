"""What jobs need of a host, by class of work, and the image that they run in."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snakemake.exceptions import WorkflowError

from fersnet import host
from fersnet.errors import UserError

if TYPE_CHECKING:
    from snakemake.io import Wildcards
    from snakemake.workflow import Workflow


def needs(megabytes: int, minutes: int, gpus: int | Callable[["Wildcards"], int] = 0) -> dict[str, Any]:
    """Resources of a class of work; a retry gets twice the memory, and no more, since a time limit costs one, too."""
    return {"gpu": gpus, "mem_mb": lambda wildcards, attempt: megabytes * min(attempt, 2), "runtime": minutes}


def training_minutes(epochs: int) -> int:
    """A generous limit for a training job, from its number of epochs at full size."""
    return max(60, 2 * epochs)


def job_image(workflow: "Workflow", project: Path) -> str | None:
    """The image in which the jobs run, if any.

    Raises:
        WorkflowError: if one is asked for and not there.
    """
    asked = {str(method) for method in workflow.deployment_settings.deployment_method}
    try:
        return host.job_image(project, asked, as_module=not workflow.modifier.is_main_snakefile())
    except UserError as error:
        raise WorkflowError(str(error)) from None
