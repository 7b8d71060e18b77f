"""Draws a picture."""
