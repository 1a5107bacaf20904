"""The simulated Zigbee coprocessor with the home's sensors behind it."""
