"""What XLA makes of an experiment's programs for devices that are not here."""
