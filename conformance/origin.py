"""An origin that does what a test tells it: answers are made by a function of the request."""

import http.server
import socketserver
import threading


class Seen:
    """A request, read whole."""

    def __init__(self, handler, body):
        self.method = handler.command
        # `handler.path` folds leading slashes.
        self.target = handler.requestline.split()[1]
        self.headers = handler.headers
        self.body = body


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A response is one write, as far as that goes: no delayed acknowledgements in between.
    wbufsize = 65536
    disable_nagle_algorithm = True

    def read_body(self):
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def answer(self):
        seen = Seen(self, self.read_body())
        self.server.seen.append(seen)
        status, headers, body = self.server.respond(seen)
        self.send_response(status)
        chunked = any(name.lower() == "transfer-encoding" for name, _ in headers)
        for name, value in headers:
            self.send_header(name, value)
        if not chunked:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if seen.method != "HEAD":
            for part in self.chunks(body) if chunked else (body,):
                self.wfile.write(part)

    @staticmethod
    def chunks(body):
        for start in range(0, len(body), 1000):
            part = body[start : start + 1000]
            yield b"%x\r\n%s\r\n" % (len(part), part)
        yield b"0\r\n\r\n"

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_):
        """Quiet."""


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128


class PythonOrigin:
    """`respond(seen)` gives status, headers as pairs, and body of each answer."""

    def __init__(self, respond):
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.respond = respond
        self.server.seen = []
        self.host, self.port = self.server.server_address
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def seen(self):
        return self.server.seen

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
