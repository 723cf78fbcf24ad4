"""Study A at real stations: what a start window and a physics tell of a place never seen."""
