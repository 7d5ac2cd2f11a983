"""The standard FER model, the rivals, synthesis of the test faces and its evaluation."""


rule train_standard_fer:
    input:
        faces=f"{RESULTS}/datasets/{{dataset}}/faces.npy",
        table=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
        folds=f"{RESULTS}/datasets/{{dataset}}/folds.csv",
        checked=f"{RESULTS}/datasets/{{dataset}}/folds_check.csv",
    output:
        checkpoint=f"{RESULTS}/models/{{dataset}}/standard_fer/fold{{fold}}/checkpoint.pt",
        history=f"{RESULTS}/models/{{dataset}}/standard_fer/fold{{fold}}/history.csv",
        predictions=f"{RESULTS}/predictions/{{dataset}}/standard_fer/fold{{fold}}.parquet",
    log:
        f"{RESULTS}/logs/train_standard_fer/{{dataset}}_fold{{fold}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_standard_fer/{{dataset}}_fold{{fold}}.tsv"
    conda:
        "../environment.yml"
    threads: SETTINGS.threads
    resources:
        gpu=gpu(),
        mem_mb=4000,
        runtime=240,
    params:
        code=code("train_standard_fer"),
        seed=SETTINGS.seed,
        settings=dump(SETTINGS.standard_fer),
        image_size=SETTINGS.model.image_size,
        device=SETTINGS.device,
        precision=SETTINGS.precision,
        hold_out=hold_out(),
    script:
        "../workflow_scripts/train_standard_fer.py"


rule train_rival:
    input:
        faces=f"{RESULTS}/datasets/{{dataset}}/faces.npy",
        table=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
        folds=f"{RESULTS}/datasets/{{dataset}}/folds.csv",
        checked=f"{RESULTS}/datasets/{{dataset}}/folds_check.csv",
        identity=f"{RESULTS}/models/{{dataset}}/identity/fold{{fold}}/checkpoint.pt",
    output:
        checkpoint=f"{RESULTS}/models/{{dataset}}/{{method}}/fold{{fold}}/checkpoint.pt",
        history=f"{RESULTS}/models/{{dataset}}/{{method}}/fold{{fold}}/history.csv",
    log:
        f"{RESULTS}/logs/train_rival/{{dataset}}_{{method}}_fold{{fold}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_rival/{{dataset}}_{{method}}_fold{{fold}}.tsv"
    wildcard_constraints:
        method=one_of(RIVALS),
    conda:
        "../environment.yml"
    threads: SETTINGS.threads
    resources:
        gpu=gpu(),
        mem_mb=4000,
        runtime=480,
    params:
        code=lambda wildcards: code("train_rival", f"fersnet.rivals.{method_of(wildcards)}"),
        seed=SETTINGS.seed,
        settings=lambda wildcards: dump(getattr(SETTINGS.rivals, method_of(wildcards))),
        image_size=SETTINGS.model.image_size,
        device=SETTINGS.device,
        precision=SETTINGS.precision,
        hold_out=hold_out(),
    script:
        "../workflow_scripts/train_rival.py"


rule synthesize_faces:
    input:
        faces=f"{RESULTS}/datasets/{{dataset}}/faces.npy",
        table=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
        folds=f"{RESULTS}/datasets/{{dataset}}/folds.csv",
        checked=f"{RESULTS}/datasets/{{dataset}}/folds_check.csv",
        checkpoints=per_fold(f"{RESULTS}/models/{{{{dataset}}}}/{{{{method}}}}/fold{{fold}}/checkpoint.pt"),
    output:
        syntheses=per_fold(f"{RESULTS}/synthesis/{{{{dataset}}}}/{{{{method}}}}/fold{{fold}}.npz"),
    log:
        f"{RESULTS}/logs/synthesize_faces/{{dataset}}_{{method}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/synthesize_faces/{{dataset}}_{{method}}.tsv"
    wildcard_constraints:
        method=one_of(SYSTEMS),
    conda:
        "../environment.yml"
    threads: SETTINGS.threads
    resources:
        gpu=gpu(),
        mem_mb=3000,
        runtime=60,
    params:
        code=lambda wildcards: code("synthesize_faces", synthesis_module(wildcards)),
        seed=SETTINGS.seed,
        family=synthesis_module,
        image_size=SETTINGS.model.image_size,
        device=SETTINGS.device,
    script:
        "../workflow_scripts/synthesize_faces.py"


rule evaluate_synthesis:
    input:
        faces=f"{RESULTS}/datasets/{{dataset}}/faces.npy",
        table=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
        folds=f"{RESULTS}/datasets/{{dataset}}/folds.csv",
        checked=f"{RESULTS}/datasets/{{dataset}}/folds_check.csv",
        standard_fer=f"{RESULTS}/models/{{dataset}}/standard_fer/fold{{fold}}/checkpoint.pt",
        identity=f"{RESULTS}/models/{{dataset}}/identity/fold{{fold}}/checkpoint.pt",
        syntheses=fold_syntheses,
    output:
        images=f"{RESULTS}/evaluation/{{dataset}}/fold{{fold}}.parquet",
        sets=f"{RESULTS}/evaluation/{{dataset}}/fold{{fold}}_sets.csv",
    log:
        f"{RESULTS}/logs/evaluate_synthesis/{{dataset}}_fold{{fold}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate_synthesis/{{dataset}}_fold{{fold}}.tsv"
    conda:
        "../environment.yml"
    threads: SETTINGS.threads
    resources:
        gpu=gpu(),
        mem_mb=3000,
        runtime=60,
    params:
        code=code("evaluate_synthesis"),
        seed=SETTINGS.seed,
        methods=trainings(SYSTEMS),
        image_size=SETTINGS.model.image_size,
        device=SETTINGS.device,
    script:
        "../workflow_scripts/evaluate_synthesis.py"
