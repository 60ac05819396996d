"""What every source's events go through: days that can be, one unit a measurement, names and findings in words."""
