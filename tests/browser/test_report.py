"""The page in a real browser."""

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from audits.specimen import RHOS, SCRIPT, SHORT, specimen
from pellucid import reports

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
RHO = "\N{GREEK SMALL LETTER RHO}"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reports.write_page(specimen(tmp_path_factory.mktemp("audit")))


@pytest.fixture(scope="module")
def browser() -> Generator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A page that is open, what it asked for, and what it complained of."""

    def __init__(self, browser: Any, path: Path, width: int = 1280, **settings: Any) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900}, **settings)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", self.requested)
        self.page.on("console", self.complained)
        self.page.on("pageerror", self.broke)
        self.page.on("dialog", self.asked)
        self.page.goto(path.as_uri(), timeout=120_000)  # the first page is slow on a busy machine

    def requested(self, request: Any) -> None:
        self.requests.append(request.url)

    def complained(self, message: Any) -> None:
        self.complaints.append(message.text)

    def broke(self, error: Any) -> None:
        self.complaints.append(str(error))

    def asked(self, dialog: Any) -> None:
        self.complaints.append(dialog.message)
        dialog.dismiss()


@pytest.fixture
def visit(browser: Any, path: Path) -> Generator[Visit]:
    found = Visit(browser, path)
    yield found
    assert not found.complaints
    assert [url for url in found.requests if not url.startswith("data:")] == [path.as_uri()]
    found.context.close()


def column(page: Any, table: str, number: int) -> list[str]:
    cells = page.locator(f"{table} tbody tr:not([hidden]) > :nth-child({number})")
    return [text.strip() for text in cells.all_inner_texts()]


CLASSES = "table[data-filter=classes]"
# heads and strips of images that reach out of their cells
SPILLED = """[...document.querySelectorAll("thead th bdi, .strongest img")].filter((inner) => {
  const cell = inner.closest("th, td").getBoundingClientRect(), box = inner.getBoundingClientRect();
  const unseen = getComputedStyle(inner.parentElement).position === "absolute";
  return !unseen && (box.left < cell.left - 1 || box.right > cell.right + 1);
}).map((inner) => inner.outerHTML.slice(0, 200))"""


def test_it_opens_quietly_and_shows_names_as_text(visit: Visit) -> None:
    assert visit.page.locator(".answer h3 bdi").all_inner_texts() == list(SHORT)
    assert visit.page.evaluate("document.scripts.length") == 1
    broken = "[...document.images].filter((image) => !image.complete || !image.naturalWidth).length"
    assert visit.page.evaluate(broken) == 0


def test_the_slider_changes_the_pictures_by_keyboard(visit: Visit) -> None:
    entry = visit.page.locator(".entry").first
    slider = entry.get_by_role("slider", name=RHO)
    shown = lambda: entry.locator(".step:visible").evaluate_all("steps => steps.map((step) => step.dataset.rho)")
    pictures = lambda: entry.locator(".step:visible img").evaluate_all("images => images.map((image) => image.src)")
    assert shown() == [str(RHOS[-1])] * 6  # two networks, three classes
    last = pictures()
    slider.focus()
    slider.press("Home")
    assert shown() == [str(RHOS[0])] * 6
    assert not set(pictures()) & set(last)
    assert slider.get_attribute("aria-valuetext") == f"{RHO} 0.02"
    slider.press("ArrowRight")
    assert shown() == [str(RHOS[1])] * 6
    others = visit.page.locator(".entry").nth(1).locator(".step:visible")
    assert others.first.get_attribute("data-rho") == str(RHOS[-1])


def test_sorting_sorts_both_ways_and_leaves_what_has_no_number_last(visit: Visit) -> None:
    page = visit.page
    before = column(page, CLASSES, 1)
    button = page.locator(f"{CLASSES} thead th").nth(1).get_by_role("button")
    button.click()
    values = column(page, CLASSES, 2)
    assert page.locator(f"{CLASSES} thead th").nth(1).get_attribute("aria-sort") == "descending"
    assert values[-1] == "no image of this class"
    numbers = [float(value.split()[0]) for value in values[:-1]]
    assert numbers == sorted(numbers, reverse=True)
    button.press("Enter")
    assert [float(value.split()[0]) for value in column(page, CLASSES, 2)[:-1]] == sorted(numbers)
    assert column(page, CLASSES, 2)[-1] == "no image of this class"
    page.locator(f"{CLASSES} thead th").first.get_by_role("button").click()
    names = column(page, CLASSES, 1)
    assert sorted(names) == sorted(before) and names != before and names.index("eight") < names.index("zero")


def test_the_filter_narrows_the_rows_down(visit: Visit) -> None:
    box = visit.page.get_by_label("filter classes")
    box.fill("SCRIPT")
    assert column(visit.page, CLASSES, 1) == [SCRIPT]
    box.fill("")
    assert len(column(visit.page, CLASSES, 1)) == 10


def test_the_policy_keeps_scripts_and_requests_out(browser: Any, path: Path) -> None:
    visit = Visit(browser, path)
    visit.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/x.png\">')")
    visit.page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.x = 1'}))"
    )
    visit.page.wait_for_timeout(50)
    assert visit.page.evaluate("window.x") is None
    assert len(visit.complaints) == 2 and all("Content Security Policy" in text for text in visit.complaints)
    visit.context.close()


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_it_fits_every_width(browser: Any, path: Path, tmp_path: Path, width: int) -> None:
    visit = Visit(browser, path, width)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    assert visit.page.evaluate(SPILLED) == []
    visit.page.screenshot(path=tmp_path / f"{width}.png", full_page=True)
    assert (tmp_path / f"{width}.png").stat().st_size > 10_000
    visit.context.close()


@pytest.mark.parametrize("width", [768, 1280])
def test_long_names_wrap_inside_their_columns(browser: Any, tmp_path: Path, width: int) -> None:
    names = tuple(f"networks/{name}-training-of-digits-simple-convolutional-network" for name in ("plain", "hard"))
    visit = Visit(browser, reports.write_page(specimen(tmp_path, models=names, images=1)), width)
    assert visit.page.evaluate(SPILLED) == []
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    visit.context.close()


def test_light_and_dark_follow_the_reader(browser: Any, path: Path) -> None:
    lightness: dict[str, int] = {}
    for scheme in ("light", "dark"):
        visit = Visit(browser, path, color_scheme=scheme)
        color = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
        lightness[scheme] = int(color.partition("(")[2].partition(",")[0])
        visit.context.close()
    assert lightness["light"] > 240 and lightness["dark"] < 40


def test_without_scripts_every_picture_and_row_is_there(browser: Any, path: Path) -> None:
    visit = Visit(browser, path, java_script_enabled=False)
    entry = visit.page.locator(".entry").first
    assert entry.locator(".step:visible").count() == 2 * 3 * len(RHOS)
    assert entry.locator("input").count() == 0
    assert visit.page.locator(f"{CLASSES} tbody tr:visible").count() == 10
    visit.context.close()


def test_on_paper_every_picture_is_there_and_controls_are_not(browser: Any, path: Path, tmp_path: Path) -> None:
    visit = Visit(browser, path)
    visit.page.emulate_media(media="print", color_scheme="dark")
    assert visit.page.locator(".entry").first.locator(".step:visible").count() == 2 * 3 * len(RHOS)
    assert visit.page.locator("input:visible").count() == 0
    assert visit.page.get_by_text("all gradients are finite").first.is_visible()
    assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    visit.page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    visit.context.close()
