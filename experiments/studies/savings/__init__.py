"""Operations saved by not updating neurons at equilibrium, with and without a learned learning rate."""
