"""The tables with which a report and a run's end on the terminal begin, of the invented results."""

from pathlib import Path

from invented_results import DATASETS

from fersnet.claims import read_claims
from fersnet.project import CONFIG
from fersnet.report.claims import claims_table
from fersnet.report.comparisons import synthesis_table
from fersnet.report.description import RunDescription
from fersnet.report.files import EVALUATION_COLUMNS, SET_COLUMNS, read_jobs, read_predictions, read_systems
from fersnet.report.quoted import read_quoted
from fersnet.report.tables import ablation_table
from fersnet.report.writing import write_table
from fersnet.settings.report import ReportSettings

SYNTHESIS = ("ckplus", "oulu_casia")


def write_first_tables(run_folder: Path, run: RunDescription, folder: Path) -> list[Path]:
    """Claims, ablation and synthesis in `folder/tables`; their JSON files."""
    quoted, settings = read_quoted(CONFIG / "reported.csv"), ReportSettings(bootstrap_samples=100)
    predictions = read_predictions(sorted((run_folder / "predictions").glob("*/*/*.parquet")))
    evaluations = read_systems(sorted((run_folder / "evaluation").glob("*/*.parquet")), EVALUATION_COLUMNS)
    sets = read_systems(sorted((run_folder / "evaluation").glob("*/*_sets.csv")), SET_COLUMNS)
    jobs = read_jobs(run_folder / "jobs.csv")
    tables = (
        claims_table(read_claims(CONFIG / "claims.csv"), predictions, evaluations, quoted, run, settings),
        ablation_table(predictions, quoted, jobs, run, settings, DATASETS),
        synthesis_table(evaluations, sets, quoted, jobs, run, settings, SYNTHESIS, dict.fromkeys(SYNTHESIS, "fold")),
    )
    for table in tables:
        write_table(table, folder / "tables")
    return [folder / "tables" / f"{table.key}.json" for table in tables]
