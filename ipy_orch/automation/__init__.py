"""When to do it: ticks of schedules and sensors, and the daemon that lets them tick."""
