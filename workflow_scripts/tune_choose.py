"""Chooses among the draws of every method, and writes what was chosen as a config and as a table."""

from pathlib import Path

from fersnet.report.writing import write_table
from fersnet.settings.load import read_dump
from fersnet.training.checkpoint import write_atomically
from fersnet.tuning.choice import choose, pooled, read_scores
from fersnet.tuning.draws import searched
from fersnet.tuning.results import all_draws, chosen_config, config_text, cost_of_draws, tuning_table
from workflow_scripts.job import results_folder, tracked_job

with tracked_job(snakemake) as record:
    settings, about = read_dump(snakemake.config), snakemake.params.searched
    files = (
        map(Path, part) for part in (snakemake.input.predictions, snakemake.input.evaluations, snakemake.input.sets)
    )
    scores = read_scores(*files)
    choices = choose(scores, searched(settings), about["rendered"], settings.tuning.identity_floor)
    text = config_text(chosen_config(choices, settings), settings)
    write_atomically(Path(snakemake.output.chosen), text.encode())
    all_draws(pooled(scores), choices, settings).to_csv(snakemake.output.draws, index=False, lineterminator="\n")
    costs = cost_of_draws(results_folder(snakemake), settings)
    write_table(tuning_table(choices, costs, settings, about["names"]), Path(snakemake.output.csv).parent)
    record.metrics = {f"draw_{one.method}{one.people and '_' + one.people}": float(one.draw) for one in choices}
