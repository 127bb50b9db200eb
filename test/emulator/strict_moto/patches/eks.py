"""EKS's deletion protection, which moto predates."""

import functools

from moto.eks.models import Cluster
from moto.eks.responses import EKSResponse


def protect_clusters_from_deletion() -> None:
    """AWS tells of each cluster whether it is protected, which it is only if somebody said so.

    https://docs.aws.amazon.com/eks/latest/userguide/deletion-protection.html
    """
    make, create = Cluster.__init__, EKSResponse.create_cluster

    @functools.wraps(make)
    def init(cluster: Cluster, *args, **kwargs) -> None:
        make(cluster, *args, **kwargs)
        cluster.deletion_protection = False

    @functools.wraps(create)
    def create_cluster(response: EKSResponse):
        result = create(response)
        cluster = response.eks_backend.describe_cluster(name=response._get_param("name"))
        cluster.deletion_protection = bool(response._get_param("deletionProtection"))
        return result

    Cluster.__init__ = init
    EKSResponse.create_cluster = create_cluster
