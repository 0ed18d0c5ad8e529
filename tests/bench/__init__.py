"""What sending costs and how fast it is, measured on the machine this runs on."""
