"""The recognition baselines: one rule for all of them."""


rule train_baseline:
    input:
        faces=f"{RESULTS}/datasets/{{dataset}}/faces.npy",
        table=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
        landmarks=f"{RESULTS}/datasets/{{dataset}}/landmarks.npy",
        folds=f"{RESULTS}/datasets/{{dataset}}/folds.csv",
        checked=f"{RESULTS}/datasets/{{dataset}}/folds_check.csv",
    output:
        predictions=f"{RESULTS}/predictions/{{dataset}}/{{method}}/fold{{fold}}.parquet",
    log:
        f"{RESULTS}/logs/train_baseline/{{dataset}}_{{method}}_fold{{fold}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_baseline/{{dataset}}_{{method}}_fold{{fold}}.tsv"
    wildcard_constraints:
        method=one_of(BASELINES),
    conda:
        "../environment.yml"
    threads: SETTINGS.threads
    resources:
        gpu=lambda wildcards: 0 if baseline_device(wildcards) == "cpu" else gpu(),
        mem_mb=4000,
        runtime=240,
    params:
        code=lambda wildcards: code("train_baseline", f"fersnet.baselines.{method_of(wildcards)}"),
        seed=SETTINGS.seed,
        settings=lambda wildcards: dump(getattr(SETTINGS.baselines, method_of(wildcards))),
        size=SETTINGS.baselines.size,
        crop=SETTINGS.model.image_size,
        frames=SETTINGS.faces.clip_frames,
        expressions=classes,
        device=baseline_device,
        precision=SETTINGS.precision,
    script:
        "../workflow_scripts/train_baseline.py"
