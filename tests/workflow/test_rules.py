"""Every rule is complete: log, benchmark, resources, a fingerprint of its code, and a tracked job."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fersnet.plan.graph import read_graph

ROOT = Path(__file__).parent.parent.parent
RULES = {
    match.group(1): match.group(0)
    for path in sorted((ROOT / "rules").glob("*.smk"))
    for match in re.finditer(r"^rule (\w+):\n(?:(?:    .*)?\n)+", path.read_text(encoding="utf-8"), re.MULTILINE)
}


def test_the_rules_are_found() -> None:
    assert {"render_dataset", "train_fersnet", "evaluate_synthesis", "build_report"} <= set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_declares_all_that_it_needs(name: str) -> None:
    text = RULES[name]
    for directive in ("output:", "log:", "benchmark:", "threads:", "resources:", "params:", "conda:", "script:"):
        assert f"    {directive}" in text, f"rule {name} has no {directive}"
    for resource in ("gpu=", "mem_mb=", "runtime="):
        assert resource in text
    assert re.search(r"code=(lambda wildcards: )?code\(", text), f"rule {name}: no fingerprint of its code"
    for line in re.findall(r"    (?:input|output):\n((?:        .*\n)+)", text):
        for entry in re.findall(r"^        (\S.*)$", line, re.MULTILINE):
            assert re.match(r"[a-z_]+=|figure_files|\)", entry), f"rule {name}: {entry} has no name"


@pytest.mark.parametrize("name", RULES)
def test_a_rule_runs_a_tracked_script(name: str) -> None:
    script = re.search(r'"\.\./workflow_scripts/(\w+)\.py"', RULES[name])
    assert script is not None
    text = (ROOT / "workflow_scripts" / f"{script.group(1)}.py").read_text(encoding="utf-8")
    assert "with tracked_job(snakemake)" in text


@pytest.mark.parametrize("name", RULES)
def test_f6_the_log_of_a_rule_tells_its_name_and_the_folder_of_the_run(name: str) -> None:
    assert re.search(rf'    log:\n        f"{{RESULTS}}/logs/{name}/[^/]+\.log",\n', RULES[name])


def test_f6_rules_of_seconds_stay_local_under_other_names() -> None:
    """A `localrules` list names rules as this workflow does, which counts for nothing in another one."""
    assert sum("    localrule: True\n" in text for text in RULES.values()) > 15
    assert not [path for path in (ROOT / "rules").glob("*.smk") if "localrules" in path.read_text(encoding="utf-8")]


def test_the_slurm_profile_makes_arrays_of_rules_that_exist() -> None:
    profile = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text(encoding="utf-8"))
    assert {name.strip() for name in profile["slurm-array-jobs"].split(",")} <= set(RULES)
    # Without the signal, or with `B:`, a training is never told that its allocation ends.
    assert re.fullmatch(r"'--signal=USR1@\d+'", profile["default-resources"]["slurm_extra"])


def test_snakemake_outlives_the_signal_that_asks_a_training_to_save() -> None:
    code = "import os, signal; from pathlib import Path; from fersnet.host import prepare_jobs; prepare_jobs(Path('.'))"
    code += "; os.kill(os.getpid(), signal.SIGUSR1); print('alive')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "alive\n", done.stderr


def test_the_snakefile_holds_nothing_but_the_entry() -> None:
    assert len((ROOT / "Snakefile").read_text(encoding="utf-8").splitlines()) < 80


def test_handcrafted_baselines_ask_for_no_gpu(tmp_path: Path) -> None:
    (tmp_path / "gpus.yaml").write_text("device: cuda\nbaselines: {methods: [stm_explet, cnn3d]}\n", encoding="utf-8")
    jobs = read_graph([Path("config/smoke.yaml"), tmp_path / "gpus.yaml"], ROOT)
    needs = {job.method: job.gpu for job in jobs if job.rule == "train_baseline"}
    assert needs == {"stm_explet": 0, "cnn3d": 1}


def test_each_repeat_builds_on_the_same_repeat(tmp_path: Path) -> None:
    config = tmp_path / "repeated.yaml"
    config.write_text("repeats: {variants: 2, rivals: 2}\n", encoding="utf-8")
    jobs = read_graph([ROOT / "config" / "smoke.yaml", config], ROOT)
    trained = {(job.method, job.fold) for job in jobs if job.rule == "train_fersnet" and job.dataset == "ckplus"}
    assert len(trained) == 2 * 5 * 3
    augmented = next(job for job in jobs if job.rule == "augment_faces" and job.method == "fersnet_fes_da.repeat2")
    sources = {jobs[position].method for position in augmented.after if jobs[position].rule == "train_fersnet"}
    assert sources == {"fersnet.repeat2"}
    judged = next(job for job in jobs if job.rule == "evaluate_synthesis")
    methods = {jobs[position].method for position in judged.after if jobs[position].rule == "synthesize_faces"}
    assert {"stargan", "stargan.repeat2", "fersnet", "fersnet.repeat2"} <= methods
