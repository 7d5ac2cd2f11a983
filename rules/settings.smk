"""Where the project lies, and the run that the config asks for: what is wrong with it is said here, before any job."""

import gc
import sys
from pathlib import Path

from snakemake.utils import update_config

sys.path.insert(0, str(Path(workflow.current_basedir).parent))

from fersnet.host import prepare_jobs
from fersnet.project import DEFAULT, PROJECT, config_files
from fersnet.settings.load import read_config
from workflow_scripts.planning.run import read_run

# Planning makes objects by the hundred thousand and hardly any circles among them.
gc.set_threshold(50_000, 20, 20)
prepare_jobs(PROJECT)
for file in config_files():

    configfile: file


CONFIG_FILES = [*config_files(), *map(Path, workflow.overwrite_configfiles or [])]
if workflow.modifier.skip_configfile:
    # As a module, with a config that another workflow hands over: it is laid over the default as a file would be.
    given, config, CONFIG_FILES = config, read_config([DEFAULT]), []
    update_config(config, given)
RUN = read_run(workflow, config, CONFIG_FILES)
SETTINGS = RUN.settings

# What scripts read of `config` is the whole of it, not what a file happens to say.
config.update(SETTINGS.model_dump(mode="json"))


pathvars:
    results=f"results/{SETTINGS.run}",
    logs=f"results/{SETTINGS.run}/logs",
    benchmarks=f"results/{SETTINGS.run}/benchmarks",


wildcard_constraints:
    dataset="|".join(SETTINGS.datasets),
    fold=r"\d+",
