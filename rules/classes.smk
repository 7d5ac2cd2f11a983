"""Classes of work, which the other rules inherit; a rule itself says only what is its own.

FILES, PARAMS and STAMPS are what depends on the run. `work` gives a rule its script. `job` is its log's place: the
first part is the rule's name, whatever another workflow that uses it calls it.
"""

from fersnet.folds import fold_groups
from fersnet.mirror import MODEL_METHOD
from fersnet.settings.tree import CROSS
from workflow_scripts.planning import paths
from workflow_scripts.planning.files import Files, figures, table
from workflow_scripts.planning.outputs import drawn, figure, table_files
from workflow_scripts.planning.params import RunParams, dump, work
from workflow_scripts.planning.resources import job_image, needs, training_minutes
from workflow_scripts.planning.run import NOTHING
from workflow_scripts.planning.stamps import Stamps

FILES, PARAMS, STAMPS = Files(RUN), RunParams(RUN), Stamps(RUN)


rule minutes:
    log:
        "<logs>/<job>.log",
    benchmark:
        "<benchmarks>/<job>.tsv"
    pathvars:
        job="minutes",
    conda:
        "../environment.yml"
    container:
        job_image(workflow, PROJECT)
    threads: 1
    resources:
        **needs(megabytes=4000, minutes=60),
    script:
        "../workflow_scripts/{params.script}.py"


use rule minutes as training with:
    threads: SETTINGS.threads
    resources:
        **needs(megabytes=4000, minutes=240, gpus=RUN.gpus),


# On a cluster these run where Snakemake runs, as each of them has to say itself: they would wait longer than they work.
use rule minutes as seconds with:
    resources:
        **needs(megabytes=2000, minutes=30),
