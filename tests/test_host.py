"""What the workflow asks of the host: folders that can be written, caches where the home cannot, and an image."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fersnet import host
from fersnet.errors import UserError

ROOT = Path(__file__).parent.parent


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("results/mine")


@pytest.mark.parametrize("link", ["results", "results/mine", "results/mine/models", "results/mine/datasets/own"])
def test_e3_a_link_to_a_folder_that_is_gone_is_named(run: Path, link: str) -> None:
    path = Path(link)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("../cleared/results")
    target = os.path.realpath(path)
    with pytest.raises(UserError) as raised:
        host.check_writable(run)
    assert str(raised.value).startswith(f"{link}: is a link to {target}, which is not there")
    Path(target).mkdir(parents=True)
    host.check_writable(run)


def test_e3_a_link_to_itself_is_named(run: Path) -> None:
    Path("results").symlink_to("results")
    with pytest.raises(UserError, match="results: is a link to "):
        host.check_writable(run)


@pytest.mark.parametrize("place", ["results", "results/mine"])
def test_e3_a_file_in_the_place_is_named(run: Path, place: str) -> None:
    Path(place).parent.mkdir(exist_ok=True)
    Path(place).touch()
    with pytest.raises(UserError, match=rf"results/mine: cannot be written \({place} is not a folder\)"):
        host.check_writable(run)


def test_e3_a_read_only_disk_behind_a_link_is_named(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("disk").mkdir()
    Path("results").symlink_to("disk")
    known = os.statvfs("disk")
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result((*known[:8], os.ST_RDONLY, *known[9:])))
    with pytest.raises(UserError, match=f"results, which leads to {tmp_path}/disk, is mounted read-only"):
        host.check_writable(run)


@pytest.mark.parametrize("home", ["/proc/none", None])
def test_e4_caches_go_beside_the_run_where_the_home_cannot_be_written(tmp_path: Path, home: str | None) -> None:
    home = home or str(tmp_path / "home")
    code = "import os; from pathlib import Path; from fersnet.host import prepare_jobs; prepare_jobs(Path('.'))"
    code += "; print(os.environ.get('XDG_CACHE_HOME'), os.environ.get('MPLCONFIGDIR'))"
    environment = {key: value for key, value in os.environ.items() if key not in ("XDG_CACHE_HOME", "MPLCONFIGDIR")}
    environment |= {"HOME": home, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    cache = tmp_path / ".snakemake" / "cache"
    assert done.stdout.split() == ([str(cache), f"{cache}/matplotlib"] if home == "/proc/none" else ["None", "None"])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project, in a folder whose name has a space, and the working folder of the run."""
    folder = tmp_path / "my project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("APPTAINER_BIND", "SINGULARITY_BIND"):
        monkeypatch.setenv(name, "/data")
    return folder


@pytest.mark.parametrize("deployment", [set(), {"conda"}, {"conda", "apptainer"}, {"env-modules"}])
def test_no_image_is_named_where_none_is_asked_for(project: Path, deployment: set[str]) -> None:
    """Snakemake stops over an image whose path has a space, though it would not use it."""
    assert host.job_image(project, deployment) is None


def test_an_image_that_is_not_there_is_told_with_the_way_out(project: Path) -> None:
    with pytest.raises(UserError, match=r"my project/fersnet\.sif: no such image; make it with `make image`"):
        host.job_image(project, {"apptainer"})
    assert host.job_image(project, {"apptainer"}, as_module=True) is None


def test_jobs_in_an_image_find_the_project_that_the_run_was_not_started_in(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = project / "fersnet.sif"
    image.touch()
    assert host.job_image(project, {"apptainer"}) == str(image)
    assert os.environ["APPTAINER_BIND"] == "/data"
    monkeypatch.chdir(tmp_path)
    assert host.job_image(project, {"apptainer"}) == str(image)
    assert os.environ["APPTAINER_BIND"] == os.environ["SINGULARITY_BIND"] == f"/data,{project}"
