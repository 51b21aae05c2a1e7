"""A gRPC service without generated code: messages are bytes. It says what it saw of its clients."""

import concurrent.futures
import threading

import grpc

SERVICE = "/suite.Words/"


class GrpcOrigin(grpc.GenericRpcHandler):
    """Each kind of call: shout, count, join, chat; and one that waits until it is cancelled, one
    that fails."""

    def __init__(self):
        self.waiting, self.cancelled = threading.Event(), threading.Event()
        self.metadata, self.remaining = {}, None
        self.server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(16), handlers=[self],
            options=[("grpc.max_receive_message_length", -1)],
        )
        self.host, self.port = "127.0.0.1", self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def service(self, details):
        calls = {
            "Shout": grpc.unary_unary_rpc_method_handler(self.shout),
            "Count": grpc.unary_stream_rpc_method_handler(self.count),
            "Join": grpc.stream_unary_rpc_method_handler(self.join),
            "Chat": grpc.stream_stream_rpc_method_handler(self.chat),
            "Wait": grpc.unary_unary_rpc_method_handler(self.wait),
            "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
        }
        # What is unknown is UNIMPLEMENTED: so are health checks, which expect just that.
        return calls.get(details.method.removeprefix(SERVICE))

    def shout(self, request, context):
        self.metadata = dict(context.invocation_metadata())
        context.send_initial_metadata([("x-first", "1"), ("x-data-bin", b"\x00\xff")])
        context.set_trailing_metadata([("x-last", "2")])
        return request.upper()

    def count(self, request, context):
        context.set_trailing_metadata([("x-counted", request.decode())])
        for number in range(int(request)):
            yield b"%d" % number

    def join(self, requests, _context):
        return b" ".join(requests)

    def chat(self, requests, _context):
        for request in requests:
            yield b"re: " + request

    def wait(self, _request, context):
        self.remaining = context.time_remaining()
        context.add_callback(self.cancelled.set)
        self.waiting.set()
        self.cancelled.wait(60)
        return b"too late"

    def fail(self, request, context):
        context.set_trailing_metadata([("x-why", "because")])
        context.abort(grpc.StatusCode[request.decode()], "not today: 100 %")

    def stop(self):
        self.server.stop(None)
