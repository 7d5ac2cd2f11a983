"""Writes the card of every checkpoint that becomes a model in the tracking store, beside it."""

from pathlib import Path

from fersnet.folds import read_folds
from fersnet.report.files import fold_of, read_predictions
from fersnet.report.model_card import model_card
from fersnet.training.checkpoint import load_checkpoint, write_atomically
from workflow_scripts.job import results_folder, tracked_job
from workflow_scripts.report_job import describe_run, report_settings

with tracked_job(snakemake):
    description, settings = describe_run(snakemake), report_settings(snakemake)
    predictions = [Path(path) for path in snakemake.input.predictions]
    for card in map(Path, snakemake.output.cards):
        dataset, method, fold = card.parts[-4], card.parts[-3], fold_of(card)
        # One dataset at a time: their classes differ.
        of_dataset = read_predictions(path for path in predictions if path.parts[-3] == dataset)
        chosen = snakemake.params.of_folds.get(dataset, {}).get(str(fold))
        text = model_card(
            dataset,
            method,
            fold,
            load_checkpoint(card.with_name("checkpoint.pt"))[1],
            read_folds(results_folder(snakemake) / "datasets" / dataset / "folds.csv"),
            of_dataset,
            chosen or snakemake.params.recipe,
            description,
            settings,
        )
        write_atomically(card, text.encode())
