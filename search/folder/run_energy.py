"""The processor time of a run, and its energy and CO2 by what the config states; nothing is assumed, nothing looked up.

E = CPU seconds x W per core / 3.6e6 kWh. This leaves out memory, idle cores, and the losses of the power supply.
"""

from __future__ import annotations

import resource
from collections.abc import Mapping
from typing import Any

from search.config.settings import EnergyConfig

JOULES_PER_KWH = 3.6e6
STATED = "stated in the config"  # the source of an assumption that names no other
CPU_SECONDS, ENERGY_KWH, CO2_G, ASSUMED = "cpu_seconds", "energy_kwh_estimated", "co2_g_estimated", "energy_assumptions"


def cpu_seconds() -> float:
    """Of all threads of this process and of the child processes that have ended, in user and in system mode."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def energy_facts(energy: EnergyConfig, cpu_s: float) -> dict[str, Any]:
    """The entries of the manifest: the CPU seconds, and what follows from them by the assumptions that are stated."""
    facts: dict[str, Any] = {CPU_SECONDS: cpu_s}
    if not energy.watts_per_core:
        return facts
    kwh = cpu_s * energy.watts_per_core / JOULES_PER_KWH
    rows = [("watts_per_core", energy.watts_per_core, energy.watts_source)]
    facts[ENERGY_KWH] = kwh
    if energy.grams_co2_per_kwh:
        facts[CO2_G] = kwh * energy.grams_co2_per_kwh
        rows.append(("grams_co2_per_kwh", energy.grams_co2_per_kwh, energy.co2_source))
    facts[ASSUMED] = [{"name": name, "value": value, "source": source or STATED} for name, value, source in rows]
    return facts


def energy_words(manifest: Mapping[str, Any]) -> str:
    """The energy of a run in a line; "" if its config states no power."""
    if ENERGY_KWH not in manifest:
        return ""
    value = {row["name"]: row["value"] for row in manifest[ASSUMED]}
    words = f"energy, estimated: {manifest[ENERGY_KWH]:.3g} kWh by {manifest[CPU_SECONDS]:,.0f} CPU seconds at "
    words += f"{value['watts_per_core']:g} W per core"
    if CO2_G in manifest:
        words += f"; {manifest[CO2_G]:.3g} g of CO2 at {value['grams_co2_per_kwh']:g} g/kWh"
    return words
