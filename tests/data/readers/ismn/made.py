"""Files of the network, written byte for byte as archives have them."""

import zipfile
from pathlib import Path

PLACE = "48.10000    16.20000  150.00"
HEAD = f"NET        NET             A-1               {PLACE}    0.05    0.05 Probe"
NAME = "NET_NET_A-1_sm_0.050000_0.050000_Probe_20200101_20201231.stm"
PERIOD = "20200101_20201231"
STATIC = (
    "quantity_name;unit;depth_from[m];depth_to[m];value;description;quantity_source_name;"
    "quantity_source_description;quantity_source_resolution;\r\n"
    'saturation;m^3*m^-3;0.00;0.30;0.46;;HWSD;World Soil;30";\r\n'
    'clay fraction;% weight;0.00;0.30;23.00;;HWSD;World Soil;30";\r\n'
    'sand fraction;% weight;0.00;0.30;36.00;;HWSD;World Soil;30";\r\n'
    'silt fraction;% weight;0.00;0.30;41.00;;HWSD;World Soil;30";\r\n'
    'organic carbon;% weight;0.00;0.30;1.27;;HWSD;World Soil;30";\r\n'
    'sand fraction;% weight;0.30;1.00;29.00;;HWSD;World Soil;30";\r\n'
    "organic carbon;% weight;-99.90;-99.90;0.59;;insitu;in situ;;\r\n"
    "land cover classification;;;;130;Grassland;CCI_landcover_2010;ESA;300m;\r\n"
    "land cover classification;;;;10;Cropland;CCI_landcover_2000;ESA;300m;\r\n"
    "land cover classification;;;;meadow;;insitu;in situ;;\r\n"
    "climate classification;;;;Dfb;Cold;koeppen_geiger_2007;Koeppen;0.1\u00b0;\r\n"
)


def stamps(hours, start="2020-01-01T00:00", step=60):
    import numpy as np

    times = np.datetime64(start, "m") + np.arange(hours) * np.timedelta64(step, "m")
    return [str(time).replace("-", "/").replace("T", " ") for time in times]


def records(values, flags="G", provider="M", start="2020-01-01T00:00", step=60):
    flags = [flags] * len(values) if isinstance(flags, str) else flags
    lines = zip(stamps(len(values), start, step), values, flags, strict=True)
    return [f"{stamp} {value:8.4f} {flag} {provider}" for stamp, value, flag in lines]


def ceop(values, flags="G", depth="0.05    0.05", station="A-1"):
    flags = [flags] * len(values) if isinstance(flags, str) else flags
    place = f"NET        NET             {station}               {PLACE}"
    lines = zip(stamps(len(values)), values, flags, strict=True)
    return [f"{t} {t} {place}    {depth} {v:8.4f} {flag} M" for t, v, flag in lines]


def station(hours, depths=(0.1, 1.0)):
    """The oldest layout: temperature 10 d + h, moisture 0.1 + 0.1 d, the third hour missing."""
    lines = []
    for hour, stamp in enumerate(stamps(hours)):
        for depth in depths:
            warmth, moisture, flag = 10.0 * depth + hour, 0.1 + 0.1 * depth, "G"
            if hour == 2:
                warmth, moisture, flag = -999.99, -999.99, "M"
            lines.append(
                f"{stamp} {stamp} NET        NET             A-1               {PLACE}  "
                f"-{depth:7.2f} {warmth:8.2f} {flag} {moisture:8.4f} {flag}"
            )
    return lines


def write(folder, lines, name=NAME, end="\r\n", head=HEAD, place="NET/A-1"):
    target = folder / place / name
    target.parent.mkdir(parents=True, exist_ok=True)
    lines = [head, *lines] if head else lines
    target.write_bytes((end.join(lines) + end).encode())
    return target


def named(variable, top=0.05, bottom=None, sensor="Probe", station="A-1", network="NET"):
    bottom = top if bottom is None else bottom
    depths = f"{top:.6f}_{bottom:.6f}"
    return f"{network}_{network}_{station}_{variable}_{depths}_{sensor}_{PERIOD}.stm"


def packed(folder: Path, target: Path, below="") -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, below + path.relative_to(folder).as_posix())
    return target
