"""The table of jobs, the paper's tables, and the report."""


# Seconds each: on a cluster they run where Snakemake runs; `collect_jobs` needs the tracking store.
localrules:
    collect_jobs,
    table_datasets,
    table_recognition,
    table_ablation,
    table_synthesis,
    table_selection,
    build_report,


rule collect_jobs:
    input:
        predictions=predictions(RECOGNITION, [*BASELINES, *FERSNET_METHODS]),
        evaluations=evaluations(),
        selection=selection_files(),
    output:
        jobs=update(f"{RESULTS}/jobs.csv"),  # It keeps the run ids that it had where the store fails.
    log:
        f"{RESULTS}/logs/collect_jobs/jobs.log",
    benchmark:
        f"{RESULTS}/benchmarks/collect_jobs/jobs.tsv"
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
        csv=f"{RESULTS}/tables/datasets.csv",
        md=f"{RESULTS}/tables/datasets.md",
        tex=f"{RESULTS}/tables/datasets.tex",
    log:
        f"{RESULTS}/logs/table_datasets/datasets.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_datasets/datasets.tsv"
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


rule table_recognition:
    input:
        jobs=f"{RESULTS}/jobs.csv",
        predictions=dataset_predictions,
    output:
        csv=f"{RESULTS}/tables/fer_{{dataset}}.csv",
        md=f"{RESULTS}/tables/fer_{{dataset}}.md",
        tex=f"{RESULTS}/tables/fer_{{dataset}}.tex",
    log:
        f"{RESULTS}/logs/table_recognition/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_recognition/{{dataset}}.tsv"
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
        jobs=f"{RESULTS}/jobs.csv",
        predictions=predictions(RECOGNITION, FERSNET_METHODS),
    output:
        csv=f"{RESULTS}/tables/ablation.csv",
        md=f"{RESULTS}/tables/ablation.md",
        tex=f"{RESULTS}/tables/ablation.tex",
    log:
        f"{RESULTS}/logs/table_ablation/ablation.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_ablation/ablation.tsv"
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
        jobs=f"{RESULTS}/jobs.csv",
        evaluations=evaluations(),
        sets=evaluation_sets(),
    output:
        csv=f"{RESULTS}/tables/synthesis.csv",
        md=f"{RESULTS}/tables/synthesis.md",
        tex=f"{RESULTS}/tables/synthesis.tex",
    log:
        f"{RESULTS}/logs/table_synthesis/synthesis.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_synthesis/synthesis.tsv"
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
        csv=f"{RESULTS}/tables/selection.csv",
        md=f"{RESULTS}/tables/selection.md",
        tex=f"{RESULTS}/tables/selection.tex",
    log:
        f"{RESULTS}/logs/table_selection/selection.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_selection/selection.tsv"
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
        tables=all_tables(),
        figures=all_figures(),
        jobs=f"{RESULTS}/jobs.csv",
    output:
        html=f"{RESULTS}/report.html",
    log:
        f"{RESULTS}/logs/build_report/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/build_report/report.tsv"
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
