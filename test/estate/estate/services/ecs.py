"""ECS: a privileged container with a password in its environment, and a modest one."""

from estate.account import Account


def neglected(account: Account) -> None:
    ecs = account.client("ecs")
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(
        family="shop",
        networkMode="host",
        pidMode="host",
        containerDefinitions=[
            {
                "name": "web",
                "image": "shop/web:latest",
                "memory": 512,
                "privileged": True,
                "environment": [{"name": "DB_PASSWORD", "value": "correct-horse-battery"}],
            }
        ],
    )


def well_kept(account: Account) -> None:
    ecs = account.client("ecs")
    ecs.create_cluster(clusterName="ledger", settings=[{"name": "containerInsights", "value": "enabled"}])
    ecs.register_task_definition(
        family="ledger",
        networkMode="awsvpc",
        containerDefinitions=[
            {
                "name": "api",
                "image": "ledger/api:7",
                "memory": 512,
                "user": "1000",
                "readonlyRootFilesystem": True,
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "ledger"}},
            }
        ],
    )


def bulk(account: Account, region: str, number: int) -> None:
    ecs = account.client("ecs", region)
    if number % 2:
        ecs.create_cluster(clusterName=f"bulk-{number}")
        return
    container = {"name": "job", "image": "job:1", "memory": 128, "readonlyRootFilesystem": number % 4 == 0}
    ecs.register_task_definition(family=f"bulk-{number}", networkMode="awsvpc", containerDefinitions=[container])
