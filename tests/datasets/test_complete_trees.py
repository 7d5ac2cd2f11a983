"""Trees of the published size, made of tiny pictures: the readers find exactly what the paper counts."""

from itertools import chain, repeat
from pathlib import Path

import pandas as pd

from fersnet.datasets.counts import compare_counts
from fersnet.datasets.readers import ckplus, mmi, oulu_casia
from fersnet.expressions import CKPLUS_CODES, MMI_CODES, OULU_CASIA_FOLDERS

PUBLISHED = Path(__file__).parents[2] / "config" / "sequence_counts.csv"


def differences(sequences, dataset):
    return compare_counts(sequences, dataset, PUBLISHED).set_index("expression").difference


def test_complete_ckplus(tmp_path, put_frames, put_text):
    counts = pd.read_csv(PUBLISHED).set_index("dataset").loc["ckplus"]
    codes = {name: code for code, name in CKPLUS_CODES.items()}
    labels = chain.from_iterable(repeat(name, int(counts[name])) for name in counts.index if name in codes)
    # 327 labelled sequences of 118 subjects, then 11 folders without a label file and 255 without a folder.
    for number in range(593):
        subject, take = f"S{number % 118 + 5:03d}", f"{number // 118 + 1:03d}"
        name = next(labels, None)
        put_frames(tmp_path / f"cohn-kanade-images/{subject}/{take}", f"{subject}_{take}_{{:08d}}.png", range(1, 5))
        folder = tmp_path / "Emotion" / subject / take
        if name is not None:
            put_text(folder / f"{subject}_{take}_00000004_emotion.txt", f"   {codes[name]:.7e}\n")
        elif number < 338:
            folder.mkdir(parents=True)
    index = ckplus.read_index(tmp_path)
    assert len(index.sequences) == 327 and index.sequences.subject.nunique() == 118
    assert not differences(index.sequences, "ckplus").any()
    unlabelled = index.rejected[index.rejected.reason.str.startswith("unlabelled")]
    assert len(unlabelled) == len(index.rejected) == 266


def test_complete_oulu_casia(tmp_path, put_frames):
    for subject in range(1, 81):
        for folder in OULU_CASIA_FOLDERS:
            put_frames(tmp_path / f"OriginalImg/VL/Strong/P{subject:03d}/{folder}", "{:03d}.jpeg", range(4))
    index = oulu_casia.read_index(tmp_path)
    assert len(index.sequences) == 480 and index.sequences.subject.nunique() == 80
    assert not differences(index.sequences, "oulu_casia").any()
    assert index.rejected.empty


def test_complete_mmi(tmp_path, put_text, put_video):
    selection = PUBLISHED.with_name("mmi208.csv")
    chosen = pd.read_csv(selection, comment="#").set_index("sequence")["expression"].to_dict()
    codes = {name: code for code, name in MMI_CODES.items()}
    # 213 sequences of 32 people are labelled; the paper counts 208 of 31.
    others = {f"S999-{number:03d}": "anger" for number in range(1, 6)}
    for number, (name, expression) in enumerate((chosen | others).items()):
        folder = tmp_path / "Sessions" / str(number)
        put_text(folder / f"{name}.xml", f'<R><Metatag Name="Emotion" Value="{codes[expression]}"/></R>')
        put_text(folder / "session.xml", f'<s><track view="0" filename="{name}.avi"/></s>')
        put_video(folder / f"{name}.avi", [60, 90, 120, 90], (32, 32))
    index = mmi.read_index(tmp_path, selection=str(selection))
    assert len(index.sequences) == 208 and index.sequences.subject.nunique() == 31
    assert not differences(index.sequences, "mmi").any()
    assert set(index.rejected.sequence_id) == set(others)
    assert len(mmi.read_index(tmp_path).sequences) == 213
