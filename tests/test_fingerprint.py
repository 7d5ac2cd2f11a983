"""Fingerprints of code: a changed line counts where it is reached, a comment nowhere."""

import json
from pathlib import Path

import pytest

from fersnet import fingerprint as module


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "fersnet").mkdir()
    for name, text in {
        "__init__": "",
        "low": "A = 1\n",
        "middle": '"""Doc."""\nfrom fersnet import low\n\n\ndef f():\n    """Doc."""\n    return low.A\n',
        "top": "from fersnet.middle import f\n",
        "other": "B = 2\n",
    }.items():
        (tmp_path / "fersnet" / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(module, "PROJECT", tmp_path)
    (tmp_path / "work" / ".snakemake").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def fingerprint(name: str) -> str:
    for cached in (module.fingerprint, module._parsed, module._path_of, module._known):
        cached.cache_clear()
    return module.fingerprint(name)


def edit(project: Path, name: str, old: str, new: str) -> None:
    path = project / "fersnet" / f"{name}.py"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_changed_line_counts_for_all_that_reach_it(project: Path) -> None:
    before = {name: fingerprint(f"fersnet.{name}") for name in ("low", "top", "other")}
    edit(project, "low", "A = 1", "A = 2")
    after = {name: fingerprint(f"fersnet.{name}") for name in before}
    assert {name for name in before if before[name] != after[name]} == {"low", "top"}


@pytest.mark.parametrize(
    "block",
    [
        "def f():\n    {}\n",
        "class C:\n    async def f(self):\n        {}\n",
        "if A:\n    pass\nelif B:\n    {}\n",
        "for _ in ():\n    pass\nelse:\n    {}\n",
        "try:\n    pass\nexcept ImportError:\n    {}\n",
        "try:\n    pass\nfinally:\n    {}\n",
        "with A:\n    {}\n",
        "match A:\n    case 1:\n        {}\n",
    ],
)
def test_an_import_counts_wherever_it_stands(project: Path, block: str) -> None:
    (project / "fersnet" / "top.py").write_text(block.format("from fersnet import other"), encoding="utf-8")
    before = fingerprint("fersnet.top")
    edit(project, "other", "B = 2", "B = 3")
    assert fingerprint("fersnet.top") != before


@pytest.mark.parametrize(
    ("old", "new"),
    [('"""Doc."""\nfrom', '"""Other words."""\nfrom'), ("return low.A", "return low.A  # why"), ("\n\n\n", "\n\n\n\n")],
)
def test_comments_docstrings_and_layout_do_not_count(project: Path, old: str, new: str) -> None:
    before = fingerprint("fersnet.top")
    edit(project, "middle", old, new)
    assert fingerprint("fersnet.top") == before


def test_an_unknown_module_is_an_error(project: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"fersnet\.absent"):
        fingerprint("fersnet.absent")


def test_what_an_earlier_process_read_is_not_read_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint("fersnet.top")
    read: list[bytes] = []
    original = module._read
    monkeypatch.setattr(module, "_read", lambda source: (read.append(source), original(source))[1])
    assert fingerprint("fersnet.top") == before and not read
    edit(project, "low", "A = 1", "A = 2")
    assert fingerprint("fersnet.top") != before and read == [b"A = 2\n"]
    assert [path.name for path in module.KEPT.parent.iterdir()] == [module.KEPT.name]


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"reader": "another", "known": {}}', "known"])
def test_a_damaged_memory_is_as_good_as_none(project: Path, damage: str) -> None:
    before = fingerprint("fersnet.top")
    if damage == "known":
        damage = json.dumps(json.loads(module.KEPT.read_text()) | {"fersnet.low": ["of", "tree"], "fersnet.top": []})
    module.KEPT.write_text(damage)
    assert fingerprint("fersnet.top") == before
    module.KEPT.unlink()
    module.KEPT.mkdir()
    assert fingerprint("fersnet.top") == before, "nothing can be read or written there"
    assert list(module.KEPT.parent.iterdir()) == [module.KEPT]
