"""What can happen to an emergency, as small integers: no allocation on the way from a trigger.

Sensors and buttons put 1 to 5, the care system CARE_CANCEL; the phone's own 16 to 20 are in `firmware.phone.events`.
"""

from micropython import const

FIRE = const(1)  # arg: sensor index; the alarm level of a smoke detector is on
FIRE_CLEAR = const(2)  # arg: sensor index; the level is off
CALL = const(3)  # arg: sensor index; a pendant's call button
BUTTON = const(4)  # the gateway's 119 button
CANCEL = const(5)  # arg: 0 the gateway's cancel button, else 1 + sensor index
REAL = const(6)  # in test mode: one touch or the 119 button held says it is real
SILENCE = const(7)  # the sound of the beacon is not wanted any more
TICK = const(8)  # time passed
TEST_LEFT = const(9)  # test mode ended
CARE_CANCEL = const(10)  # arg: sensor index; the care system takes this sensor's alarm back (EMG-14)
