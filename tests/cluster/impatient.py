"""Snakemake with an executor that looks after its jobs every second, however long none of them has ended.

The SLURM plugin looks ten seconds later after every look that found no job ended, which spares a busy cluster and has
no option; on a cluster of one node that is most of a test's time. Run by its path, since jobs inherit PYTHONPATH.
"""

import sys

from snakemake.cli import main
from snakemake_executor_plugin_slurm import Executor

Executor.next_seconds_between_status_checks = property(lambda executor: 1, lambda executor, seconds: None)

if __name__ == "__main__":
    main(sys.argv[1:])
