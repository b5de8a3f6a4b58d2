"""Samplers that are fitted to the codes of a trained model, and draw codes in its prior's place."""
