"""Bought sensors: their model, as their Basic cluster gives it, and the class that behaves like them.

Owns the list. Loaded only when a home has one of them.
"""

from hal_sim.zigbee.makers import button, contact, lumi, lumi_smoke, motion, motion_zone, smoke

_ALL = (
    smoke.Heiman, smoke.Frient, smoke.Bosch, smoke.Tuya, smoke.Schneider, lumi_smoke.MijiaSmoke, lumi_smoke.AqaraSmoke,
    motion.Hue, motion.Vallhorn, motion.Tradfri, motion_zone.Sonoff, motion_zone.Wiser, motion_zone.Nyce,
    motion_zone.Linkind, motion_zone.Orvibo, lumi.Motion,
    contact.Parasoll, contact.ThirdReality, contact.TuyaContact, contact.Visonic, contact.HueContact, lumi.Magnet,
    button.HeimanSos, button.TuyaSos, button.FrientButton, button.Feibit,
)  # fmt: skip
MODELS = {one.model: one for one in _ALL}
