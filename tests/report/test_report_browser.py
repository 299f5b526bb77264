"""The report page in a real browser: headless Chromium, driven as a user would, by pointer and by keyboard."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from search.report.__main__ import main
from search.report.live.serve import listen
from tests.helpers.report_runs import (
    HOSTILE,
    HOSTILE_CLASSES,
    IMG,
    write_baselines,
    write_history,
    write_members,
    write_run,
)

pytest.importorskip("plotly", reason="the page needs plotly: pip install 'neuraltree[report]'")
pytest.importorskip("selenium", reason="the browser is driven by selenium: pip install 'neuraltree[dev]'")

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no browser: install Debian's packages chromium and chromium-driver"
)

FLAGS = (
    *("headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"),
    *("disable-component-update", "disable-sync", "disable-dev-shm-usage", "window-size=1280,900"),
)
DESKTOP, PHONE = 1280, 360


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """One browser for all tests here; it may not load anything that it does not have."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    quiet = Service(executable_path=str(DRIVER), log_output=os.devnull)
    made = Chrome(options=options, service=quiet)
    yield made
    made.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs by name, each with its page in it."""
    root = tmp_path_factory.mktemp("runs")
    made = {
        "device": write_run(root / "device", members=5, device="cortex-m4f"),
        "regression": write_run(root / "regression", labels=None, table="r.csv"),
        "hostile": write_run(
            root / "<b>{{data}}", features=HOSTILE, labels=HOSTILE_CLASSES, table="<i>.csv", device="cortex-m4f"
        ),
        "many": write_run(root / "many", members=1000),
        "unfinished": write_run(root / "unfinished", final=False),
        "empty": write_run(root / "empty"),
        "bare": write_run(root / "bare", table="gone.csv"),
    }
    for name in ("device", "hostile"):
        write_baselines(made[name], [(IMG if name == "hostile" else "linear model", 0.01, 1), ("CART", 0.9, 99)])
    (made["empty"] / "front.csv").write_text("id,status,val_error,weights,model\n")
    (root / "gone.csv").unlink()
    for name in ("history.csv", "models/000.json", "manifest.json"):
        (made["bare"] / name).unlink()
    for run in made.values():
        assert main([str(run)]) == 0
    assert main([str(made["device"]), str(made["many"]), "--out", str(root / "comparison.html")]) == 0
    found = {name: run / "report.html" for name, run in made.items()}
    return found | {"comparison": root / "comparison.html"}


def size(driver: Chrome, width: int) -> None:
    facts = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", facts)


def scheme(driver: Chrome, value: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": value}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def show(driver: Chrome, url: str, *, width: int = DESKTOP, colours: str = "light") -> None:
    size(driver, width)
    scheme(driver, colours)
    driver.get_log("browser")
    driver.get_log("performance")
    driver.get("about:blank")  # or an address that differs after # only would not be loaded
    driver.get(url)


def check_quiet(driver: Chrome, *schemes: str) -> None:
    """Nothing was said on the console, and nothing fetched by other than ``schemes``."""
    assert [entry["message"] for entry in driver.get_log("browser")] == []
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert asked
    assert [url for url in asked if not url.startswith((*schemes, "data:", "blob:", "about:"))] == []


def text(driver: Chrome, element: str) -> str:
    return str(driver.find_element(By.ID, element).text)


def script(driver: Chrome, code: str, *values: object) -> Any:
    return driver.execute_script(f"return {code}", *values)


def click_point(driver: Chrome, i: int) -> None:
    """On member ``i`` of the front, where it is drawn."""
    traces = driver.find_elements(By.CSS_SELECTOR, "#front-plot .scatterlayer .trace")
    members = max(traces, key=lambda trace: len(trace.find_elements(By.CSS_SELECTOR, ".points path")))
    point = members.find_elements(By.CSS_SELECTOR, ".points path")[i]
    script(driver, "arguments[0].scrollIntoView({block: 'center'})", point)
    ActionChains(driver, duration=50).move_to_element(point).pause(0.1).click().perform()


def test_a_click_on_a_point_shows_its_tree(driver: Chrome, pages: dict[str, Path]) -> None:
    show(driver, pages["device"].as_uri())
    # Members go down in weights as they go up in name, and the axis is latency or weights: the last is leftmost.
    for i, name in ((0, "004"), (4, "000")):
        click_point(driver, i)
        WebDriverWait(driver, 5).until(lambda d, name=name: f"Member {name}" in text(d, "member-title"))
        tree = driver.find_element(By.ID, "tree-picture")
        assert tree.get_attribute("role") == "img"
        assert f"The tree of member {name}" in script(driver, "arguments[0].querySelector('title').textContent", tree)
        nodes = {"004": 2, "000": 7}[name]
        assert len(tree.find_elements(By.CSS_SELECTOR, ".node, .leaf")) == nodes
        assert len(tree.find_elements(By.CSS_SELECTOR, ".edge")) == nodes - 1
        assert "x1" in tree.text
    assert len(tree.find_elements(By.CSS_SELECTOR, ".edge.minus")) == 3  # 0.5 − i for i from 1 to 3
    assert script(driver, "location.hash") == "#member-100"
    assert driver.find_element(By.ID, "pick-100").is_selected()
    assert "500 B" in text(driver, "metrics")
    assert "together" in text(driver, "terms")
    assert "as yes" in text(driver, "test")
    assert "python -m neuraltree.export" in text(driver, "lines")
    assert "▲ beats 5 of 5 members" in text(driver, "baselines-body")
    assert "▽ beaten by 5 members" in text(driver, "baselines-body")
    check_quiet(driver, "file://")


def test_the_address_opens_the_member_that_it_names(driver: Chrome, pages: dict[str, Path]) -> None:
    show(driver, pages["device"].as_uri() + "#member-103")
    assert text(driver, "member-title").startswith("Member 003")
    show(driver, pages["device"].as_uri() + "#member-9999")
    assert "knee" in text(driver, "member-title")


def test_everything_can_be_reached_by_keyboard(driver: Chrome, pages: dict[str, Path]) -> None:
    show(driver, pages["device"].as_uri())
    active = "document.activeElement"

    def press(*keys: str) -> None:
        ActionChains(driver, duration=0).send_keys(*keys).perform()

    press(Keys.TAB)
    assert script(driver, f"{active}.className") == "skip"
    assert script(driver, f"{active}.getBoundingClientRect().top") >= 0
    press(Keys.ENTER)
    reached = []
    for _ in range(80):
        press(Keys.TAB)
        reached.append(script(driver, f"{active}.id || {active}.name || {active}.textContent.slice(0, 30)"))
        outline = script(driver, f"getComputedStyle({active}).outlineStyle")
        assert outline != "none", reached
        if reached[-1] == "versions":
            break
    wanted = ["axis-x", "log-x", "axis-y", "log-y", "front-keys", "previous", "next", "parallel-plot", "volume-x"]
    assert [name for name in reached if name in wanted] == wanted
    assert any(name.startswith("pick-") for name in reached)
    assert "Copy" in reached

    script(driver, "document.getElementById('front-keys').focus()")
    press(Keys.HOME)
    assert text(driver, "member-title").startswith("Member 004")
    press(Keys.ARROW_RIGHT)
    assert text(driver, "member-title").startswith("Member 003")
    assert "Member 003" in script(driver, "document.getElementById('said').textContent")
    press(Keys.END)
    press(Keys.ARROW_LEFT)
    assert text(driver, "member-title").startswith("Member 001")
    press(Keys.ENTER)
    assert script(driver, f"{active}.id") == "member-title"
    script(driver, "document.getElementById('pick-101').focus()")
    press(Keys.ARROW_DOWN)
    assert text(driver, "member-title").startswith("Member 002")
    check_quiet(driver, "file://")


def test_axes_can_be_chosen(driver: Chrome, pages: dict[str, Path]) -> None:
    show(driver, pages["device"].as_uri())
    Select(driver.find_element(By.ID, "axis-x")).select_by_visible_text("energy")
    Select(driver.find_element(By.ID, "axis-y")).select_by_visible_text("depth")
    driver.find_element(By.ID, "log-x").click()
    layout = script(driver, "document.getElementById('front-plot').layout")
    assert (layout["xaxis"]["title"]["text"], layout["yaxis"]["title"]["text"]) == ("energy", "depth")
    assert layout["xaxis"]["type"] == "log"
    check_quiet(driver, "file://")


def rows_shown(driver: Chrome) -> list[str]:
    rows = driver.find_elements(By.CSS_SELECTOR, "#list tbody tr:not([hidden]) input")
    return [str(row.get_attribute("value")) for row in rows]


def test_a_range_keeps_the_members_within(driver: Chrome, pages: dict[str, Path]) -> None:
    show(driver, pages["device"].as_uri())
    axis = driver.find_element(By.CSS_SELECTOR, "#parallel-plot .hit")  # validation error, .1 to .5
    script(driver, "arguments[0].scrollIntoView({block: 'center'})", axis)
    below_the_middle = ActionChains(driver, duration=50).move_to_element_with_offset(axis, 0, 20).click_and_hold()
    below_the_middle.move_by_offset(0, 105).release().perform()
    WebDriverWait(driver, 5).until(lambda d: rows_shown(d) == ["100", "101"])
    assert "2 of 5 members" in text(driver, "parallel-count")
    script(driver, "document.querySelector('#parallel details').open = true")
    slider = driver.find_elements(By.CSS_SELECTOR, "#ranges input")[1]
    slider.send_keys(Keys.HOME)
    assert rows_shown(driver) == ["100"]
    assert script(driver, "document.activeElement.dataset.range") == "val_error 1"
    driver.find_element(By.CSS_SELECTOR, "#parallel-count button").click()
    assert len(rows_shown(driver)) == 5
    check_quiet(driver, "file://")


LEVELS = "[...document.querySelectorAll('h1, h2, h3, h4')].filter((h) => h.offsetParent).map((h) => +h.tagName[1])"
UNNAMED = """[...document.querySelectorAll('input, select, button, [role=img], [role=region], article, section')]
    .filter((e) => !(e.ariaLabel || e.getAttribute('aria-labelledby') || e.labels?.length || e.matches('button') && e.textContent))
    .map((e) => e.outerHTML.slice(0, 80))"""  # noqa: E501
REPEATED = """((ids) => ids.filter((id, i) => ids.indexOf(id) < i))(
    [...document.querySelectorAll('body [id]')].filter((e) => !e.closest('.js-plotly-plot')).map((e) => e.id))"""
ALL = ("device", "regression", "hostile", "unfinished", "empty", "bare", "comparison")


@pytest.mark.parametrize("name", ALL)
def test_headings_are_in_order_all_is_named_and_a_phone_scrolls_one_way(
    driver: Chrome, pages: dict[str, Path], name: str
) -> None:
    show(driver, pages[name].as_uri())
    levels = script(driver, LEVELS)
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert script(driver, UNNAMED.replace("\n", " ")) == []
    assert script(driver, REPEATED.replace("\n", " ")) == []
    size(driver, PHONE)
    WebDriverWait(driver, 5).until(lambda d: script(d, "window.innerWidth") == PHONE)
    assert script(driver, "document.documentElement.scrollWidth") <= PHONE
    check_quiet(driver, "file://")


def luminance(colour: str) -> float:
    """Of WCAG 2, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_texts_and_marks_stand_out(driver: Chrome, pages: dict[str, Path], colours: str) -> None:
    show(driver, pages["device"].as_uri(), colours=colours)
    of = "getComputedStyle(document.documentElement).getPropertyValue('--' + arguments[0]).trim()"
    found = {name: script(driver, of, name) for name in ("page", "surface", "text", "muted", "accent", "rival", "warn")}
    for name in ("text", "muted", "accent", "rival"):
        for ground in ("page", "surface"):
            assert contrast(found[name], found[ground]) >= 4.5, (name, ground)
    assert contrast(found["text"], found["warn"]) >= 4.5
    assert contrast(script(driver, of, "on-accent"), found["accent"]) >= 4.5
    for mark in ("plus", "minus", "knee", "edge", *(f"series-{i}" for i in range(1, 7))):
        assert contrast(script(driver, of, mark), found["page"]) >= 3, mark


def test_the_plots_follow_light_and_dark(driver: Chrome, pages: dict[str, Path]) -> None:
    show(driver, pages["device"].as_uri(), colours="light")
    read = "[getComputedStyle(document.body).backgroundColor, document.getElementById('front-plot').layout.font.color]"
    light = script(driver, read)
    scheme(driver, "dark")
    WebDriverWait(driver, 5).until(lambda d: script(d, read)[1] != light[1])
    dark = script(driver, read)
    assert light == ["rgb(255, 255, 255)", "#1a1f26"]
    assert dark == ["rgb(18, 21, 26)", "#e7ebf0"]
    check_quiet(driver, "file://")


def test_hostile_names_do_nothing(driver: Chrome, pages: dict[str, Path]) -> None:
    show(driver, pages["hostile"].as_uri())
    click_point(driver, 1)
    assert script(driver, "document.querySelectorAll('img, b, i, [onclick], [onload], [onerror]').length") == 0
    assert text(driver, "name") == "<b>{{data}}"
    assert HOSTILE[0][:20] in text(driver, "tree")
    assert IMG in text(driver, "baselines-body")
    assert HOSTILE_CLASSES[1] in text(driver, "test")
    for name in HOSTILE:
        assert name in text(driver, "data-body")
    check_quiet(driver, "file://")


def test_a_thousand_members_stay_usable(driver: Chrome, pages: dict[str, Path]) -> None:
    show(driver, pages["many"].as_uri())
    assert len(driver.find_elements(By.CSS_SELECTOR, "#list input")) == 1000
    ActionChains(driver).send_keys_to_element(driver.find_element(By.ID, "front-keys"), Keys.END).perform()
    assert driver.find_elements(By.ID, "tree-picture")
    check_quiet(driver, "file://")


def test_what_is_missing_is_said_in_its_place(driver: Chrome, pages: dict[str, Path]) -> None:
    show(driver, pages["bare"].as_uri() + "#member-101")
    assert driver.find_elements(By.ID, "tree-picture")
    assert "no such file" in text(driver, "test")
    assert "There is no history yet" in text(driver, "search")
    script(driver, "document.getElementById('pick-100').click()")
    assert "cannot be read" in text(driver, "tree")
    show(driver, pages["empty"].as_uri())
    assert "none met the constraints" in text(driver, "front")
    show(driver, pages["regression"].as_uri())
    assert "Residual" in text(driver, "test")
    check_quiet(driver, "file://")


def test_a_served_page_follows_the_run_and_keeps_the_choice(driver: Chrome, tmp_path: Path) -> None:
    run = write_run(tmp_path / "going", final=False)
    with listen(tmp_path, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            follow(driver, run, f"http://127.0.0.1:{server.server_port}/")
        finally:
            server.shutdown()
            thread.join()


def follow(driver: Chrome, run: Path, address: str) -> None:
    wait = WebDriverWait(driver, 15, poll_frequency=0.1)
    show(driver, address, width=PHONE)
    assert script(driver, "document.documentElement.scrollWidth") <= PHONE
    driver.find_element(By.LINK_TEXT, "going").click()
    wait.until(lambda d: "generation 2" in text(d, "facts"))
    script(driver, "document.getElementById('pick-102').click()")
    script(driver, "document.getElementById('pick-102').focus()")
    write_members(run, 7, ("x0", "x1"), ("no", "yes"), costs=False, final=False)
    write_history(run, 6)
    wait.until(lambda d: "generation 5" in text(d, "facts"))
    assert len(driver.find_elements(By.CSS_SELECTOR, "#list input")) == 7
    assert text(driver, "member-title").startswith("Member 002")
    assert script(driver, "document.activeElement.id") == "pick-102"
    assert len(script(driver, "document.getElementById('volume-plot').data[0].x")) == 6
    assert not driver.find_elements(By.ID, "tree-picture")
    manifest = json.loads((run / "manifest.json").read_text()) | {"status": "complete"}
    (run / "manifest.json").write_text(json.dumps(manifest))
    write_members(run, 7, ("x0", "x1"), ("no", "yes"), costs=False, final=True)
    wait.until(lambda d: d.find_elements(By.ID, "tree-picture"))
    assert text(driver, "member-title").startswith("Member 002")
    check_quiet(driver, address)
