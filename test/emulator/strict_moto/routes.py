"""Finds the operation of a REST request from its method, path and query, by botocore's service models."""

import functools
import re
from dataclasses import dataclass
from urllib.parse import parse_qs

import botocore.exceptions
import botocore.session

# Same method and path as PutObject and UploadPart, and for access control the same thing.
TOLD_APART_BY_HEADER = {"CopyObject", "UploadPartCopy"}


@dataclass(frozen=True)
class Route:
    operation: str
    path: re.Pattern
    query: dict[str, str]  # what must be in the query string; an empty value accepts any
    literals: int  # characters that are not placeholders

    @property
    def specificity(self) -> tuple[int, int]:
        """S3 tells half of its operations apart by a query parameter alone, so that counts first."""
        return len(self.query), self.literals

    def matches(self, path: str, query: dict[str, list[str]]) -> bool:
        return self.path.fullmatch(path) is not None and all(
            key in query and value in ("", *query[key]) for key, value in self.query.items()
        )


def find(services: list[str], method: str, path: str, query: dict[str, list[str]]) -> tuple[str, str]:
    """The service, of those that share a signing name, and its operation; the first service and "" if none fits."""
    path = path.rstrip("/") or "/"
    fitting = [(route, service) for service in services if (route := _first_match(service, method, path, query))]
    if not fitting:
        return services[0], ""
    route, service = max(fitting, key=lambda found: found[0].specificity)
    return service, route.operation


def _first_match(service: str, method: str, path: str, query: dict[str, list[str]]) -> Route | None:
    return next((route for route in _routes(service).get(method, []) if route.matches(path, query)), None)


@functools.cache
def _routes(service: str) -> dict[str, list[Route]]:
    """Routes by method, the most specific first."""
    try:
        model = botocore.session.get_session().get_service_model(service)
    except botocore.exceptions.UnknownServiceError:
        return {}
    routes: dict[str, list[Route]] = {}
    names = set(model.operation_names) - TOLD_APART_BY_HEADER
    # A few deprecated operations of S3 have the same request as their successors, which therefore come first.
    for name in sorted(names, key=lambda name: (model.operation_model(name).deprecated, name)):
        operation = model.operation_model(name)
        routes.setdefault(operation.http["method"], []).append(_route(name, operation.http["requestUri"], _required(operation)))
    for found in routes.values():
        found.sort(key=lambda route: route.specificity, reverse=True)
    return routes


def _required(operation) -> dict[str, str]:
    """The query parameters that a request must have: by them alone AbortMultipartUpload is told from DeleteObject."""
    shape = operation.input_shape
    members = {} if shape is None else {name: shape.members[name] for name in shape.required_members}
    return {each.serialization["name"]: "" for each in members.values() if each.serialization.get("location") == "querystring"}


def _route(operation: str, uri: str, parameters: dict[str, str]) -> Route:
    path, _, query = uri.partition("?")
    parts = re.split(r"(\{[^}]+\})", path.rstrip("/") or "/")
    last = max((i for i, part in enumerate(parts) if part.startswith("{")), default=-1)
    pattern = "".join(_pattern(part, greedy=i == last and not parts[-1]) for i, part in enumerate(parts))
    required = parameters | {key: values[0] for key, values in parse_qs(query, keep_blank_values=True).items()}
    literals = sum(len(part) for part in parts if not part.startswith("{"))
    return Route(operation, re.compile(pattern), required, literals)


def _pattern(part: str, greedy: bool) -> str:
    """A final label takes all that is left, since some clients do not escape the slashes of an ARN there."""
    if not part.startswith("{"):
        return re.escape(part)
    return ".+" if greedy or part.endswith("+}") else "[^/]+"
