"""Coefficients of the cost model, fitted to compiled and emulated trees."""
