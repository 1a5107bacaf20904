"""Bought sensors: their model, as their Basic cluster gives it, and the class that behaves like them.

Owns the list. Loaded only when a home has one of them.
"""

from hal_sim.zigbee.makers import button, contact, lumi, motion, smoke

_ALL = (
    smoke.Heiman, smoke.Frient, smoke.Bosch, smoke.Tuya, smoke.Schneider, lumi.MijiaSmoke, lumi.AqaraSmoke,
    motion.Hue, motion.Vallhorn, motion.Tradfri, motion.Sonoff, motion.Wiser, motion.Nyce, motion.Linkind,
    motion.Orvibo, lumi.Motion,
    contact.Parasoll, contact.ThirdReality, contact.TuyaContact, contact.Visonic, contact.HueContact, lumi.Magnet,
    button.HeimanSos, button.TuyaSos, button.FrientButton, button.Feibit,
)  # fmt: skip
MODELS = {one.model: one for one in _ALL}
