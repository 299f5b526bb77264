"""How much of their scores trees keep if inputs, weights or edges change."""
