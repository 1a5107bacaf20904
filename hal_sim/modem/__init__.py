"""The simulated EG25-G: power, AT interpreter, calls, files, messages. Knows nothing of the firmware."""
