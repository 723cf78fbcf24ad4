"""Maps from many files: opened lazily and safely, put side by side in time, turned north up."""
