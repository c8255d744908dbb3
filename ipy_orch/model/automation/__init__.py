"""When something is to run: schedules, sensors, and what they ask for."""
