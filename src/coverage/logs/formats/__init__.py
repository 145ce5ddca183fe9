"""The formats that can be read, one small profile each; a new one is a file here, a line below and a sample."""

from coverage.logs.formats import (
    analysers,
    canonical,
    cellmapper,
    cradlepoint,
    fcc,
    geosubmit,
    gmon,
    gnettrack_csv,
    gnettrack_text,
    nemo,
    neostumbler,
    networksurvey,
    rtr,
    speedtest,
    tems_text,
    towercollector,
    wigle,
    xirio,
)
from coverage.logs.formats.profile import Format

# Asked in this order: apps with names of their own before the format that takes any common name.
FORMATS: tuple[Format, ...] = (
    gnettrack_text.FORMAT,
    gnettrack_csv.FORMAT,
    towercollector.EXPORT,
    cellmapper.FORMAT,
    networksurvey.LTE,
    networksurvey.NR,
    networksurvey.UMTS,
    networksurvey.GSM,
    networksurvey.PHONE_STATE,
    gmon.FORMAT,
    neostumbler.FORMAT,
    rtr.FORMAT,
    wigle.FORMAT,
    cradlepoint.FORMAT,
    analysers.TEMS_DISCOVERY,
    analysers.XCAL,
    analysers.E6474A,
    geosubmit.FORMAT,
    fcc.FORMAT,
    nemo.FORMAT,
    tems_text.FORMAT,
    towercollector.UPLOAD,
    speedtest.FORMAT,
    xirio.FORMAT,
    canonical.FORMAT,
)

__all__ = ["FORMATS", "Format"]
