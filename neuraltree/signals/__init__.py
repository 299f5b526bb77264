"""From recordings of sensors to streaming firmware: windows, features, and models that are fed samples."""
