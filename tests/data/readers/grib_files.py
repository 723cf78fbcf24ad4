"""GRIB-1 messages with the numbers that the centres use, made by ecCodes."""

import numpy as np


def message(
    numbers, centre, table, parameter, level_kind=1, level=(0, 0), date="2010-07-01T00", hours=0,
    first=(25.063, -124.938), spacing=0.125, northward=True, subcentre=0,
):  # fmt: skip
    """Encode a field.

    Args:
        numbers: Rows and columns in the order of the file; NaN where nothing is.
        level: A height in m twice, or the top and the bottom of a layer in cm.
        hours: Of a sum that begins at `date`; 0 for an instant.
    """
    import eccodes

    rows, columns = numbers.shape
    handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib1")
    when = np.datetime64(date, "h")
    sign = 1.0 if northward else -1.0
    keys = {
        "centre": centre,
        "subCentre": subcentre,
        "table2Version": table,
        "indicatorOfParameter": parameter,
        "indicatorOfTypeOfLevel": level_kind,
        **({"topLevel": level[0], "bottomLevel": level[1]} if level_kind == 112
           else {"level": level[0]}),
        "dataDate": int(str(when)[:10].replace("-", "")),
        "dataTime": int(str(when)[11:13]) * 100,
        "timeRangeIndicator": 4 if hours else 0,
        "P1": 0,
        "P2": hours,
        "Ni": columns,
        "Nj": rows,
        "latitudeOfFirstGridPointInDegrees": first[0],
        "longitudeOfFirstGridPointInDegrees": first[1],
        "latitudeOfLastGridPointInDegrees": first[0] + sign * spacing * (rows - 1),
        "longitudeOfLastGridPointInDegrees": first[1] + spacing * (columns - 1),
        "iDirectionIncrementInDegrees": spacing,
        "jDirectionIncrementInDegrees": spacing,
        "jScansPositively": int(northward),
        "bitmapPresent": 1,
        "missingValue": 9999.0,
        "bitsPerValue": 24,
    }  # fmt: skip
    for key, value in keys.items():
        eccodes.codes_set(handle, key, value)
    eccodes.codes_set_values(handle, np.where(np.isnan(numbers), 9999.0, numbers).ravel())
    return eccodes.codes_get_message(handle)
