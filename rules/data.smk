"""Embedded faces, sequence index, aligned faces, folds."""


use rule minutes as render_dataset with:
    output:
        tree=directory("<results>/embedded/{dataset}/tree"),
        manifest="<results>/embedded/{dataset}/manifest.csv",
    pathvars:
        job="render_dataset/{dataset}",
    params:
        **work("render_dataset", seed=SETTINGS.seed),
        reader=PARAMS.reader,
        settings=PARAMS.embedded,


for key, dataset in RUN.fetched.items():

    rule:
        name:
            f"fetch_{key}"
        output:
            receipt=paths.receipt(dataset),
        log:
            f"<logs>/fetch_dataset/{key}.log",
        benchmark:
            f"<benchmarks>/fetch_dataset/{key}.tsv"
        localrule: True
        conda:
            "../environment.yml"
        threads: 1
        resources:
            **needs(megabytes=2000, minutes=600),
        params:
            **work("fetch_dataset", settings=PARAMS.fetching(key), module=STAMPS.module_of(key)),
        script:
            "../workflow_scripts/fetch_dataset.py"


use rule minutes as index_sequences with:
    input:
        tree=FILES.tree,
        manifest=FILES.manifest,
    output:
        index="<results>/datasets/{dataset}/index.parquet",
        rejected="<results>/datasets/{dataset}/index_rejected.csv",
    pathvars:
        job="index_sequences/{dataset}",
    threads: PARAMS.index_workers
    resources:
        **needs(megabytes=4000, minutes=240),
    params:
        script="index_sequences",
        code=STAMPS.reader_code,
        module=STAMPS.reader_module,
        root=RUN.dataset_root,
        stamp=STAMPS.raw,
        options=STAMPS.options,
        peak_frames=SETTINGS.faces.peak_frames,
        settings=PARAMS.dataset,


# The index may keep its bytes although the pictures that it names have changed, and they are read here: so what tells
# of changes is compared here, too.
use rule minutes as align_faces with:
    input:
        tree=FILES.tree,
        manifest=FILES.manifest,
        index="<results>/datasets/{dataset}/index.parquet",
        rejected="<results>/datasets/{dataset}/index_rejected.csv",
    output:
        **paths.FACES,
        landmarks=paths.LANDMARKS,
        rejected="<results>/datasets/{dataset}/rejected.csv",
        checksum=paths.CHECKSUM,
    pathvars:
        job="align_faces/{dataset}",
    threads: lambda wildcards: 1 if RUN.is_embedded(wildcards) else 8
    resources:
        **needs(megabytes=4000, minutes=240, gpus=PARAMS.gpus_of(PARAMS.alignment_device)),
    params:
        **work("align_faces", settings=dump(SETTINGS.faces)),
        root=RUN.dataset_root,
        stamp=STAMPS.raw,
        backend=RUN.landmark_backend,
        backend_stamp=STAMPS.backend,
        device=PARAMS.alignment_device,


use rule minutes as join_sets with:
    input:
        faces=FILES.joined(paths.FACES["faces"]),
        tables=FILES.joined(paths.FACES["table"]),
        landmarks=FILES.joined(paths.LANDMARKS),
        folds=FILES.joined(paths.FOLDS),
        checked=FILES.joined(paths.FOLDS_CHECK),
    output:
        **paths.of_dataset(CROSS, paths.FOLD_FACES),
        landmarks=paths.LANDMARKS.format(dataset=CROSS),
        checksum=paths.CHECKSUM.format(dataset=CROSS),
    pathvars:
        job="join_sets/cross",
    params:
        **work("join_sets", readers=PARAMS.readers_across(), expressions=PARAMS.shared_classes()),


use rule seconds as assign_folds with:
    input:
        index="<results>/datasets/{dataset}/index.parquet",
    output:
        folds=paths.FOLDS,
    pathvars:
        job="assign_folds/{dataset}",
    localrule: True
    params:
        **work("assign_folds", settings=dump(SETTINGS.folds.model_copy(update={"lists": {}}))),
        listed=PARAMS.fold_list,


use rule seconds as check_folds with:
    input:
        folds=paths.FOLDS,
        index="<results>/datasets/{dataset}/index.parquet",
    output:
        summary=paths.FOLDS_CHECK,
    pathvars:
        job="check_folds/{dataset}",
    localrule: True
    params:
        **work("check_folds"),
        scheme=PARAMS.fold_scheme,
        planned=PARAMS.fold_count,
