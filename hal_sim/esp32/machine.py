import board_end
def power_up(): pass
def reset():
    board_end.end("reset")
class WDT:
    def __init__(self, id=0, timeout=5000): pass
    def feed(self): pass
