"""The simulated home in a browser: `python -m tools.home`.

Serves one page on 127.0.0.1 and runs one MicroPython process behind it. Must never reach further than this computer.
"""
