"""The outputs of tables and figures, which Snakemake's own report shows, too."""

from typing import Any

from snakemake.io import report


def table_files(name: str, caption: str) -> dict[str, Any]:
    """Outputs of a rule that makes a table."""
    csv = report(f"<results>/tables/{name}.csv", caption=f"captions/{caption}.rst", category="Tables")
    return {"csv": csv, **{ending: f"<results>/tables/{name}.{ending}" for ending in ("json", "md", "tex")}}


def drawn(caption: str, *names: str, category: str = "Figures") -> list[Any]:
    """Outputs of a rule that draws figures."""
    pngs = [f"<results>/figures/{name}.png" for name in names]
    shown = [report(path, caption=f"captions/{caption}.rst", category=category) for path in pngs]
    return [*shown, *(path.replace(".png", ".pdf") for path in pngs)]


def figure(name: str, caption: str, category: str = "Figures") -> dict[str, Any]:
    """Outputs of a rule that draws one figure."""
    png, pdf = drawn(caption, name, category=category)
    return {"png": png, "pdf": pdf}
