"""Classes of work, which the other rules inherit; a rule itself says only what is its own.

`work` in common.smk gives a rule its script. `job` is its log's place: the first part is the rule's name, whatever
another workflow that uses it calls it.
"""

from fersnet.host import job_image

try:
    asked = {str(method) for method in workflow.deployment_settings.deployment_method}
    IMAGE = job_image(PROJECT, asked, as_module=not workflow.modifier.is_main_snakefile())
except UserError as error:
    raise WorkflowError(str(error)) from None


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
        IMAGE
    threads: 1
    resources:
        **needs(megabytes=4000, minutes=60),
    script:
        "../workflow_scripts/{params.script}.py"


use rule minutes as training with:
    threads: SETTINGS.threads
    resources:
        **needs(megabytes=4000, minutes=240, gpus=gpu()),


# On a cluster these run where Snakemake runs, as each of them has to say itself: they would wait longer than they work.
use rule minutes as seconds with:
    resources:
        **needs(megabytes=2000, minutes=30),
