"""The search for settings: the rules of a run, on people and with draws of its own, and the choice among them.

Everything lies below `<results>/tuning` of the run; only its target asks for it.
"""

from workflow_scripts.planning.tuning import EVALUATION, EVALUATION_SETS, Tuning

TUNING = Tuning(RUN)


use rule render_dataset as tune_render with:
    pathvars:
        results=TUNING.results,
        job="tune_render/{dataset}",
    wildcard_constraints:
        dataset=TUNING.any_of(TUNING.rendered),
    params:
        seed=SETTINGS.tuning.seed,


use rule index_sequences as tune_index with:
    pathvars:
        results=TUNING.results,
        job="tune_index/{dataset}",
    wildcard_constraints:
        dataset=TUNING.any_of(TUNING.rendered),
    params:
        root=TUNING.root,


use rule align_faces as tune_align with:
    pathvars:
        results=TUNING.results,
        job="tune_align/{dataset}",
    wildcard_constraints:
        dataset=TUNING.any_of(TUNING.rendered),
    params:
        root=TUNING.root,


# The test subjects of a fold are not among the files that its search reads.
use rule seconds as tune_people with:
    input:
        unpack(TUNING.source),
    output:
        **{key: path.replace("<results>", "<results>/tuning") for key, path in paths.FACES.items()},
        landmarks="<results>/tuning/datasets/{dataset}/landmarks.npy",
        index="<results>/tuning/datasets/{dataset}/index.parquet",
        rejected="<results>/tuning/datasets/{dataset}/index_rejected.csv",
        checksum="<results>/tuning/datasets/{dataset}/checksum.txt",
    pathvars:
        job="tune_people/{dataset}",
    wildcard_constraints:
        dataset=TUNING.any_of(TUNING.copied),
    localrule: True
    params:
        **work("tune_people", fold=TUNING.outer_fold),


use rule seconds as tune_folds with:
    input:
        index="<results>/datasets/{dataset}/index.parquet",
    output:
        folds=paths.FOLDS,
        summary=paths.FOLDS_CHECK,
    pathvars:
        results=TUNING.results,
        job="tune_folds/{dataset}",
    wildcard_constraints:
        dataset=TUNING.any_of(TUNING.people),
    localrule: True
    params:
        **work("tune_folds", parts=SETTINGS.tuning.parts, read=SETTINGS.tuning.folds),


use rule train_identity as tune_identity with:
    pathvars:
        results=TUNING.results,
        job="tune_identity/{dataset}_fold{fold}",
    wildcard_constraints:
        dataset=TUNING.any_of(TUNING.people),
    params:
        seed=SETTINGS.tuning.seed,


use rule train_fersnet as tune_fersnet with:
    pathvars:
        results=TUNING.results,
        job="tune_fersnet/{dataset}_{method}_fold{fold}",
    wildcard_constraints:
        dataset=TUNING.any_of(TUNING.people),
        method=TUNING.draws_of(RUN.variants),
    params:
        seed=SETTINGS.tuning.seed,


use rule train_rival as tune_rival with:
    pathvars:
        results=TUNING.results,
        job="tune_rival/{dataset}_{method}_fold{fold}",
    wildcard_constraints:
        dataset=TUNING.any_of(TUNING.judged),
        method=TUNING.draws_of(RUN.rivals),
    params:
        seed=SETTINGS.tuning.seed,


use rule pretrain_baseline as tune_pretrain with:
    pathvars:
        results=TUNING.results,
        job="tune_pretrain/{dataset}_{method}",
    wildcard_constraints:
        dataset="|".join(RUN.pretraining) or NOTHING,
        method=TUNING.draws_of(RUN.pretrained),
    params:
        seed=SETTINGS.tuning.seed,


use rule train_baseline as tune_baseline with:
    pathvars:
        results=TUNING.results,
        job="tune_baseline/{dataset}_{method}_fold{fold}",
    wildcard_constraints:
        dataset=TUNING.any_of(TUNING.people),
        method=TUNING.draws_of(RUN.baselines),
    params:
        seed=SETTINGS.tuning.seed,


# By the fold's own training faces alone: other sets would bring in subjects who are tested.
use rule train_standard_fer as tune_standard_fer with:
    input:
        **paths.FOLD_FACES,
        others=[],
        other_tables=[],
    pathvars:
        results=TUNING.results,
        job="tune_standard_fer/{dataset}_fold{fold}",
    wildcard_constraints:
        dataset=TUNING.any_of(TUNING.judged),
    params:
        seed=SETTINGS.tuning.seed,
        settings=dump(SETTINGS.standard_fer),
        other_sets={},


use rule training as tune_synthesize with:
    input:
        **paths.FOLD_FACES,
        checkpoints=TUNING.each_fold(paths.CHECKPOINT),
    output:
        syntheses=TUNING.each_fold(paths.SYNTHESES),
    pathvars:
        results=TUNING.results,
        job="tune_synthesize/{dataset}_{method}",
    wildcard_constraints:
        dataset=TUNING.any_of(TUNING.judged),
        method=TUNING.draws_of(TUNING.synthesising),
    resources:
        **needs(megabytes=3000, minutes=60, gpus=RUN.gpus),
    params:
        **work("synthesize_faces", seed=SETTINGS.tuning.seed, **PARAMS.of_method("synthesize_faces")),
        expressions=PARAMS.synthesis_classes,
        folds=list(TUNING.folds),
        image_size=SETTINGS.model.image_size,
        device=SETTINGS.device,


use rule evaluate_synthesis as tune_evaluate with:
    input:
        **paths.FOLD_FACES,
        standard_fer=FILES.judge,
        identity=paths.identity(),
        syntheses=[paths.SYNTHESES],
    output:
        images=EVALUATION,
        sets=EVALUATION_SETS,
    pathvars:
        results=TUNING.results,
        job="tune_evaluate/{dataset}_{method}_fold{fold}",
    wildcard_constraints:
        dataset=TUNING.any_of(TUNING.judged),
        method=TUNING.draws_of(TUNING.synthesising),
    params:
        seed=SETTINGS.tuning.seed,
        methods=TUNING.only,


use rule seconds as tune_choose with:
    input:
        predictions=TUNING.predictions,
        evaluations=TUNING.evaluations,
        sets=TUNING.evaluation_sets,
    output:
        **{ending: f"<results>/tuning.{ending}" for ending in ("csv", "json", "md", "tex")},
        chosen="<results>/chosen.yaml",
        draws="<results>/draws.csv",
    pathvars:
        results=TUNING.results,
        job="tune_choose/tuning",
    localrule: True
    params:
        **work("tune_choose", searched=TUNING.described),
