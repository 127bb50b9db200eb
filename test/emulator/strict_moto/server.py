"""Serves the gateway over HTTP on the loopback interface, for as long as the parent process wants it."""

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable

HOST = "127.0.0.1"

# More than the long polls a test may hold open at once: an idle ReceiveMessage occupies a thread.
THREADS = 96


def serve(app: Callable, port: int) -> None:
    """Serves until stdin ends or SIGTERM comes. Prints one line on stdout once requests are accepted."""
    try:
        bound, run = _waitress(app, port)
    except ImportError:
        bound, run = _werkzeug(app, port)
    os.environ["MOTO_PORT"] = str(bound)  # moto calls itself for a few services
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    # The socket listens already: a request sent now waits until run() accepts it.
    print(json.dumps({"url": f"http://{HOST}:{bound}"}), flush=True)
    sys.stdout = sys.stderr  # moto prints now and then, and stdout is for that one line
    run()


def _exit_with_parent() -> None:
    """The parent holds our stdin open; when it goes, however it goes, stdin ends."""
    while sys.stdin.buffer.read(1024):
        pass
    os._exit(0)


def _waitress(app: Callable, port: int) -> tuple[int, Callable[[], None]]:
    """waitress keeps connections open and serves about twice the requests of werkzeug's development server."""
    import waitress.server
    from waitress.channel import HTTPChannel
    from waitress.task import WSGITask

    class Task(WSGITask):
        def get_environment(self) -> dict:
            return super().get_environment() | {"strict_moto.socket": self.channel.socket}

    HTTPChannel.task_class = Task
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns of every long poll
    server = waitress.server.create_server(app, host=HOST, port=port, threads=THREADS, connection_limit=1000)
    return server.effective_port, server.run


def _werkzeug(app: Callable, port: int) -> tuple[int, Callable[[], None]]:
    from werkzeug.serving import make_server

    def app_with_socket(environ: dict, start_response):
        return app(environ | {"strict_moto.socket": environ["werkzeug.socket"]}, start_response)

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it logs every request
    server = make_server(HOST, port, app_with_socket, threaded=True)
    return server.port, server.serve_forever
