"""What CPython lacks of MicroPython's `micropython` module, so that pure modules import on the host."""


def const(value):
    return value


def native(function):
    return function


viper = native
