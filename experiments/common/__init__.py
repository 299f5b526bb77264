"""What several experiments share: data, hold-outs, models and statistics."""
