"""The relay, which hears the broker's answer to its subscription a second late."""

import os
import sys
import threading

sys.path[:0] = [os.getcwd()]

from tools.relay.__main__ import main  # noqa: E402
from tools.relay.link import Link  # noqa: E402

real_on_subscribe = Link._on_subscribe
Link._on_subscribe = lambda *said: threading.Timer(1.0, real_on_subscribe, said).start()
sys.exit(main())
