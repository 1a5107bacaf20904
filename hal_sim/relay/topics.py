"""Topics of MQTT and the filters that ask for them (MQTT 3.1.1, chapter 4.7)."""


def is_topic(text: str) -> bool:
    return text != "" and "+" not in text and "#" not in text


def is_filter(text: str) -> bool:
    levels = text.split("/")
    for index, level in enumerate(levels):
        if ("#" in level or "+" in level) and len(level) > 1 or level == "#" and index < len(levels) - 1:
            return False
    return text != ""


def matches(pattern: str, topic: str) -> bool:
    """The topic is one that the filter asks for."""
    wanted, levels = pattern.split("/"), topic.split("/")
    if topic[0] == "$" and wanted[0] in ("+", "#"):
        return False
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(levels) or level not in ("+", levels[index]):
            return False
    return len(wanted) == len(levels)
