"""Pedotransfer: soil parameters from texture. Percentages and published units end here."""

from diffhydro.soil.pedotransfer.class_means import (
    CLAPP_HORNBERGER_1978,
    COSBY_1984,
    clapp_hornberger_1978,
    cosby_1984,
)
from diffhydro.soil.pedotransfer.cosby import cosby, cosby_two_variable
from diffhydro.soil.pedotransfer.reference_contents import ReferenceContents, reference_contents
from diffhydro.soil.pedotransfer.rosetta import rosetta, rosetta_about
from diffhydro.soil.pedotransfer.texture import CENTROIDS, Texture, centroid, texture_class

__all__ = [
    "CENTROIDS",
    "CLAPP_HORNBERGER_1978",
    "COSBY_1984",
    "ReferenceContents",
    "Texture",
    "centroid",
    "clapp_hornberger_1978",
    "cosby",
    "cosby_1984",
    "cosby_two_variable",
    "reference_contents",
    "rosetta",
    "rosetta_about",
    "texture_class",
]
