"""The table of jobs, the paper's tables, and the report.

Each takes seconds, so that on a cluster they run where Snakemake runs (`localrule`); `collect_jobs` needs the tracking
store besides.
"""


rule collect_jobs:
    input:
        predictions=predictions(RECOGNITION, [*BASELINES, *FERSNET_METHODS]),
        evaluations=evaluations(),
        selection=selection_files(),
    output:
        jobs=f"{RESULTS}/jobs.csv",
    log:
        f"{RESULTS}/logs/collect_jobs/jobs.log",
    benchmark:
        f"{RESULTS}/benchmarks/collect_jobs/jobs.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("collect_jobs"),
        seed=SETTINGS.seed,
    script:
        "../workflow_scripts/collect_jobs.py"


rule table_datasets:
    input:
        indexes=indexes(),
        folds=checked_folds(),
    output:
        tables("datasets"),
    log:
        f"{RESULTS}/logs/table_datasets/datasets.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_datasets/datasets.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("table_datasets"),
        seed=SETTINGS.seed,
        report=dump(SETTINGS.report),
        run=described_run(),
    script:
        "../workflow_scripts/table_datasets.py"


# The training cost in a table comes from the records of the very jobs that its inputs come from, which are written
# before these are: so a table waits for its own jobs alone, and is made again with them.
rule table_recognition:
    input:
        predictions=dataset_predictions,
        folds=f"{RESULTS}/datasets/{{dataset}}/folds.csv",
        faces=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
    output:
        tables("fer_{dataset}"),
    log:
        f"{RESULTS}/logs/table_recognition/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_recognition/{{dataset}}.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("table_recognition"),
        seed=SETTINGS.seed,
        report=dump(SETTINGS.report),
        run=described_run(),
    script:
        "../workflow_scripts/table_recognition.py"


rule table_ablation:
    input:
        predictions=predictions(RECOGNITION, FERSNET_METHODS),
        folds=expand(f"{RESULTS}/datasets/{{dataset}}/folds.csv", dataset=RECOGNITION),
        faces=expand(f"{RESULTS}/datasets/{{dataset}}/faces.parquet", dataset=RECOGNITION),
    output:
        tables("ablation"),
    log:
        f"{RESULTS}/logs/table_ablation/ablation.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_ablation/ablation.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("table_ablation"),
        seed=SETTINGS.seed,
        report=dump(SETTINGS.report),
        run=described_run(),
        datasets=RECOGNITION,
        methods=FERSNET_METHODS,
    script:
        "../workflow_scripts/table_ablation.py"


rule table_synthesis:
    input:
        evaluations=evaluations(),
        sets=evaluation_sets(),
    output:
        tables("synthesis"),
    log:
        f"{RESULTS}/logs/table_synthesis/synthesis.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_synthesis/synthesis.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("table_synthesis"),
        seed=SETTINGS.seed,
        report=dump(SETTINGS.report),
        run=described_run(),
        datasets=SETTINGS.synthesis.datasets,
    script:
        "../workflow_scripts/table_synthesis.py"


rule table_selection:
    input:
        selection=selection_files(),
    output:
        tables("selection"),
    log:
        f"{RESULTS}/logs/table_selection/selection.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_selection/selection.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("table_selection"),
        seed=SETTINGS.seed,
        report=dump(SETTINGS.report),
        run=described_run(),
        method=SETTINGS.selection_study.method,
    script:
        "../workflow_scripts/table_selection.py"


rule build_report:
    input:
        tables=all_tables(".json"),
        figures=all_figures(),
        jobs=f"{RESULTS}/jobs.csv",
    output:
        html=f"{RESULTS}/report.html",
    log:
        f"{RESULTS}/logs/build_report/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/build_report/report.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("build_report"),
        seed=SETTINGS.seed,
        report=dump(SETTINGS.report),
        run=described_run(),
    script:
        "../workflow_scripts/build_report.py"
