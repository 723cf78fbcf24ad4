"""Regions: places that are alike, clustered by k-means and judged by what is measured in them."""

from diffhydro.data.regions.best import Bounds
from diffhydro.data.regions.features import Features, features_of
from diffhydro.data.regions.kmeans import Lloyd, MiniBatch, Search
from diffhydro.data.regions.koppen import climate_shares, main_classes
from diffhydro.data.regions.picture import plot_regions
from diffhydro.data.regions.regions import Regions, cluster
from diffhydro.data.regions.silhouette import mean_silhouettes, silhouettes
from diffhydro.data.regions.smallest import Fewest, fewest_sites
from diffhydro.data.regions.statistics import Judgement, judge_regions
from diffhydro.data.regions.thinning import representatives, thin
from diffhydro.data.regions.votes import Choose, Scan, highest_within, most_voted

__all__ = [
    "Features",
    "features_of",
    "Regions",
    "cluster",
    "Bounds",
    "Choose",
    "most_voted",
    "highest_within",
    "Scan",
    "Search",
    "MiniBatch",
    "Lloyd",
    "silhouettes",
    "mean_silhouettes",
    "Fewest",
    "fewest_sites",
    "thin",
    "representatives",
    "Judgement",
    "judge_regions",
    "main_classes",
    "climate_shares",
    "plot_regions",
]
