"""A lab's certificates: its own CA, servers, relays and gateways, and who was revoked.

`python -m tools.certs DIR ...` on a command line (tools/certs/__main__.py); `lab(...)` and `Authority` for tests and
the simulator. For a lab: the CA's key lies unencrypted in the folder. Must never be where a product's certificates
come from.
"""

from tools.certs.authority import Authority, CertsError, Validity
from tools.certs.lab import LAB, Lab, lab

__all__ = ["LAB", "Authority", "CertsError", "Lab", "Validity", "lab"]
