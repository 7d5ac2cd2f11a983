"""Where the project lies, and the settings of the run: what is wrong with them is said here, before any job."""

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

sys.path.insert(0, str(Path(workflow.current_basedir).parent))

from fersnet.cross_validation import fold_counts
from fersnet.errors import UserError
from fersnet.host import check_writable, prepare_jobs
from fersnet.project import DEFAULT, PROJECT, config_files
from fersnet.readiness import check_ready
from fersnet.settings.load import load_settings, read_config

prepare_jobs(PROJECT)
for file in config_files():

    configfile: file


CONFIG_FILES = [*config_files(), *map(Path, workflow.overwrite_configfiles or [])]
if workflow.modifier.skip_configfile:
    # As a module, with a config that another workflow hands over: it is laid over the default as a file would be.
    given, config, CONFIG_FILES = config, read_config([DEFAULT]), []
    update_config(config, given)
try:
    SETTINGS = load_settings(config, CONFIG_FILES, workflow.config_settings.config)
    RESULTS = f"results/{SETTINGS.run}"
    # Snakemake puts a module's prefix before inputs, outputs and logs; paths that it does not see need it, too.
    FOLDER = str(workflow.modifier.modify_path(RESULTS))
    check_writable(Path(FOLDER))
    if workflow.is_main_process:  # a job reads the rules again, and need not look again
        check_ready(SETTINGS)
    FOLD_COUNTS = fold_counts(SETTINGS, Path(FOLDER))
except UserError as error:
    raise WorkflowError(str(error)) from None

# What scripts read of `config` is the whole of it, not what a file happens to say.
config.update(SETTINGS.model_dump(mode="json"))


pathvars:
    results=RESULTS,
    logs=f"{RESULTS}/logs",
    benchmarks=f"{RESULTS}/benchmarks",
