"""How gunicorn runs the application in production; it looks for a file of this name."""

worker_class = "gthread"
threads = 8
workers = 1  # the songs that were added are in the memory of one process
graceful_timeout = 7  # seconds for the requests that still run when it is told to stop
control_socket_disable = True
forwarder_headers = ""  # or a client could set SCRIPT_NAME
loglevel = "warning"


def post_request(worker, req, environ, resp):
    """Read what the application left of the body, up to 1 MiB.

    By itself gunicorn reads 64 KiB, and closes the connection if there is more: the client may
    never see the answer, or sends its next request to a server that has gone.
    """
    for _ in range(16):
        if not req.body.read(65_536):
            return
