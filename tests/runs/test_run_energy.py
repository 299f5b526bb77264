"""The energy of a run: only what the config states is used, each assumption is named, and CPU seconds add up."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from search.config.config import config_hash, load_config
from search.config.settings import EnergyConfig
from search.errors import InputError
from search.folder.run_energy import cpu_seconds, energy_facts, energy_words
from search.report.facts.read import read_run
from search.report.facts.run_facts import run_page
from search.run import main
from search.runs.progress import Phases

CONFIG = """
[data]
source = "iris"
[space]
max_nodes = 12
[search]
population = 6
generations = 2
folds = 2
[train]
epochs = 2
[baselines]
models = []
"""
STATED = """
[energy]
watts_per_core = 10.0
watts_source = "data sheet, 35 W for 4 cores"
grams_co2_per_kwh = 250.0
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "a.toml"
    path.write_text(CONFIG)
    return path


def test_golden_energy() -> None:
    """Ten watts for 360 seconds are 3,600 J, a thousandth of a kWh."""
    energy = EnergyConfig(watts_per_core=10, watts_source="meter", grams_co2_per_kwh=250)
    facts = energy_facts(energy, 360)
    assert facts["energy_kwh_estimated"] == pytest.approx(0.001)
    assert facts["co2_g_estimated"] == pytest.approx(0.25)
    assert facts["energy_assumptions"] == [
        {"name": "watts_per_core", "value": 10, "source": "meter"},
        {"name": "grams_co2_per_kwh", "value": 250, "source": "stated in the config"},
    ]
    assert energy_words(facts) == (
        "energy, estimated: 0.001 kWh by 360 CPU seconds at 10 W per core; 0.25 g of CO2 at 250 g/kWh"
    )


def test_nothing_is_assumed() -> None:
    assert energy_facts(EnergyConfig(), 360) == {"cpu_seconds": 360}
    assert energy_words(energy_facts(EnergyConfig(), 360)) == ""
    facts = energy_facts(EnergyConfig(watts_per_core=5), 720)
    assert "co2_g_estimated" not in facts
    assert energy_words(facts) == "energy, estimated: 0.001 kWh by 720 CPU seconds at 5 W per core"


def test_cpu_seconds_are_of_work_and_not_of_waiting() -> None:
    phases = Phases()
    time.sleep(0.3)
    assert phases.cpu_s < 0.2
    begun = time.process_time()
    while time.process_time() - begun < 0.3:
        pass
    assert 0.25 < phases.cpu_s < 1
    assert cpu_seconds() >= phases.cpu_s
    phases.go_on(100)
    assert 100.25 < phases.cpu_s < 101


WRONG = [
    ("energy.grams_co2_per_kwh=250", "energy.grams_co2_per_kwh needs the power"),
    ("energy.watts_source=meter", "energy.watts_source needs energy.watts_per_core"),
    ("energy.co2_source=meter", "energy.co2_source needs energy.grams_co2_per_kwh"),
    ("energy.watts_per_core=-1", "energy.watts_per_core"),
]


@pytest.mark.parametrize(("override", "message"), WRONG)
def test_half_an_assumption_is_refused(config: Path, override: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_config(config, [override])


def test_a_run_without_assumptions_has_the_hash_of_older_ones(config: Path) -> None:
    plain = load_config(config)
    assert config_hash(load_config(config, ["energy.watts_per_core=0"])) == config_hash(plain)
    assert config_hash(load_config(config, ["energy.watts_per_core=1"])) != config_hash(plain)


def test_a_run_writes_what_is_stated_and_says_it_in_a_line(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = tmp_path / "plain"
    assert main([str(config), "--out", str(plain)]) == 0
    assert "energy" not in capsys.readouterr().err
    facts = json.loads((plain / "manifest.json").read_text())
    assert facts["cpu_seconds"] > 0
    assert not any(name.startswith(("energy", "co2")) for name in facts)

    config.write_text(CONFIG + STATED)
    run = tmp_path / "run"
    assert main([str(config), "--out", str(run)]) == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "energy" in line]
    facts = json.loads((run / "manifest.json").read_text())
    assert line == energy_words(facts)
    assert facts["energy_kwh_estimated"] == facts["cpu_seconds"] * 10 / 3.6e6
    assert facts["co2_g_estimated"] == facts["energy_kwh_estimated"] * 250
    assert facts["energy_assumptions"][0]["source"] == "data sheet, 35 W for 4 cores"
    assert run_page(read_run(run))["manifest"]["energy"] == line

    assert main([str(run), "--resume", "--generations", "3"]) == 0
    later = json.loads((run / "manifest.json").read_text())
    assert later["cpu_seconds"] > facts["cpu_seconds"]


def test_the_time_of_a_killed_process_counts_up_to_its_last_checkpoint(config: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert main([str(config), "--out", str(run)]) == 0
    # As if a process had been killed after 1,000 CPU seconds: its checkpoint knows them, the manifest does not.
    (last,) = sorted((run / "checkpoint").glob("state-*.json"))[-1:]
    last.write_text(json.dumps(json.loads(last.read_text()) | {"cpu_seconds": 1000.0}))
    assert main([str(run), "--resume", "--generations", "3"]) == 0
    assert 1000 < json.loads((run / "manifest.json").read_text())["cpu_seconds"] < 1100
