"""Embedded faces, sequence index, aligned faces, folds."""


# Seconds each: on a cluster they run where Snakemake runs.
localrules:
    assign_folds,
    check_folds,


rule render_dataset:
    output:
        tree=directory(f"{RESULTS}/embedded/{{dataset}}/tree"),
        manifest=f"{RESULTS}/embedded/{{dataset}}/manifest.csv",
    log:
        f"{RESULTS}/logs/render_dataset/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/render_dataset/{{dataset}}.tsv"
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=60,
    params:
        code=code("render_dataset"),
        seed=SETTINGS.seed,
        reader=lambda wildcards: SETTINGS.datasets[wildcards.dataset].reader,
        settings=lambda wildcards: dump(SETTINGS.datasets[wildcards.dataset].embedded),
    script:
        "../workflow_scripts/render_dataset.py"


rule index_sequences:
    input:
        manifest=rendered,
        options=option_files,
    output:
        index=f"{RESULTS}/datasets/{{dataset}}/index.parquet",
        rejected=f"{RESULTS}/datasets/{{dataset}}/index_rejected.csv",
    log:
        f"{RESULTS}/logs/index_sequences/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/index_sequences/{{dataset}}.tsv"
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=60,
    params:
        code=code("index_sequences"),
        seed=SETTINGS.seed,
        root=dataset_root,
        stamp=raw_stamp,
        peak_frames=SETTINGS.faces.peak_frames,
        settings=lambda wildcards: dump(SETTINGS.datasets[wildcards.dataset]),
    script:
        "../workflow_scripts/index_sequences.py"


rule align_faces:
    input:
        index=f"{RESULTS}/datasets/{{dataset}}/index.parquet",
        rejected=f"{RESULTS}/datasets/{{dataset}}/index_rejected.csv",
    output:
        faces=f"{RESULTS}/datasets/{{dataset}}/faces.npy",
        table=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
        landmarks=f"{RESULTS}/datasets/{{dataset}}/landmarks.npy",
        rejected=f"{RESULTS}/datasets/{{dataset}}/rejected.csv",
        checksum=f"{RESULTS}/datasets/{{dataset}}/checksum.txt",
    log:
        f"{RESULTS}/logs/align_faces/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/align_faces/{{dataset}}.tsv"
    conda:
        "../environment.yml"
    threads: lambda wildcards: 1 if is_embedded(wildcards.dataset) else 8
    resources:
        gpu=0,
        mem_mb=4000,
        runtime=240,
    params:
        code=code("align_faces"),
        seed=SETTINGS.seed,
        root=dataset_root,
        backend=landmark_backend,
        device="cpu",
        settings=dump(SETTINGS.faces),
    script:
        "../workflow_scripts/align_faces.py"


rule assign_folds:
    input:
        index=f"{RESULTS}/datasets/{{dataset}}/index.parquet",
    output:
        folds=f"{RESULTS}/datasets/{{dataset}}/folds.csv",
    log:
        f"{RESULTS}/logs/assign_folds/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/assign_folds/{{dataset}}.tsv"
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        code=code("assign_folds"),
        seed=SETTINGS.seed,
        settings=dump(SETTINGS.folds),
    script:
        "../workflow_scripts/assign_folds.py"


rule check_folds:
    input:
        folds=f"{RESULTS}/datasets/{{dataset}}/folds.csv",
        index=f"{RESULTS}/datasets/{{dataset}}/index.parquet",
    output:
        summary=f"{RESULTS}/datasets/{{dataset}}/folds_check.csv",
    log:
        f"{RESULTS}/logs/check_folds/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/check_folds/{{dataset}}.tsv"
    conda:
        "../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        code=code("check_folds"),
        seed=SETTINGS.seed,
        scheme=SETTINGS.folds.scheme,
    script:
        "../workflow_scripts/check_folds.py"
