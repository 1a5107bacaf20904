"""Run before main.py at every start: nothing. Replaces whatever boot.py a board came with (WebREPL, Wi-Fi)."""
