"""The public names, and the examples of docs/python.md."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

import fersnet
from fersnet.datasets.index import write_index
from fersnet.datasets.sequences import REJECTED_COLUMNS, SEQUENCE_COLUMNS, SequenceIndex
from tests.use.conftest import MakeCheckpoint

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_examples_of_the_page_work(
    tmp_path: Path, portrait: Path, make_checkpoint: MakeCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    checkpoint = Path("results/embedded/models/ckplus/fersnet/fold1/checkpoint.pt")
    checkpoint.parent.mkdir(parents=True)
    shutil.move(make_checkpoint(), checkpoint)
    Image.open(portrait).convert("RGB").save("face.jpg")
    Image.open(portrait).convert("RGB").save("group.png")
    Path("mine.yaml").write_text("run: mine\n", encoding="utf-8")
    row = ("s", "anna", "fear", 1, ["s.png"], [0], -1, "")
    sequences = pd.DataFrame([row], columns=["sequence_id", "subject", "expression", "n_frames", "frames", "apex",
                                             "neutral", "view"])  # fmt: skip
    assert set(SEQUENCE_COLUMNS) == set(sequences)
    index = SequenceIndex(sequences, pd.DataFrame(columns=list(REJECTED_COLUMNS)))
    write_index(index, Path("results/embedded/datasets/ckplus"))
    names: dict = {}
    for example in EXAMPLES:
        exec(example, names)
    assert names["settings"].run == "mine" and names["settings"].preset == "embedded"
    assert names["table"]["predicted"].notna().all()
    assert names["nothing"]["error"][0].startswith("no face found")
    assert Image.open("smile.png").size == (32, 32)


def test_importing_the_package_is_cheap_and_its_names_are_typed() -> None:
    code = (
        "import sys, fersnet; from fersnet import find_faces, load_settings, read_index; heavy = {'torch', 'mlflow'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    light = [sys.executable, "-c", "import sys, fersnet; sys.exit('numpy' in sys.modules or 'pydantic' in sys.modules)"]
    assert subprocess.run(light, check=False).returncode == 0
    stub = (ROOT / "fersnet" / "__init__.pyi").read_text(encoding="utf-8")
    assert sorted(re.findall(r"import (\w+) as \1$", stub, re.MULTILINE)) == sorted(
        {*fersnet.__all__} - {"__version__"}
    )
    for name in fersnet.__all__:
        assert getattr(fersnet, name) is not None
    with pytest.raises(AttributeError, match="nothere"):
        _ = fersnet.nothere
