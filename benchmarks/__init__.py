"""Speed, memory and time error of the soil solver, as ratios beside their targets."""
