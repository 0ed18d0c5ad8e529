"""The upper floor: what we rehearse, and what the law asks."""
