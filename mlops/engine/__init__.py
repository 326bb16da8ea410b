"""Carries out one step of an execution as a guarded process tree; knows neither Django nor the database."""
