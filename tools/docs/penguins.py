"""examples/penguins.csv: a made-up table of penguins with categories and missing cells.

The rows are drawn from the means, spreads and counts of three species by sex that were published with the measurements
of K. Gorman and others on Palmer Station (PLoS ONE 9(3): e90081, 2014). No row is a measured bird.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[2] / "examples" / "penguins.csv"
COLUMNS = ("island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year", "species")
# By species: rows by island, and for females and males the means of the four measures; their spreads within a sex.
SPECIES = {
    "Adelie": (
        {"Biscoe": 44, "Dream": 56, "Torgersen": 52},
        ((37.3, 17.6, 188, 3369), (40.4, 19.1, 192, 4043)),
        (2.2, 1.0, 6.0, 310),
    ),
    "Chinstrap": ({"Dream": 68}, ((46.6, 17.6, 192, 3527), (51.1, 19.3, 200, 3939)), (2.3, 0.8, 5.8, 320)),
    "Gentoo": ({"Biscoe": 124}, ((45.6, 14.2, 213, 4680), (49.5, 15.7, 222, 5485)), (2.3, 0.6, 4.8, 300)),
}
WITHOUT_SEX, WITHOUT_MEASURES = 9, 2  # rows
CORRELATION = 0.4  # of the measures of a bird: some are large


def rows() -> list[list[str]]:
    rng = np.random.default_rng(2014)
    made = []
    for species, (islands, means, spreads) in SPECIES.items():
        for island in (name for name, count in islands.items() for _ in range(count)):
            sex = int(rng.integers(2))
            size = rng.normal()
            own = CORRELATION**0.5 * size + (1 - CORRELATION) ** 0.5 * rng.normal(size=4)
            length, depth, flipper, mass = np.array(means[sex]) + own * spreads
            measures = [f"{length:.1f}", f"{depth:.1f}", f"{flipper:.0f}", f"{25 * round(mass / 25):.0f}"]
            year = str(rng.integers(2007, 2010))
            made.append([island, *measures, ("female", "male")[sex], year, species])
    rng.shuffle(made)
    for row in made[:WITHOUT_SEX]:
        row[5] = ""
    for row in made[WITHOUT_SEX - 1 : WITHOUT_SEX - 1 + WITHOUT_MEASURES]:
        row[1:5] = [""] * 4
    rng.shuffle(made)
    return made


def text() -> str:
    return "\n".join(",".join(row) for row in [list(COLUMNS), *rows()]) + "\n"
