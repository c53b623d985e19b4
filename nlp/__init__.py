"""Vietnamese document intelligence, floor 1: pure text work without web, database or torch."""
