"""Dates without the port's epoch (2000 on the board, 1970 elsewhere): seconds since 1970, UTC."""

KST_S = 9 * 3600  # Korea has one zone and no summer time


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a Gregorian date."""
    before = year - (1 if month <= 2 else 0)
    era = before // 400
    year_of_era = before - era * 400
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468


def civil_from_days(days: int) -> tuple:
    """(year, month, day) of a number of days since 1970-01-01."""
    days += 719468
    era = days // 146097
    day_of_era = days - era * 146097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    return year_of_era + era * 400 + (1 if month <= 2 else 0), month, day


def seconds_of(date: tuple) -> int:
    """Seconds since 1970 of (year, month, day, hour, minute, second)."""
    return days_from_civil(date[0], date[1], date[2]) * 86400 + date[3] * 3600 + date[4] * 60 + date[5]


def clock_text(epoch_s: int) -> str:
    """HH:MM in Korea, for the screen."""
    minutes = (epoch_s + KST_S) // 60
    return "%02d:%02d" % (minutes // 60 % 24, minutes % 60)
