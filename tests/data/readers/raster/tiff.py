"""GeoTIFFs for tests."""

import warnings

import numpy as np


def write(path, cells, *, left=-97.0, top=38.0, size=0.1, crs="EPSG:4326", **options):
    """Write `[y, x]` or `[band, y, x]`, north up; what is not given is as GDAL has it."""
    import rasterio
    from affine import Affine

    cells = np.asarray(cells)
    bands = cells[None] if cells.ndim == 2 else cells
    count, rows, columns = bands.shape
    place = {} if crs is None else {"crs": crs, "transform": Affine(size, 0, left, 0, -size, top)}
    extra = {k: options.pop(k) for k in ("labels", "unit", "scale", "offset") if k in options}
    options = {"driver": "GTiff", "dtype": bands.dtype, **place, **options}
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a file says nowhere where it lies
        with rasterio.open(path, "w", width=columns, height=rows, count=count, **options) as made:
            made.write(bands)
            if "labels" in extra:
                made.descriptions = extra["labels"]
            if "unit" in extra:
                made.units = [extra["unit"]] * count
            made.scales = [extra.get("scale", 1.0)] * count
            made.offsets = [extra.get("offset", 0.0)] * count
    return path
