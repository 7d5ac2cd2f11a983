"""Tables as LaTeX: what a paper has room for, and that LaTeX takes it."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from invented_results import hostile_table

from fersnet.report.table import Table, columns, read_json
from fersnet.report.writing import escape_latex, to_latex

PREAMBLE = r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{booktabs,graphicx}\begin{document}"
CLOSING = r"\bibliographystyle{plain}\bibliography{references}\end{document}"


def test_text_has_no_meaning_to_latex() -> None:
    latex = to_latex(hostile_table())
    body = latex.split(r"\midrule")[1].split(r"\bottomrule")[0]
    assert r"50 \% of\_A\&B \textbackslash{} \textasciitilde{}\textasciicircum{} \{x\} \$y\$ \#1" in body
    assert not re.search(r"(?<!\\)[%#$_]", body) and len(re.findall(r"(?<!\\)&", body)) == 2
    assert r"Caption \& 100 \%. Run a\_b." in latex and r"\textbf{50.00}" in body
    assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")
    assert escape_latex("") == ""


def test_a_paper_gets_the_columns_that_are_needed_first_and_intervals_in_their_cells() -> None:
    rows = {
        "dataset": ["mmi", "mmi", "ckplus"], "dataset_name": ["MMI", "MMI", "CK+"], "method": ["a", "b", "a"],
        "name": ["A", "B", "A"], "reference": ["work1, work2", None, "work1"], "accuracy": [50.0, 60.0, np.nan],
        "ci_low": [40.0, np.nan, np.nan], "ci_high": [60.5, np.nan, np.nan], "uar": [1.0, 2.0, 3.0],
    }  # fmt: skip
    printed = columns("dataset_name", "name", "reference", "accuracy", "ci_low", "ci_high", "uar")
    table = Table("t", pd.DataFrame(rows), "C", "P.", (), printed, best=("accuracy",), group="dataset",
                  needed=("name", "accuracy"))  # fmt: skip
    body = to_latex(table).split(r"\toprule")[1].split(r"\bottomrule")[0]
    assert [line.strip() for line in body.strip().splitlines()] == [
        r"Method & Reference & Accuracy \\",
        r"\midrule",
        r"\multicolumn{3}{l}{\textit{MMI}} \\",
        r"A & \cite{work1,work2} & 50.00 (40.00 to 60.50) \\",
        r"B &  & \textbf{60.00} \\",
        r"\midrule",
        r"\multicolumn{3}{l}{\textit{CK+}} \\",
        r"A & \cite{work1} &  \\",
    ]


@pytest.mark.skipif(shutil.which("bibtex") is None, reason="no LaTeX here: apt-get install texlive-latex-base")
def test_latex_takes_all_tables_of_a_run_and_knows_what_they_cite(finished_run: Path, tmp_path: Path) -> None:
    tables = [read_json(path) for path in sorted((finished_run / "tables").glob("*.json"))]
    text = "\n".join([PREAMBLE, *map(to_latex, [*tables, hostile_table()]), CLOSING])
    (tmp_path / "all.tex").write_text(text, encoding="utf-8")
    shutil.copy(finished_run / "tables" / "references.bib", tmp_path)
    for program in ("pdflatex", "bibtex", "pdflatex", "pdflatex"):
        options = ["-interaction=nonstopmode", "-halt-on-error"] if program == "pdflatex" else []
        done = subprocess.run([program, *options, "all"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:]
    assert "undefined" not in done.stdout and (tmp_path / "all.pdf").stat().st_size > 10_000
