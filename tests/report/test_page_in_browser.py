"""The report in a real browser: it opens, sorts, filters and folds, and every anchor leads somewhere."""

import re

import pytest
from first_tables import write_first_tables
from invented_results import description
from matplotlib.figure import Figure

from fersnet.methods.citations import references
from fersnet.report.files import read_jobs
from fersnet.report.html import write_report
from fersnet.report.style import save_figure


@pytest.fixture(scope="module")
def report(run_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    run = description()
    paths = write_first_tables(run_folder, run, folder)
    figures = []
    for name in ("synthesis_ckplus", "ablation", "training_mmi"):
        figure = Figure(figsize=(3, 2))
        figure.subplots().plot([1, 2])
        figures.append(save_figure(figure, folder / "figures" / name, 60)[0])
    cited = references({}, run.names)
    write_report(folder / "report.html", run, paths, figures, read_jobs(run_folder / "jobs.csv"), references=cited)
    return folder / "report.html"


def column(page, table: str, heading: str) -> list[list[str]]:
    """The cells of a column, by group of rows, references included."""
    return page.evaluate(
        """([table, heading]) => {
            const found = document.querySelector(`${table} table`);
            const place = [...found.tHead.rows[0].cells].findIndex((cell) => cell.innerText.startsWith(heading));
            return [...found.tBodies].map((body) =>
                [...body.rows].filter((row) => row.dataset.kind).map((row) => row.cells[place].dataset.value));
        }""",
        [table, heading],
    )


def test_the_page_opens_with_the_answer_and_without_a_word_on_the_console(offline_page, report) -> None:
    offline_page.goto(report.as_uri())
    headings = offline_page.locator("h2").all_inner_texts()
    assert headings[:3] == ["Does the paper hold?", "Synthetic faces and the ablation", "Tables"]
    first = offline_page.locator("h3").first.inner_text()
    assert first.startswith("What the paper claims")
    top = offline_page.locator("#answer + p").inner_text()
    assert re.match(r"Of the \d+ comparisons that this run tried on rendered faces, \d+ came out as in the paper", top)
    assert "CK+ (embedded faces)" in offline_page.locator("header").inner_text()
    images = offline_page.locator("img")
    for place in range(images.count()):
        assert len(images.nth(place).get_attribute("alt")) > 20
        assert images.nth(place).evaluate("image => image.complete && image.naturalWidth > 0")


def test_every_anchor_leads_to_something_that_can_be_seen(offline_page, report) -> None:
    offline_page.goto(report.as_uri())
    anchors = offline_page.eval_on_selector_all("a[href^='#']", "links => links.map((link) => link.hash)")
    assert len(anchors) > 20 and "#reference-stargan" in anchors
    for anchor in dict.fromkeys(anchors):
        offline_page.goto(report.as_uri() + anchor)
        assert offline_page.locator(anchor).is_visible(), anchor
    titles = offline_page.eval_on_selector_all("nav a", "links => links.map((link) => [link.innerText, link.hash])")
    for title, anchor in titles:
        there = offline_page.locator(anchor)
        shown = there.locator("h3") if anchor.startswith("#table-") else there
        assert shown.inner_text() == title


def test_a_heading_sorts_its_column_within_the_datasets_and_references_stay_below(offline_page, report) -> None:
    offline_page.goto(report.as_uri())
    table = "#table-synthesis"
    before = column(offline_page, table, "Accuracy")
    header = offline_page.locator(f"{table} thead th", has_text="Accuracy")
    header.locator("button").focus()
    offline_page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    for old, new in zip(before, column(offline_page, table, "Accuracy"), strict=True):
        assert new[:5] == sorted(old[:5], key=float) and new[5:] == old[5:]
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    for old, new in zip(before, column(offline_page, table, "Accuracy"), strict=True):
        assert new[:5] == sorted(old[:5], key=float, reverse=True) != old[:5] and new[5:] == old[5:]
    name = offline_page.locator(f"{table} thead th", has_text="Method")
    name.locator("button").click()
    assert header.get_attribute("aria-sort") is None
    for names in column(offline_page, table, "Method"):
        assert names[:5] == ["CAAE", "CycleGAN", "ExprGAN", "FERSNet", "StarGAN"]


def test_missing_figures_stay_last_in_either_direction(offline_page, report) -> None:
    offline_page.goto(report.as_uri())
    table = "#table-ablation"
    button = offline_page.locator(f"{table} thead th", has_text="Difference").locator("button")
    for _ in range(2):
        button.click()
        for values in column(offline_page, table, "Difference"):
            assert values[-1] == "" and "" not in values[:-1]


def test_rows_are_filtered_and_columns_unfolded(offline_page, report) -> None:
    offline_page.goto(report.as_uri())
    table = offline_page.locator("#table-ablation")
    table.get_by_label("Filter rows").fill("mmi convflu")
    assert table.locator("tbody tr[data-kind]:visible").count() == 1
    assert table.get_by_role("status").inner_text() == "1 of 12 rows"
    assert "MMI" in table.locator("tbody:visible").inner_text()
    table.get_by_label("Filter rows").fill("")
    assert table.locator("tbody tr[data-kind]:visible").count() == 12
    assert not table.get_by_text("Core-hours").is_visible()
    button = table.get_by_role("button", name="more columns")
    button.click()
    assert table.get_by_text("Core-hours").is_visible()
    table.get_by_role("button", name="Show fewer columns").click()
    assert not table.get_by_text("Core-hours").is_visible()


def test_what_is_quoted_differs_by_word_and_colour_in_both_modes(offline_page, report) -> None:
    colours = set()
    for mode in ("light", "dark"):
        offline_page.emulate_media(color_scheme=mode)
        offline_page.goto(report.as_uri())
        table = offline_page.locator("#table-ablation")
        assert table.locator("th.quoted .kind").all_inner_texts() == ["quoted"] * 2
        assert set(table.locator("th.number:not(.quoted) .kind").all_inner_texts()) >= {"re-run"}
        style = "(cell) => [getComputedStyle(cell).color, getComputedStyle(document.body).backgroundColor]"
        quoted = table.locator("td.quoted").first.evaluate(style)
        own = table.locator("td.number:not(.quoted)").first.evaluate(style)
        assert quoted[0] != own[0]
        colours.add((*quoted, own[0]))
    assert len(colours) == 2


def test_a_table_that_goes_on_says_so_and_scrolls_by_keyboard(offline_page, report) -> None:
    offline_page.set_viewport_size({"width": 420, "height": 800})
    offline_page.goto(report.as_uri())
    table = offline_page.locator("#table-synthesis")
    hint = table.get_by_text("The table goes on to the right")
    hint.wait_for(state="visible")
    place = table.locator(".wide")
    place.focus()
    offline_page.keyboard.press("End")
    offline_page.keyboard.press("ArrowRight")
    # The page's policy forbids the text that `wait_for_function` would have it evaluate.
    for _ in range(200):
        if place.evaluate("box => box.scrollLeft") > 0:
            break
        offline_page.wait_for_timeout(50)
    assert place.evaluate("box => box.scrollLeft") > 0
    # The page itself never scrolls sideways.
    assert offline_page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    offline_page.set_viewport_size({"width": 1200, "height": 800})
    hint.wait_for(state="hidden")


def test_print_has_neither_controls_nor_cut_tables(offline_page, report) -> None:
    offline_page.goto(report.as_uri())
    offline_page.emulate_media(media="print")
    offline_page.set_viewport_size({"width": 720, "height": 1000})
    assert not offline_page.locator("nav").is_visible()
    assert offline_page.locator(".tools:visible").count() == 0
    cut = offline_page.evaluate(
        """[...document.querySelectorAll('.wide')].filter((wide) => wide.checkVisibility())
            .filter((wide) => wide.scrollWidth > wide.clientWidth + 1).map((wide) => wide.ariaLabel)"""
    )
    assert cut == []


def test_without_scripts_all_columns_and_rows_show(browser, report) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("#table-ablation").get_by_text("Core-hours").is_visible()
    assert page.locator("button").count() == 0
    context.close()
