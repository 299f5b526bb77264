"""Radio links between a sensor node and its gateway: orders of magnitude, not measurements of a device.

T = latency + bytes / rate, E = bytes x energy of a byte. Rates: LoRaWAN regional parameters, EU868, DR5 and DR0
(5,470 and 250 bit/s); the 250 kbit/s of IEEE 802.15.4 at 2.4 GHz; BLE at the 1 Mbit/s PHY, a third of which is taken as
payload. Energies of a byte are those of a transmitter of 20 mW (BLE, 802.15.4) or 130 mW (LoRa) over the time of a
byte at that rate; waking up, receiving and headers cost more.
"""

from __future__ import annotations

from typing import NamedTuple

ROUGH = "order of magnitude, not measured"


class Link(NamedTuple):
    """``latency_s``: before the first byte arrives."""

    name: str
    latency_s: float
    bytes_per_s: float
    j_per_byte: float
    certainty: str = ROUGH

    def duration_s(self, size_bytes: int) -> float:
        """Seconds until a message has arrived."""
        return self.latency_s + size_bytes / self.bytes_per_s

    def energy_j(self, size_bytes: int) -> float:
        """The sender's joules for a message."""
        return size_bytes * self.j_per_byte


def _row(name: str, latency_s: float, bytes_per_s: float, transmitter_w: float) -> Link:
    return Link(name, latency_s, bytes_per_s, transmitter_w / bytes_per_s)


LINKS = (
    _row("BLE, 1 Mbit/s", 7.5e-3, 42_000, 0.020),
    _row("IEEE 802.15.4", 5e-3, 31_250, 0.020),
    _row("LoRa, SF7", 0.03, 684, 0.130),
    _row("LoRa, SF12", 1.0, 31, 0.130),
)
