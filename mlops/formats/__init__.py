"""File formats: what a stored file says of itself, read in pieces and never trusted. Knows no Django."""
