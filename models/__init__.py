"""Trained classifiers, floor 2: how they are made, measured, stored and loaded."""
