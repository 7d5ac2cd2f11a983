"""The settings tree: what a wrong key says, and that the files on disk are the ones that the types describe."""

import csv
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from snakemake.cli import parse_config
from snakemake.utils import update_config

from fersnet.errors import UserError
from fersnet.methods.find import find_known
from fersnet.report.comparisons import REFERENCE_ROWS
from fersnet.report.grids import REAL_ROW
from fersnet.settings.kinds import settings_type
from fersnet.settings.load import load_settings, read_config, read_dump
from fersnet.settings.names import taken_keys
from fersnet.settings.page import json_schema, settings_page
from fersnet.settings.texts import converted
from fersnet.settings.training import AugmentationSettings
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


def test_a_recogniser_learns_from_other_sets_of_its_kind_that_share_classes(tmp_path: Path) -> None:
    settings = with_change(tmp_path, "baselines: {methods: [ipa2lt, eac]}")
    assert settings.others_of("ipa2lt", "ckplus") == ("oulu_casia", "mmi")
    assert settings.others_of("eac", "ckplus") == ()
    assert settings.others_of("ipa2lt", "bu4dfe") == (), "a pre-training reads none of the sets that folds test"
    within = with_change(tmp_path, "baselines: {methods: [ipa2lt], ipa2lt: {annotators: within}}")
    assert within.others_of("ipa2lt", "ckplus") == ()
    one = "datasets: {oulu_casia: null}\nsynthesis: {datasets: [ckplus]}\nbaselines: {methods: [ipa2lt]}"
    assert with_change(tmp_path, one).others_of("ipa2lt", "mmi") == ("ckplus",)


def test_who_lists_no_recognisers_gets_those_that_the_datasets_allow() -> None:
    every = load_settings({"preset": "embedded"}, []).baselines.methods
    own = load_settings({"preset": "embedded", "datasets": {"ckplus": {"root": "data/ck"}}}, []).baselines.methods
    assert set(every) - set(own) == {"ipa2lt"}, "which learns from other sets, and has none of its kind"


def test_the_fixed_judge_is_for_rendered_faces_and_a_judge_learns_from_sets_of_its_kind(tmp_path: Path) -> None:
    own = "datasets: {ckplus: {root: /data/ck}, mmi: {root: /data/mmi}}\n"
    settings = with_change(tmp_path, own)
    assert (settings.judge_of("oulu_casia"), settings.judge_of("ckplus")) == ("fixed", "fold")
    assert settings.judged_with("ckplus") == ()
    settings = with_change(tmp_path, own + "standard_fer: {trained_on: other_sets}\nsynthesis: {datasets: [ckplus]}")
    assert settings.judge_of("ckplus") == "other_sets"
    assert settings.judged_with("ckplus") == ("mmi",) and settings.judged_with("oulu_casia") == ()


def test_c3_the_classes_that_there_are_but_contempt_are_synthesised(tmp_path: Path) -> None:
    """Case C3: fewer classes than six, in class-index order."""
    changed = with_change(tmp_path, "datasets: {ckplus: {expressions: [sadness, contempt, anger]}}").datasets
    assert changed["ckplus"].classes == ("anger", "contempt", "sadness")
    assert changed["ckplus"].synthesis_classes == ("anger", "sadness")
    assert len(changed["mmi"].synthesis_classes) == 6


def test_across_sets_the_expressions_of_all_are_told_apart_by_the_variants_and_what_reads_peak_faces(
    tmp_path: Path,
) -> None:
    text = "cross: true\nbaselines: {methods: [lbp_top, eac]}\nrepeats: {variants: 2}\n"
    settings = with_change(tmp_path, text)
    assert settings.cross_sets == ("ckplus", "oulu_casia", "mmi")
    assert len(settings.cross_classes) == 6 and "contempt" not in settings.cross_classes
    assert settings.cross_methods == ("eac", *settings.variants)
    off = with_change(tmp_path, text.replace("true", "false"))
    assert off.cross_sets == off.cross_methods == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("datasets: {mmi: {expressions: [fear, contempt]}, ckplus: {expressions: [contempt, anger]}}", r"share 0 of"),
        ("datasets: {mmi: {expressions: [fear, contempt]}}", r"cross: ckplus, oulu_casia, mmi share 1 of .*\(fear\)"),
        ("datasets: {ckplus: null, mmi: null}", "the only recognition dataset is"),
        ("datasets: {cross: {root: data, reader: folder}}", "datasets.cross: this name stands for"),
    ],
)
def test_sets_across_which_nothing_can_be_trained_are_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        with_change(tmp_path, f"cross: true\nsynthesis: {{datasets: [oulu_casia]}}\n{text}\n")
    assert "\n" not in str(error.value)


def test_page_and_schema_are_those_of_the_types() -> None:
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == settings_page()
    assert (CONFIG / "schemas" / "config.schema.json").read_text(encoding="utf-8") == json_schema()


@pytest.mark.parametrize("name", ["config", "smoke", "paper", "study"])
def test_a_shipped_config_names_its_schema_and_says_nothing_that_its_preset_says(name: str) -> None:
    path = CONFIG / f"{name}.yaml"
    first, _ = path.read_text(encoding="utf-8").split("\n", 1)
    assert (path.parent / first.removeprefix("# yaml-language-server: $schema=")).is_file()
    tree = read_config([path])
    if name in ("config", "paper"):
        whole = load_settings(tree, [path])
        for key in set(tree) - {"preset", "datasets"}:
            less = load_settings({other: value for other, value in tree.items() if other != key}, [path])
            assert less != whole or key == "run", f"{path}: {key} says what the preset says"


@pytest.mark.parametrize("name", ["smoke", "paper", "study"])
def test_shipped_configs_are_valid(name: str) -> None:
    assert load(DEFAULT, CONFIG / f"{name}.yaml").run == name


def test_paper_config_is_the_published_scale() -> None:
    settings = load(DEFAULT, CONFIG / "paper.yaml")
    assert (settings.model.image_size, settings.model.width, settings.faces.size) == (96, 64, 110)
    assert (settings.training.epochs, settings.folds.count, settings.training.discriminator_steps) == (500, 10, 3)
    assert settings.training.milestones == (150, 400)
    assert settings.training.learning_rate == 1e-4
    for key, found in settings.known.systems.items():
        assert settings.rivals.of(key) == found.declared.settings()
    assert settings.faces.backend == "face_alignment"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("modl: {width: 4}", ["mine.yaml", "'modl'", "'model'"]),
        ("model: {widht: 4}", ["mine.yaml", "'model.widht'", "'model.width'"]),
        ("datasets: {ckplus: {reder: mmi}}", ["'datasets.ckplus.reder'", "'datasets.ckplus.reader'"]),
        ("model: {width: -4}", ["mine.yaml", "model.width", "-4"]),
        ("model: {width: four}", ["model.width", "four"]),
        ("folds: {count: 0}", ["folds.count", "found 0"]),
        ("folds: {scheme: contiguous}", ["folds.scheme", "'contiguous' is called 'blocks'"]),
        ("folds: {lists: {ckplus: a.csv}}", ["folds.lists.ckplus", "datasets.ckplus.root"]),
        ("folds: {lists: {london: a.csv}}", ["folds.lists.london", "not a recognition dataset"]),
        ("datasets: {ckplus: {expressions: [fear, neutral]}}", ["datasets.ckplus", "expressions", "leave neutral out"]),
        ("datasets: {faces: {reader: kdef}}", ["datasets.faces", "root", "the kdef reader needs a path"]),
        ("rivals: {methods: [startgan]}", ["rivals.methods.0", "'startgan'", "'stargan'"]),
        ("rivals: {caae: {brightness: [1.2, 0.8]}}", ["rivals.caae", "brightness: put the smaller factor first"]),
        ("baselines: {methods: [lbptop]}", ["baselines.methods.0", "'lbptop'", "'lbp_top'"]),
        ("baselines: {methods: [nobody]}", ["baselines.methods.0", "'nobody'", "hog3d, iacnn"]),
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
        ("baselines: {methods: [eac], eac: {pretrained_on: ckplus}}", ["baselines.eac.pretrained_on", "'ckplus'"]),
        (
            "datasets: {bu4dfe: null}\nvariants: {fersnet_bu4dfe: null}\n"
            "baselines: {methods: [eac], eac: {pretrained_on: bu4dfe}}",
            ["baselines.eac.pretrained_on", "'bu4dfe'", "purpose `pretraining`"],
        ),
        (
            "datasets: {oulu_casia: null, mmi: null}\nsynthesis: {datasets: [ckplus]}\nbaselines: {methods: [ipa2lt]}",
            ["baselines.ipa2lt", "beside ckplus", "rendered faces", "take `annotators: within`"],
        ),
        (
            "datasets: {oulu_casia: {root: /data/oulu}}\nbaselines: {methods: [ipa2lt]}",
            ["baselines.ipa2lt", "beside oulu_casia", "a root of its own"],
        ),
        (
            "datasets: {mmi: {expressions: [sadness, fear]}, oulu_casia: null, ckplus: {expressions: [fear, anger]}}\n"
            "synthesis: {datasets: [mmi]}\nbaselines: {methods: [ipa2lt]}",
            ["baselines.ipa2lt", "beside ckplus", "two of its classes"],
        ),
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
    recipe = settings.for_variant("wide_kernel")
    assert recipe.model.convflu_kernel == 3
    assert recipe.model.width == settings.model.width


def by_command_line(*entries: str, files: tuple[Path, ...] = (DEFAULT,)) -> Settings:
    """The settings as the workflow reads them, with `--config entries...` laid over files."""
    command_line = parse_config(list(entries))
    merged = read_config(files)
    update_config(merged, command_line)
    return load_settings(merged, files, command_line)


def test_f1_nested_numbers_truth_values_and_null_of_the_command_line_count() -> None:
    settings = by_command_line(
        'training={"epochs": 2, "learning_rate": 1e-4, "milestones": [1, 2], "gradient_clip": null}',
        'datasets={"mmi": null, "ckplus": {"root": null}, "oulu_casia": {"embedded": {"quirks": false}}}',
        'model={"convflu_kernel": 3}',
        'variants={"mine": {"name": "3", "training": {"epochs": 3}}}',
    )
    assert (settings.training.epochs, settings.training.learning_rate) == (2, 1e-4)
    assert (settings.training.milestones, settings.training.gradient_clip) == ((1, 2), None)
    assert "mmi" not in settings.datasets
    assert settings.datasets["ckplus"].root is None
    assert settings.datasets["oulu_casia"].embedded.quirks is False
    assert settings.model.convflu_kernel == 3
    assert settings.variants["mine"].name == "3"
    assert settings.for_variant("mine").training.epochs == 3


def test_f1_what_is_meant_as_text_stays_text(tmp_path: Path) -> None:
    settings = by_command_line(
        'datasets={"own": {"reader": "folder", "root": "007", "options": {"apex": "all", "follow_links": true}}}',
        'report={"chosen_subjects": {"own": ["007", 1e5, null]}}',
    )
    assert settings.datasets["own"].root == "007"
    assert settings.datasets["own"].options == {"apex": "all", "follow_links": True}
    assert settings.report.chosen_subjects == {"own": ("007", "1e5", "null")}
    text = 'report: {chosen_subjects: {ckplus: ["1e5"]}}'
    assert with_change(tmp_path, text).report.chosen_subjects == {"ckplus": ("1e5",)}


@given(number=st.one_of(st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False), st.booleans()))
def test_f1_a_value_means_the_same_on_the_command_line_and_in_a_file(number: float) -> None:
    text = json.dumps({"rotations": [number], "flip": number})
    outcomes = []
    for config, command_line in (
        ({"baselines": {"dtagn": yaml.safe_load(text)}}, {}),
        *[(parse_config([f'baselines={{"dtagn": {text}}}']),) * 2],
    ):
        tree = converted(config, settings_type(find_known({})), command_line)["baselines"]["dtagn"]
        outcomes.append([(type(value), value) for value in (tree["rotations"][0], tree["flip"])])
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    ("entry", "parts"),
    [
        ("seed=two", ["--config: seed:", "'two'"]),
        ("run=2026", ["--config: run:", "2026 is no name", "small letters"]),
        ('training={"epochs": "x"}', ["--config: training.epochs:", "'x'"]),
        ('trainig={"epochs": 2}', ["--config: unknown key 'trainig'", "'training'"]),
        ('rivals={"methods": ["startgan"]}', ["--config: rivals.methods.0:", "'stargan'"]),
        ('datasets={"Own": {"reader": "mmi"}}', ["--config: datasets.Own:", "is no name"]),
        ('datasets={"own": {"reader": "folder"}}', ["--config: datasets.own: root:"]),
        ('variants={"mine": {"sharing": "none"}}', ["--config: the key 'variants.mine.name' is missing"]),
        # Of the two keys that do not fit, the preset has the other.
        ('datasets={"ckplus": {"embedded": {"subjects": 2}}}', ["--config: folds.count: 3 folds", "is 2"]),
    ],
)
def test_f1_a_message_blames_the_command_line_for_what_stands_there(entry: str, parts: list[str]) -> None:
    with pytest.raises(UserError) as error:
        by_command_line(entry)
    for part in parts:
        assert part in str(error.value)
    assert "config.yaml" not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name", ["2026", "1e5", "007", "nan", "inf", '"2026"', "null", '"null"', "true", "Mine", "a-b"]
)
def test_f1_a_name_that_a_reader_takes_for_something_else_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"mine\.yaml: run: .* is no name: "):
        with_change(tmp_path, f"run: {name}\n")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("training: {epochs: 40}\nseed: 2\n\ntraining: {batch_size: 4}\n", "lines 1 and 4: the key 'training'"),
        ("training:\n  epochs: 40\n  epochs: 41\n", "lines 2 and 3: the key 'epochs'"),
        ("datasets: {own: {reader: mmi, reader: ckplus}}\n", "line 1: the key 'reader'"),
        ('variants:\n  "a": {name: A}\n  a: {name: B}\n', "lines 2 and 3: the key 'a'"),
        ('{\n\t"seed": 1,\n\t"seed": 2\n}\n', "lines 2 and 3: the key 'seed'"),
    ],
)
def test_f2_a_key_given_twice_is_refused_with_both_lines(tmp_path: Path, text: str, place: str) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(text, encoding="utf-8")
    for read in (lambda: read_config([DEFAULT, mine]), lambda: load_settings(read_config([DEFAULT]), [DEFAULT, mine])):
        with pytest.raises(UserError) as error:
            read()
        assert f"mine.yaml, {place} is given twice" in str(error.value)


def test_f2_anchors_and_merged_mappings_are_no_repetition(tmp_path: Path) -> None:
    settings = with_change(
        tmp_path,
        "training: &common {epochs: 3, batch_size: 4}\n"
        "pretraining: {<<: *common, batch_size: 5}\n"
        "standard_fer: {<<: *common, batch_size: 6}\n"
        "variants: {mine: {name: Mine, training: *common}}\n",
    )
    assert (settings.pretraining.epochs, settings.pretraining.batch_size) == (3, 5)
    assert (settings.standard_fer.epochs, settings.standard_fer.batch_size) == (3, 6)
    assert settings.variants["mine"].training == {"epochs": 3, "batch_size": 4}


def test_f2_json_with_tabs_is_read_as_snakemake_reads_it(tmp_path: Path) -> None:
    mine = tmp_path / "mine.json"
    mine.write_text('{\n\t"training": {\n\t\t"learning_rate": 1e-4\n\t}\n}\n', encoding="utf-8")
    assert load(DEFAULT, mine).training.learning_rate == 1e-4


def test_keys_of_recognisers_that_are_trained_with_synthetic_faces_are_taken(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"variants\.utility_mine: keys that begin with utility_ are those of recog"):
        with_change(tmp_path, "variants: {utility_mine: {name: Mine}}")


@pytest.mark.parametrize("key", ["identity", "standard_fer", "stargan", "lbp_top", "cnn3d", "dmt_cnn", "real_target"])
def test_f3_a_variant_with_the_key_of_something_else_is_refused(tmp_path: Path, key: str) -> None:
    """Whether or not this run has it: cnn3d is not among the default's baselines, and another run may take it in."""
    with pytest.raises(UserError, match=rf"mine\.yaml: variants\.{key}: '{key}' is the key of .*choose another key$"):
        with_change(tmp_path, f"variants: {{{key}: {{name: Mine}}}}")


def test_f3_every_key_that_is_not_a_variants_is_reserved() -> None:
    quoted = {row["method_key"] for row in csv.DictReader((CONFIG / "reported.csv").open(encoding="utf-8"))}
    known = {*quoted, *REFERENCE_ROWS, REAL_ROW, *find_known({}).systems, *find_known({}).recognisers}
    assert {key for key in known if not key.startswith("fersnet")} <= set(taken_keys(load(DEFAULT)))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("datasets: {scatter: {reader: mmi}}", ["datasets.scatter", "synthesis_scatter"]),
        ("datasets: {synthesis_mmi: {reader: mmi}}", ["datasets.synthesis_mmi", "confusion_synthesis_mmi_fersnet"]),
        (
            "datasets: {mmi_own: {reader: mmi}}\nvariants: {own_fersnet: {name: Mine}}",
            ["datasets.mmi_own", "confusion_mmi_own_fersnet", "own_fersnet on mmi"],
        ),
    ],
)
def test_f3_keys_that_together_name_one_figure_are_refused(tmp_path: Path, text: str, parts: list[str]) -> None:
    with pytest.raises(UserError) as error:
        with_change(tmp_path, text)
    for part in parts:
        assert part in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("report: {chosen_subjects: {owm: [s1]}}", ["report.chosen_subjects.owm", "'ckplus'"]),
        ("report: {chosen_subjects: {bu4dfe: [s1]}}", ["report.chosen_subjects.bu4dfe", "not a recognition dataset"]),
        ("folds: {count: 16}", ["folds.count", "datasets.mmi.embedded.subjects is 15"]),
        ("variants: {mine: {name: Mine, training: {epochs: many}}}", ["variants.mine.training.epochs", "'many'"]),
        ("variants: {mine: {name: Mine, model: {image_size: 64}}}", ["variants.mine.model.image_size", "faces.size"]),
        ("variants: {fersnet: {model: {image_size: 32}}}", ["variants.fersnet.model.image_size", "synthesis.method"]),
        ("faces: {size: 100}", ["model.image_size", "at least half of faces.size (100)"]),
        ("faces: {size: 100}\nvariants: {fersnet_fes_da: null}", ["by caae needs", "`utility: {method: null}` does"]),
        ("selection_study: {method: fersnet_fes_da}", ["selection_study.method", "augmented"]),
        ("utility: {method: fersnet_fes_da}", ["utility.method", "pre-trained or augmented"]),
        ("utility: {method: fersnet_bu4dfe}", ["utility.method", "pre-trained or augmented"]),
        ("utility: {method: fersmet}", ["utility.method: 'fersmet' is not a variant; have fersnet_without_mtl, "]),
        ("utility: {datasets: [bu4dfe]}", ["utility.datasets: 'bu4dfe' is not a recognition dataset", "'ckplus'"]),
        (
            "datasets: {mmi: {expressions: [contempt, fear]}}\nutility: {datasets: [mmi]}",
            ["datasets.mmi.expressions", "utility.datasets"],
        ),
        (
            "rivals: {methods: [caae]}\nvariants: {mine: {name: Mine, augmented_by: stargan}}",
            ["variants.mine.augmented_by: 'stargan' is not trained in this run; add it to rivals.methods"],
        ),
        (
            "variants: {mine: {name: Mine, augmented_by: fersnet_without_mtl}}",
            ["variants.mine.augmented_by: 'fersnet_without_mtl' must be a variant that synthesises", "(caae, cyclegan"],
        ),
        (
            "variants: {mine: {name: Mine, augmented_by: caae}}\naugmentation: {minimum_confidence: 0.5}",
            ["augmentation.minimum_confidence: variants.mine is augmented by caae", "set it to 0"],
        ),
        ("model: {image_size: 144}\nfaces: {size: 150}", ["model.image_size: caae", "144"]),
        ("model: {image_size: 16}\nfaces: {size: 30}", ["model.image_size: CycleGAN", "16"]),
        ("model: {image_size: 32}\ntraining: {batch_size: 1}", ["training.batch_size: BatchNorm"]),
        ("model: {image_size: 32}\npretraining: {batch_size: 1}", ["pretraining.batch_size: BatchNorm"]),
        (
            "model: {image_size: 16}\nfaces: {size: 30}\nrivals: {methods: []}\n"
            "standard_fer: {batch_size: 1, trained_on: fold}",
            ["standard_fer.batch_size: BatchNorm"],
        ),
        (
            "standard_fer: {trained_on: other_sets}\ndatasets: {oulu_casia: null, mmi: null}\n"
            "synthesis: {datasets: [ckplus]}",
            ["standard_fer.trained_on: other_sets", "beside ckplus", "take `fold`"],
        ),
        (
            "standard_fer: {trained_on: other_sets}\ndatasets: {ckplus: {root: /data/ck}}",
            ["standard_fer.trained_on: other_sets", "beside ckplus no recognition dataset has a root of its own"],
        ),
    ],
)
def test_f4_what_sections_rule_out_together_is_said_before_any_job(tmp_path: Path, text: str, parts: list[str]) -> None:
    with pytest.raises(UserError) as error:
        with_change(tmp_path, text)
    for part in ("mine.yaml", *parts):
        assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_a_recogniser_is_one_variant_with_the_faces_of_each_system(tmp_path: Path) -> None:
    settings = with_change(
        tmp_path,
        "rivals: {methods: [caae, exprgan]}\nvariants: {fersnet_without_mtl: {training: {epochs: 7}}}\n"
        "utility: {minimum_confidence: 0.25}\naugmentation: {factor: 3}\n",
    )
    assert settings.utility_rows == {f"utility_{key}": key for key in ("caae", "exprgan", "fersnet")}
    plain = settings.for_variant("fersnet_without_mtl")
    for key, system in settings.utility_rows.items():
        assert settings.for_variant(key) == plain.model_copy(update={"augmented_by": system})
        assert settings.augmentation_of(key) == AugmentationSettings(factor=2.0, minimum_confidence=0.25)
        assert settings.reader_of(key) == "fersnet_without_mtl"
    assert settings.variant("utility_exprgan").name == "FERSNet w/o MTL + ExprGAN"
    assert settings.augmentation_of("fersnet_fes_da") == AugmentationSettings(factor=3.0)
    assert settings.reader_of("fersnet_fes_da") == "fersnet"


@pytest.mark.parametrize(
    "text",
    [
        "utility: {method: null}",
        "synthesis: {datasets: []}",
        "utility: {datasets: []}",
        "variants: {fersnet_without_mtl: null}\nselection_study: {method: null}",
    ],
)
def test_no_recogniser_is_trained_with_synthetic_faces_where_none_is_asked_for(tmp_path: Path, text: str) -> None:
    assert with_change(tmp_path, text).utility_rows == {}


def test_the_rate_of_units_concerns_the_variants_that_have_such_alone(tmp_path: Path) -> None:
    text = "variants: {stitched: {name: Stitched, sharing: cross_stitch}}\ntraining: {unit_factor: %s}"
    first, second = (with_change(tmp_path, text % factor) for factor in (3, 30))
    assert first.for_variant("fersnet") == second.for_variant("fersnet")
    assert second.for_variant("stitched").training.unit_factor == 30


def test_the_dump_of_settings_reads_back_without_what_they_leave_out() -> None:
    run = load_settings({"preset": "embedded", "datasets": {"mmi": None}, "variants": {"fersnet_bu4dfe": None}}, [])
    assert read_dump(run.model_dump(mode="json")).model_dump() == run.model_dump()
