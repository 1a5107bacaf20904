"""The far end of the gateway's link: an MQTT broker and the relay behind it, sans-I/O, in the simulator's time."""
