"""Serves the emulator moto, one request at a time: its updates are not atomic, whereas DynamoDB's are."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from tests.support.quick_moto import speed_up_moto
from tests.support.unmeasured import leave_unmeasured


@contextmanager
def serve_emulator() -> Iterator[str]:
    """Serve the emulator; yield its address."""
    speed_up_moto()
    emulator = DomainDispatcherApplication(create_backend_app)
    one_at_a_time = Lock()

    def atomic(environ: dict[str, Any], start_response: Any) -> Any:  # noqa: ANN401 - WSGI
        leave_unmeasured()
        if environ.get("HTTP_X_AMZ_TARGET", "").endswith(("UpdateItem", "TransactWriteItems")):
            with one_at_a_time:
                return list(emulator(environ, start_response))
        return emulator(environ, start_response)

    server = make_server("127.0.0.1", 0, atomic, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        server.server_close()
