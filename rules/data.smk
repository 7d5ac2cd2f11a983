"""Embedded faces, sequence index, aligned faces, folds."""


use rule minutes as render_dataset with:
    output:
        tree=directory("<results>/embedded/{dataset}/tree"),
        manifest="<results>/embedded/{dataset}/manifest.csv",
    pathvars:
        job="render_dataset/{dataset}",
    params:
        **work("render_dataset", seed=SETTINGS.seed),
        reader=lambda wildcards: SETTINGS.datasets[wildcards.dataset].reader,
        settings=lambda wildcards: dump(SETTINGS.datasets[wildcards.dataset].embedded),


use rule minutes as index_sequences with:
    input:
        tree=rendered_tree,
        manifest=rendered,
    output:
        index="<results>/datasets/{dataset}/index.parquet",
        rejected="<results>/datasets/{dataset}/index_rejected.csv",
    pathvars:
        job="index_sequences/{dataset}",
    params:
        script="index_sequences",
        code=reader_code,
        module=reader_module,
        root=dataset_root,
        stamp=raw_stamp,
        options=options_stamp,
        peak_frames=SETTINGS.faces.peak_frames,
        settings=lambda wildcards: dump(SETTINGS.datasets[wildcards.dataset]),


# The index may keep its bytes although the pictures that it names have changed, and they are read here: so what tells
# of changes is compared here, too.
use rule minutes as align_faces with:
    input:
        tree=rendered_tree,
        manifest=rendered,
        index="<results>/datasets/{dataset}/index.parquet",
        rejected="<results>/datasets/{dataset}/index_rejected.csv",
    output:
        **FACES,
        landmarks="<results>/datasets/{dataset}/landmarks.npy",
        rejected="<results>/datasets/{dataset}/rejected.csv",
        checksum="<results>/datasets/{dataset}/checksum.txt",
    pathvars:
        job="align_faces/{dataset}",
    threads: lambda wildcards: 1 if is_embedded(wildcards.dataset) else 8
    resources:
        **needs(megabytes=4000, minutes=240, gpus=gpus_of(alignment_device)),
    params:
        **work("align_faces", settings=dump(SETTINGS.faces)),
        root=dataset_root,
        stamp=raw_stamp,
        backend=landmark_backend,
        backend_stamp=backend_stamp,
        device=alignment_device,


use rule seconds as assign_folds with:
    input:
        index="<results>/datasets/{dataset}/index.parquet",
    output:
        folds="<results>/datasets/{dataset}/folds.csv",
    pathvars:
        job="assign_folds/{dataset}",
    localrule: True
    params:
        **work("assign_folds", settings=dump(SETTINGS.folds)),


use rule seconds as check_folds with:
    input:
        folds="<results>/datasets/{dataset}/folds.csv",
        index="<results>/datasets/{dataset}/index.parquet",
    output:
        summary="<results>/datasets/{dataset}/folds_check.csv",
    pathvars:
        job="check_folds/{dataset}",
    localrule: True
    params:
        **work("check_folds", scheme=SETTINGS.folds.scheme),
        planned=lambda wildcards: FOLD_COUNTS[wildcards.dataset],
