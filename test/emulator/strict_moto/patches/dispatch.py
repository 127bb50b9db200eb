"""How moto finds the code for a request."""

import functools

import moto.core.responses
from moto.core.utils import method_names_from_class
from moto.moto_server import werkzeug_app
from moto.moto_server.werkzeug_app import DomainDispatcherApplication


def remember_backend_of_host() -> None:
    """moto lists its source directory and tries some 200 patterns to find the service of a host, on every request.

    A service that moto lacks is now said so at once, where moto would print a hint for its developers and break a little later.
    """
    find = functools.cache(DomainDispatcherApplication.get_backend_for_host)

    def get_backend_for_host(dispatcher: DomainDispatcherApplication, host: str | None) -> str | None:
        backend = find(dispatcher, host)
        if backend is None and host is not None:
            raise NotImplementedError(f"moto has no backend for {host}")
        return backend

    DomainDispatcherApplication.get_backend_for_host = get_backend_for_host
    werkzeug_app.print = lambda *_: None


def remember_method_names() -> None:
    """moto inspects all members of the response class on every request; EC2's has over a thousand."""
    moto.core.responses.method_names_from_class = functools.cache(method_names_from_class)
