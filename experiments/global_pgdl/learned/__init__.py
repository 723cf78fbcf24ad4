"""Steps 4 to 7: the physics and the networks, how they train, and how they run freely."""
