"""What happens to a front at the end of a search: refit, measurement, baselines, verdict."""
