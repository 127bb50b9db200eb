"""What the sample accounts hold, a module per AWS service.

Each module has two functions, neglected(account) and well_kept(account), and may have bulk(account, region, number), which makes one
small resource for benchmarks: the number counts from 0 within the service. Modules are found by listing this package: a new service is a
new file and nothing else.
"""

import importlib
import pkgutil
from types import ModuleType


def modules() -> list[ModuleType]:
    """All service modules, in the order of their names."""
    return [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
