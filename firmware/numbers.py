"""Numbers of the manufactured unit. Compiled in: no setting, file or remote command changes them (EMG-04).

Must never import anything that can be written in the field.
"""

EMERGENCY_NUMBER = "119"  # fire and ambulance, Republic of Korea
EMERGENCY_NUMBERS = (EMERGENCY_NUMBER, "112")  # numbers the modem is told to treat as emergency calls
