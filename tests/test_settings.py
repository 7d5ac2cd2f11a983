"""The settings tree: what a wrong key says, and that the files on disk are the ones that the types describe."""

from pathlib import Path

import pytest
import yaml

from fersnet.errors import UserError
from fersnet.settings.defaults import commented_yaml, embedded_settings, json_schema
from fersnet.settings.load import load_settings, read_config
from fersnet.settings.rivals import RivalsSettings
from fersnet.settings.tree import Settings

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "config"
DEFAULT = CONFIG / "config.yaml"


def load(*files: Path) -> Settings:
    return load_settings(read_config(files), files)


def with_change(tmp_path: Path, text: str) -> Settings:
    change = tmp_path / "mine.yaml"
    change.write_text(text, encoding="utf-8")
    return load(DEFAULT, change)


def test_c3_the_classes_that_there_are_but_contempt_are_synthesised(tmp_path: Path) -> None:
    """Case C3: fewer classes than six, in class-index order."""
    changed = with_change(tmp_path, "datasets: {ckplus: {expressions: [sadness, contempt, anger]}}").datasets
    assert changed["ckplus"].classes == ("anger", "contempt", "sadness")
    assert changed["ckplus"].synthesis_classes == ("anger", "sadness")
    assert len(changed["mmi"].synthesis_classes) == 6


def test_default_yaml_and_schema_are_those_of_the_types() -> None:
    assert DEFAULT.read_text(encoding="utf-8") == commented_yaml()
    assert (CONFIG / "schemas" / "config.schema.json").read_text(encoding="utf-8") == json_schema()
    assert load(DEFAULT) == embedded_settings()


@pytest.mark.parametrize("name", ["smoke", "paper", "study"])
def test_shipped_configs_are_valid(name: str) -> None:
    assert load(DEFAULT, CONFIG / f"{name}.yaml").run == name


def test_paper_config_is_the_published_scale() -> None:
    settings = load(DEFAULT, CONFIG / "paper.yaml")
    assert (settings.model.image_size, settings.model.width, settings.faces.size) == (96, 64, 110)
    assert (settings.training.epochs, settings.folds.count, settings.training.discriminator_steps) == (500, 10, 3)
    assert settings.training.milestones == (150, 400)
    assert settings.training.learning_rate == 1e-4
    assert settings.rivals == RivalsSettings()
    assert settings.faces.backend == "face_alignment"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("modle: {width: 4}", ["mine.yaml", "'modle'", "'model'"]),
        ("model: {widht: 4}", ["mine.yaml", "'model.widht'", "'model.width'"]),
        ("datasets: {ckplus: {reder: mmi}}", ["'datasets.ckplus.reder'", "'datasets.ckplus.reader'"]),
        ("model: {width: -4}", ["mine.yaml", "model.width", "-4"]),
        ("model: {width: four}", ["model.width", "four"]),
        ("folds: {count: 0}", ["folds.count", "found 0"]),
        ("rivals: {methods: [startgan]}", ["rivals.methods.0", "'startgan'", "'stargan'"]),
        ("baselines: {methods: [lbptop]}", ["baselines.methods.0", "'lbptop'", "'lbp_top'"]),
        ("baselines: {methods: [iacnn]}", ["baselines.methods.0", "'iacnn'", "lbp_top, hog3d"]),
        ("baselines: {methods: [hog3d, hog3d]}", ["baselines", "'hog3d' is listed twice"]),
        ("faces: {clip_frames: 2}", ["baselines.lbp_top.time_radii", "at most 0", "faces.clip_frames"]),
        (
            "faces: {clip_frames: 6}\nbaselines: {lbp_top: {time_radii: [3]}}",
            ["baselines.lbp_top.time_radii", "the least is 3", "at most 2"],
        ),
        ("baselines: {lbp_top: {blocks: [9, 60], overlap: 0}}", ["baselines.lbp_top.blocks", "60", "58 pixels"]),
        ("baselines: {size: 40, hog3d: {support: 48}}", ["baselines.hog3d.support", "48", "baselines.size"]),
        (
            "baselines: {size: 32, methods: [stm_explet], stm_explet: {cell: 9}}",
            ["baselines.stm_explet.cell", "9", "baselines.size"],
        ),
        ("synthesis: {method: fersnet_without_mtl}", ["synthesis.method", "fersnet_without_mtl"]),
        ("variants: {mine: {name: Mine, losses: {cyc: 1}}}", ["variants.mine.losses.cyc"]),
        ("variants: {mine: {name: Mine, pretrained_on: ckplus}}", ["variants.mine.pretrained_on", "ckplus"]),
        ("datasets: {mine: {reader: folder}}", ["datasets.mine", "root"]),
        ("run: ../elsewhere", ["run", "../elsewhere"]),
        # Case C3: one class is none to tell apart, and contempt is not synthesised.
        ("datasets: {mmi: {expressions: []}}", ["mine.yaml", "datasets.mmi: expressions", "at least two", "none"]),
        ("datasets: {mmi: {expressions: [fear]}}", ["datasets.mmi: expressions", "at least two", "fear"]),
        ("datasets: {mmi: {expressions: [fear, fear]}}", ["datasets.mmi: expressions", "at least two"]),
        (
            "datasets: {ckplus: {expressions: [contempt, fear]}}",
            ["datasets.ckplus.expressions", "beside contempt", "synthesis.datasets"],
        ),
    ],
)
def test_a_wrong_key_names_itself_its_file_and_the_way_out(tmp_path: Path, text: str, parts: list[str]) -> None:
    with pytest.raises(UserError) as error:
        with_change(tmp_path, text)
    for part in parts:
        assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_broken_yaml_names_file_and_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"mine\.yaml, line [23]"):
        with_change(tmp_path, "model:\n  width: [4\nseed: 1\n")


def test_unsafe_yaml_is_not_executed(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    with pytest.raises(UserError):
        with_change(tmp_path, f"seed: !!python/object/apply:pathlib.Path.touch [{marker}]\n")
    assert not marker.exists()


def test_scientific_notation_without_a_dot_is_a_number(tmp_path: Path) -> None:
    assert yaml.safe_load("1e-4") == "1e-4"
    assert with_change(tmp_path, "training: {learning_rate: 1e-4}").training.learning_rate == 1e-4


def test_null_takes_an_entry_out_and_a_new_variant_is_a_config_entry(tmp_path: Path) -> None:
    settings = with_change(
        tmp_path,
        "datasets: {mmi: null}\nvariants: {wide_kernel: {name: FERSNet 3x3, model: {convflu_kernel: 3}}}\n",
    )
    assert "mmi" not in settings.datasets
    parts = settings.for_variant("wide_kernel")
    assert parts["model"].convflu_kernel == 3
    assert parts["model"].width == settings.model.width
