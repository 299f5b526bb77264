"""Commands about recordings and models that are fed samples."""
