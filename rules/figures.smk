"""The figures.

Each takes seconds, so that on a cluster they run where Snakemake runs (`localrule`).
"""


rule figure_faces:
    input:
        faces=f"{RESULTS}/datasets/{{dataset}}/faces.npy",
        table=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
    output:
        png=f"{RESULTS}/figures/faces_{{dataset}}.png",
    log:
        f"{RESULTS}/logs/figure_faces/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_faces/{{dataset}}.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("figure_faces"),
        seed=SETTINGS.seed,
        report=dump(SETTINGS.report),
        run=described_run(),
    script:
        "../workflow_scripts/figure_faces.py"


rule figure_ablation:
    input:
        table=f"{RESULTS}/tables/ablation.csv",
    output:
        png=f"{RESULTS}/figures/ablation.png",
        pdf=f"{RESULTS}/figures/ablation.pdf",
    log:
        f"{RESULTS}/logs/figure_ablation/ablation.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_ablation/ablation.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("figure_ablation"),
        seed=SETTINGS.seed,
        report=dump(SETTINGS.report),
        run=described_run(),
    script:
        "../workflow_scripts/figure_ablation.py"


rule figure_ranking:
    input:
        table=f"{RESULTS}/tables/fer_{{dataset}}.csv",
    output:
        png=f"{RESULTS}/figures/ranking_{{dataset}}.png",
        pdf=f"{RESULTS}/figures/ranking_{{dataset}}.pdf",
    log:
        f"{RESULTS}/logs/figure_ranking/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_ranking/{{dataset}}.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("figure_ranking"),
        seed=SETTINGS.seed,
        report=dump(SETTINGS.report),
        run=described_run(),
    script:
        "../workflow_scripts/figure_ranking.py"


rule figure_scatter:
    input:
        table=f"{RESULTS}/tables/synthesis.csv",
    output:
        png=f"{RESULTS}/figures/synthesis_scatter.png",
        pdf=f"{RESULTS}/figures/synthesis_scatter.pdf",
    log:
        f"{RESULTS}/logs/figure_scatter/synthesis_scatter.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_scatter/synthesis_scatter.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("figure_scatter"),
        seed=SETTINGS.seed,
        report=dump(SETTINGS.report),
        run=described_run(),
    script:
        "../workflow_scripts/figure_scatter.py"


rule figure_synthesis:
    input:
        faces=f"{RESULTS}/datasets/{{dataset}}/faces.npy",
        table=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
        syntheses=dataset_syntheses,
    output:
        png=f"{RESULTS}/figures/synthesis_{{dataset}}.png",
        pdf=f"{RESULTS}/figures/synthesis_{{dataset}}.pdf",
    log:
        f"{RESULTS}/logs/figure_synthesis/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_synthesis/{{dataset}}.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("figure_synthesis"),
        seed=SETTINGS.seed,
        report=dump(SETTINGS.report),
        run=described_run(),
        methods=SYSTEMS,
    script:
        "../workflow_scripts/figure_synthesis.py"


rule figure_confusion:
    input:
        predictions=dataset_predictions,
    output:
        figure_files(*(f"confusion_{{dataset}}_{method}" for method in (*BASELINES, *FERSNET_METHODS))),
    log:
        f"{RESULTS}/logs/figure_confusion/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_confusion/{{dataset}}.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("figure_confusion"),
        seed=SETTINGS.seed,
        report=dump(SETTINGS.report),
        run=described_run(),
    script:
        "../workflow_scripts/figure_confusion.py"


rule figure_synthesis_confusion:
    input:
        evaluations=lambda wildcards: per_fold(f"{RESULTS}/evaluation/{wildcards.dataset}/fold{{fold}}.parquet"),
    output:
        figure_files(*(f"confusion_synthesis_{{dataset}}_{method}" for method in SYSTEMS)),
    log:
        f"{RESULTS}/logs/figure_synthesis_confusion/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_synthesis_confusion/{{dataset}}.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("figure_synthesis_confusion"),
        seed=SETTINGS.seed,
        report=dump(SETTINGS.report),
        run=described_run(),
        methods=SYSTEMS,
    script:
        "../workflow_scripts/figure_synthesis_confusion.py"


rule figure_intensity:
    input:
        faces=f"{RESULTS}/datasets/{{dataset}}/faces.npy",
        table=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
        folds=f"{RESULTS}/datasets/{{dataset}}/folds.csv",
        checkpoint=f"{RESULTS}/models/{{dataset}}/exprgan/fold1/checkpoint.pt",
    output:
        png=f"{RESULTS}/figures/intensity_{{dataset}}.png",
        pdf=f"{RESULTS}/figures/intensity_{{dataset}}.pdf",
    log:
        f"{RESULTS}/logs/figure_intensity/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_intensity/{{dataset}}.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("figure_intensity"),
        seed=SETTINGS.seed,
        report=dump(SETTINGS.report),
        run=described_run(),
    script:
        "../workflow_scripts/figure_intensity.py"


rule figure_training:
    input:
        histories=lambda wildcards: histories(wildcards.dataset),
    output:
        png=f"{RESULTS}/figures/training_{{dataset}}.png",
        pdf=f"{RESULTS}/figures/training_{{dataset}}.pdf",
    log:
        f"{RESULTS}/logs/figure_training/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_training/{{dataset}}.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("figure_training"),
        seed=SETTINGS.seed,
        report=dump(SETTINGS.report),
        run=described_run(),
    script:
        "../workflow_scripts/figure_training.py"


rule figure_gates:
    input:
        gates=lambda wildcards: expand(f"{RESULTS}/gates/{wildcards.dataset}/fold{{fold}}.npz", fold=FOLDS),
    output:
        png=f"{RESULTS}/figures/gates_{{dataset}}.png",
        pdf=f"{RESULTS}/figures/gates_{{dataset}}.pdf",
    log:
        f"{RESULTS}/logs/figure_gates/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_gates/{{dataset}}.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("figure_gates"),
        seed=SETTINGS.seed,
        report=dump(SETTINGS.report),
        run=described_run(),
        method=gated_methods()[0] if gated_methods() else "",
    script:
        "../workflow_scripts/figure_gates.py"


rule figure_augmentation:
    input:
        table=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
        folds=f"{RESULTS}/datasets/{{dataset}}/folds.csv",
        augmentations=lambda wildcards: augmentation_tables(wildcards.dataset),
    output:
        png=f"{RESULTS}/figures/augmentation_{{dataset}}.png",
        pdf=f"{RESULTS}/figures/augmentation_{{dataset}}.pdf",
    log:
        f"{RESULTS}/logs/figure_augmentation/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_augmentation/{{dataset}}.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=30,
    params:
        code=code("figure_augmentation"),
        seed=SETTINGS.seed,
        report=dump(SETTINGS.report),
        run=described_run(),
    script:
        "../workflow_scripts/figure_augmentation.py"
