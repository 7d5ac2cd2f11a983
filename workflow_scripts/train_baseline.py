"""Fits a recognition method on a fold's training subjects, and reads the test subjects' faces or clips with it."""

from fersnet.baselines.clips import fold_clips
from fersnet.training.batches import face_set
from fersnet.training.device import choose_precision
from fersnet.training.predictions import accuracies, prediction_table, table_of_predictions
from fersnet.training.task import TrainingRun
from workflow_scripts.job import job_fingerprint, job_seed, results_folder, tracked_job
from workflow_scripts.training_job import job_device, read_method, read_split, read_store

with tracked_job(snakemake) as record:
    training, dataset, fold = (snakemake.wildcards[key] for key in ("method", "dataset", "fold"))
    method, code, settings = read_method(snakemake)
    device = job_device(snakemake, record)
    expressions = tuple(snakemake.params.expressions)
    store = read_store(snakemake)
    split = read_split(snakemake, store, hold_out=True)
    folder = results_folder(snakemake) / "models" / dataset / training / f"fold{fold}"
    folder.mkdir(parents=True, exist_ok=True)
    precision = choose_precision(snakemake.params.precision, device, getattr(settings, "width", 1))
    cut = {key: snakemake.params[key] for key in ("size", "frames", "crop")}
    run = TrainingRun(
        folder, job_seed(snakemake), device, job_fingerprint(snakemake), {"image_size": cut["crop"]}, precision
    )
    if "clips" in method.reads:
        train, validation, test = fold_clips(store, split, expressions, **cut)
        model = code.fit(train, validation, settings, run, len(expressions))
        truths = [expressions[label] for label in test.labels]
        whole = [-1] * len(test)
        predictions = table_of_predictions(
            test.sequence_ids, test.subjects, truths, whole, model.predict_proba(test), expressions
        )
    else:
        train, validation, test = (
            face_set(store, subjects, expressions) for subjects in (split.train, split.validation, split.test)
        )
        model = code.fit(train, validation, settings, run, len(expressions))
        predictions = prediction_table(test, model.predict_proba(test))
    predictions.to_parquet(snakemake.output.predictions, index=False)
    record.metrics = accuracies(predictions)
