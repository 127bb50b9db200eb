"""ECS's tags."""

import functools

from moto.ecs.models import Cluster


def give_clusters_a_list_of_tags() -> None:
    """moto's cluster without tags has None in their place, on which its tag:GetResources fails for the whole region."""
    make = Cluster.__init__

    @functools.wraps(make)
    def init(cluster: Cluster, *args, **kwargs) -> None:
        make(cluster, *args, **kwargs)
        cluster.tags = cluster.tags or []

    Cluster.__init__ = init
