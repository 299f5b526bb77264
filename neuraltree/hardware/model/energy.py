"""Energy of single operations and memory reads in a 45 nm process (Horowitz, ISSCC 2014; Han et al. 2015).

The 32-bit operations and the 5 pJ read are confirmed by PMC8934428, table 3; the 8- and 16-bit ones by a public
database that cites ISSCC 2014; register, DRAM and fp16 multiply are from memory.
"""

PICOJOULE = {
    "int8 add": 0.03,
    "int16 add": 0.05,
    "int32 add": 0.1,
    "int8 multiply": 0.2,
    "int32 multiply": 3.1,
    "fp16 add": 0.4,
    "fp16 multiply": 1.1,
    "fp32 add": 0.9,
    "fp32 multiply": 3.7,
    "32-bit register": 1.0,
    "32-bit SRAM": 5.0,  # an SRAM of 8 KB
    "32-bit DRAM": 640.0,
}


def macs_j(macs: float, precision: str = "fp32") -> float:
    """Energy of multiply-accumulates whose sum has the precision of the products; int8 products add up in 32 bits."""
    add = "int32 add" if precision == "int8" else f"{precision} add"
    return macs * (PICOJOULE[f"{precision} multiply"] + PICOJOULE[add]) * 1e-12


def read_j(count_bytes: float, memory: str = "DRAM") -> float:
    """Energy of reading bytes once from ``memory``: "register", "SRAM" or "DRAM"."""
    return count_bytes / 4 * PICOJOULE[f"32-bit {memory}"] * 1e-12
