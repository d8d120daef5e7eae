#!/usr/bin/env python3
"""The sequencer's RPC (docs/rpc.md): methods, events, and every refusal of a malformed, oversized, slow or excessive request
with its code.

rpc_test.py BINARY
"""
import contextlib
import http.client
import json
import os
import re
import socket
import sys
import tempfile
import time
import unittest

from node import Node, call, genesis, post, workload
from websocket import WebSocket

BINARY = ""
SETTINGS = ("rpc.max_body_bytes=20000", "rpc.max_header_bytes=1024", "rpc.max_connections=6",
            "rpc.max_connections_per_address=4", "rpc.max_batch=5", "rpc.max_answer_bytes=3000", "rpc.max_operations=3",
            "rpc.max_in_flight=2", "rpc.max_subscriptions=2", "rpc.max_queue_bytes=3000", "rpc.allowed_origins=http://wallet.test",
            "batch.max_age_ms=300", "log.level=warning")
# Of a node that only slow clients call: others may be held up for as long on a busy machine.
IMPATIENT = ("rpc.header_timeout_ms=300", "rpc.body_timeout_ms=300", "rpc.idle_timeout_ms=900", "log.level=warning")
# Of a node whose answers are larger than what the system keeps of them, and that keeps two of these itself.
LONG_ANSWER = 100 * 80_000  # bytes
LONG = ("rpc.max_body_bytes=16777216", "rpc.max_answer_bytes=16777216", f"rpc.max_unsent_bytes={LONG_ANSWER * 5 // 2}",
        "log.level=warning")
PATIENCE = 30  # seconds that anything may take


def connect(port, source="127.0.0.1"):
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE, source_address=(source, 0))


def hard_of_hearing(port):
    """A connection of which the system keeps little that is not read."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(PATIENCE)
    s.connect(("127.0.0.1", port))
    return s


def refusal_of(port, data, source="127.0.0.1"):
    """Sends bytes; the status and the code of the answer."""
    with connect(port, source) as s:
        s.sendall(data)
        answer = http.client.HTTPResponse(s)
        answer.begin()
        return answer.status, json.loads(answer.read())["code"]


def all_of(port, data):
    """Sends bytes; all that comes until the other side closes."""
    with connect(port) as s:
        s.sendall(data)
        answer = b""
        try:
            while chunk := s.recv(65536):
                answer += chunk
        except ConnectionResetError:
            pass
        return answer


def eventually(check):
    """Until it does not fail any more."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return check()
        except (AssertionError, OSError, http.client.HTTPException, ValueError, KeyError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


class Documentation(unittest.TestCase):
    def test_codes_of_refused_operations(self):
        root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
        with open(os.path.join(root, "quarry/node/sequencer/mempool.hpp"), encoding="ascii") as file:
            codes = re.findall(r"X\((\w+), \"", file.read().split("#define QUARRY_ADMISSION_CODES")[1].split("enum class")[0])
        with open(os.path.join(root, "docs/rpc.md"), encoding="utf-8") as file:
            section = file.read().split("## 3. Errors")[1].split("## 4.")[0]
        documented = set(re.findall(r"\w+", "".join(line for line in section.splitlines(True)
                                                   if line.startswith(("| -32000", "| -32005")))))
        self.assertGreater(len(codes), 5)
        self.assertEqual([code for code in codes if code not in documented], [])


class Slow(unittest.TestCase):
    """Whoever sends slowly or not at all does not keep a connection."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.node = Node(BINARY, genesis(BINARY, cls.folder.name), *IMPATIENT)
        cls.addClassCleanup(cls.node.stop)

    def test_requests_that_do_not_end(self):
        post_head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        self.assertEqual(refusal_of(self.node.port, b"POST / HTT"), (408, "request_timeout"))
        self.assertEqual(refusal_of(self.node.port, post_head + b"Content-Length: 9\r\n\r\n{"), (408, "request_timeout"))

    def test_a_dripping_header_is_cut_off(self):
        with connect(self.node.port) as s, self.assertRaises((BrokenPipeError, ConnectionResetError)):
            for _ in range(20 * PATIENCE):  # without an end of line
                s.sendall(b"a")
                time.sleep(0.05)

    def test_what_follows_a_request_is_another_one_or_none(self):
        smuggled = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        for method, path in ((b"OPTIONS", b"/"), (b"GET", b"/healthz")):
            answer = all_of(self.node.port, b"%s %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" %
                            (method, path, len(smuggled), smuggled))
            self.assertEqual(answer.count(b"HTTP/1.1 2"), 1, answer)
        self.assertEqual(all_of(self.node.port, smuggled * 3).count(b"HTTP/1.1 200"), 3, "kept alive otherwise")

    def test_idle_connections_are_closed(self):
        with connect(self.node.port) as s:
            self.assertEqual(s.recv(1), b"", "who says nothing is closed")
        connection = self.node.connect(PATIENCE)
        post(connection, "{}")
        self.assertEqual(connection.sock.recv(1), b"", "who says nothing more, too")
        connection.close()


class Unsent(unittest.TestCase):
    """Answers that nobody takes do not fill the memory."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.node = Node(BINARY, genesis(BINARY, cls.folder.name), *LONG)
        cls.addClassCleanup(cls.node.stop)
        cls.body = json.dumps([{"jsonrpc": "2.0", "id": f"{i % 10}" * 80_000, "method": "quarry_stateRoot"}
                               for i in range(100)]).encode()
        cls.request = (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" %
                       len(cls.body)) + cls.body

    def cut(self):
        text = self.node.get("/metrics", self.node.metrics_port)[1]
        return sum(int(line.split()[-1]) for line in text.splitlines()
                   if line.startswith('quarry_rpc_refused_total{code="slow_consumer"}'))

    def test_the_greatest_of_too_many_is_cut(self):
        before = self.cut()
        with contextlib.ExitStack() as held:
            for _ in range(4):
                held.enter_context(hard_of_hearing(self.node.port)).sendall(self.request)
            eventually(lambda: self.assertEqual(self.cut() - before, 2))
            connection = self.node.connect(PATIENCE)
            status, answer = post(connection, self.body)  # who reads is served, at the cost of one who does not
            self.assertEqual((status, len(json.loads(answer))), (200, 100))
            connection.close()
            self.assertEqual(self.cut() - before, 3)
        self.assertEqual(self.node.get("/healthz")[0], 200)

    def test_a_websocket_that_does_not_read_is_cut(self):
        before = self.cut()
        ws = WebSocket(self.node.port, connection=hard_of_hearing(self.node.port))
        request = json.dumps({"jsonrpc": "2.0", "id": "x" * 60_000, "method": "quarry_stateRoot"})
        with self.assertRaises(OSError):
            for _ in range(1000):
                ws.send(request)
        ws.close()
        self.assertEqual(self.cut() - before, 1)


class Rpc(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        state = genesis(BINARY, cls.folder.name)
        cls.operations = workload(BINARY, state, os.path.join(cls.folder.name, "operations.jsonl"), 60)
        cls.node = Node(BINARY, state, *SETTINGS)
        cls.used = 0

    @classmethod
    def tearDownClass(cls):
        assert cls.node.stop() == 0, "SIGTERM ends it cleanly"
        cls.folder.cleanup()

    def operation(self):
        type(self).used += 1
        return self.operations[self.used - 1]

    def refusal(self, data, status, code, **options):
        self.assertEqual(refusal_of(self.node.port, data, **options), (status, code))

    def error(self, method, params, number, code, field=None):
        error = self.node.call(method, params)["error"]
        self.assertEqual((error["code"], error["data"]["code"], error["data"].get("field")), (number, code, field))
        self.assertTrue(error["message"] and error["data"]["reason"])

    # --- below JSON-RPC

    def test_http_refusals(self):
        post_head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        self.refusal(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, "bad_http")
        self.refusal(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method_not_allowed")
        self.refusal(b"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method_not_allowed")
        self.refusal(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", 404, "unknown_path")
        self.refusal(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", 404, "unknown_path")
        self.refusal(b"POST /else HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 404, "unknown_path")
        self.refusal(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415,
                     "unsupported_media_type")
        self.refusal(post_head + b"Origin: http://evil.test\r\nContent-Length: 2\r\n\r\n{}", 403, "origin_not_allowed")
        self.refusal(post_head + b"Content-Length: 20001\r\n\r\n" + b"x" * 20001, 413, "body_too_large")
        self.refusal(post_head + b"Transfer-Encoding: chunked\r\n\r\n" + b"4e20\r\n" + b"x" * 20000 + b"\r\n" +
                     b"10\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n", 413, "body_too_large")
        self.refusal(post_head + b"X-Long: " + b"x" * 2000 + b"\r\n\r\n", 431, "header_too_large")
        upgrade = (b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n")
        self.refusal(upgrade + b"Origin: http://evil.test\r\n\r\n", 403, "origin_not_allowed")
        self.refusal(upgrade + b"Origin: null\r\n\r\n", 403, "origin_not_allowed")
        WebSocket(self.node.port, origin="http://wallet.test").close()
        connection = self.node.connect()
        status, _ = post(connection, "{}", Origin="http://wallet.test")
        self.assertEqual(status, 200)
        connection.close()

    def test_a_connection_is_closed_when_asked(self):
        answer = all_of(self.node.port, b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.assertIn(b"connection: close", answer.lower())

    def test_the_metrics_port(self):
        def refusal(data, status, code):
            self.assertEqual(refusal_of(self.node.metrics_port, data), (status, code))
        refusal(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, "bad_http")
        refusal(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", 404, "unknown_path")
        refusal(b"GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", 404, "unknown_path")
        refusal(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method_not_allowed")
        refusal(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", 405, "method_not_allowed")
        refusal(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", 405,
                "method_not_allowed")
        refusal(b"DELETE /metrics HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method_not_allowed")
        refusal(b"GET /metrics HTTP/1.1\r\nHost: a\r\nOrigin: http://evil.test\r\n\r\n", 403, "origin_not_allowed")
        refusal(b"GET /metrics HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * 9000 + b"\r\n\r\n", 431, "header_too_large")
        self.assertEqual(self.node.get("/healthz", self.node.metrics_port)[0], 200)

    def test_too_many_connections(self):
        request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"

        def full():
            with contextlib.ExitStack() as held:  # admitted in the order in which they connect
                for _ in range(4):
                    held.enter_context(connect(self.node.port))
                self.refusal(request, 429, "too_many_connections_of_address")
                for _ in range(2):
                    held.enter_context(connect(self.node.port, "127.0.0.2"))
                self.refusal(request, 503, "too_many_connections", source="127.0.0.3")
        eventually(full)  # once the node has seen that connections of other tests are closed
        eventually(lambda: self.assertEqual(self.node.get("/healthz"), (200, '{"ok":true,"degraded":false,"l1":null}')))

    # --- JSON-RPC

    def test_malformed_requests(self):
        connection = self.node.connect()

        def code(body):
            status, answer = post(connection, body)
            self.assertEqual(status, 200)
            return json.loads(answer)["error"]["code"], json.loads(answer)["id"]
        self.assertEqual(code("{"), (-32700, None))
        self.assertEqual(code(b"\xff\xfe"), (-32700, None))
        self.assertEqual(code("[" * 5000 + "]" * 5000), (-32700, None))
        self.assertEqual(code("[]"), (-32600, None))
        self.assertEqual(code("3"), (-32600, None))
        self.assertEqual(code('{"id":1,"method":"quarry_status"}'), (-32600, 1))
        self.assertEqual(code('{"jsonrpc":"2.0","id":[1],"method":"quarry_status"}'), (-32600, None))
        self.assertEqual(code('{"jsonrpc":"2.0","id":"a","method":"quarry_nothing"}'), (-32601, "a"))
        self.assertEqual(code('{"jsonrpc":"2.0","id":2,"method":"quarry_status","params":1}'), (-32600, 2))
        self.assertEqual(code(json.dumps([{"jsonrpc": "2.0", "id": 1, "method": "quarry_status"}] * 6)), (-32005, None))
        answers = json.loads(post(connection, json.dumps(
            [{"jsonrpc": "2.0", "id": 7, "method": "quarry_stateRoot"}, 1,
             {"jsonrpc": "2.0", "method": "quarry_status"}]))[1])
        self.assertEqual([a["id"] for a in answers], [7, None])
        answers = json.loads(post(connection, json.dumps(
            [{"jsonrpc": "2.0", "id": f"{i}" * 1500, "method": "quarry_stateRoot"} for i in range(5)]))[1])
        self.assertEqual([a["id"][0] for a in answers], list("01234"))
        self.assertTrue(all("result" in a for a in answers[:2]), answers)
        self.assertEqual([a["error"]["data"]["code"] for a in answers[2:]], ["answer_too_long"] * 3)
        self.assertEqual(post(connection, '{"jsonrpc":"2.0","method":"quarry_status"}'), (204, b""))
        connection.close()

    def test_refused_operations(self):
        good = self.operation()
        self.error("quarry_sendOperation", {}, -32602, "invalid_params", "operation")
        self.error("quarry_sendOperation", {"operation": 5}, -32602, "invalid_params", "operation")
        self.error("quarry_sendOperation", {"operation": {**good, "nonce": -1}}, -32001, "bad_syntax", "nonce")
        self.error("quarry_sendOperation", {"operation": {**good, "extra": 1}}, -32001, "unknown_field", "extra")
        self.error("quarry_sendOperation", {"operation": {**good, "key": good["key"][:-1] + "0"}}, -32001, "off_curve",
                   "key")
        self.error("quarry_sendOperation", {"operation": {"type": "set_key", "slot": 1, "sender": "0x" + "00" * 20,
                                                          "key_hash": "0x" + "00" * 32}}, -32001, "not_signed", "type")
        self.error("quarry_sendOperation", {"operation": {**good, "amount": "77"}}, -32000, "bad_signature")
        self.error("quarry_sendOperation", {"operation": {**good, "slot": 10**6}}, -32000, "unknown_slot")
        self.error("quarry_sendOperation", {"operation": {**good, "expiry": 5}}, -32000, "expired")
        self.error("quarry_sendOperations", {"operations": [good] * 4}, -32005, "too_many_operations", "operations")
        self.error("quarry_sendOperations", {"operations": good}, -32602, "invalid_params", "operations")
        mixed = self.node.call("quarry_sendOperations", [[{**good, "fee": "x"}, good, {**good, "amount": "3"}]])["result"]
        self.assertEqual(mixed[0]["error"]["data"]["code"], "bad_amount")
        self.assertEqual(mixed[1]["stage"], "executed")
        self.assertIn(mixed[2]["error"]["data"]["code"], ("nonce_too_low", "bad_signature"))

    def test_unknown_things(self):
        self.error("quarry_getReceipt", ["0x" + "00" * 32], -32004, "unknown_operation")
        self.error("quarry_getReceipt", ["0x" + "ff" * 32], -32602, "invalid_params", "id")
        self.error("quarry_getReceipt", ['0x"},{'], -32602, "invalid_params", "id")
        self.error("quarry_getAccount", {"slot": 64}, -32004, "unknown_account")
        self.error("quarry_getAccount", {"slot": 2**63}, -32004, "unknown_account")
        self.error("quarry_getAccount", {}, -32602, "invalid_params")
        self.error("quarry_getBatch", [10**9], -32004, "unknown_batch")
        self.error("quarry_getBatch", ["first"], -32602, "invalid_params", "number")
        self.error("quarry_stateRoot", [10**9], -32004, "unknown_batch")
        self.error("quarry_feeQuote", [65536], -32602, "invalid_params", "token")
        self.error("quarry_subscribe", ["batches"], -32006, "needs_websocket")
        self.error("quarry_unsubscribe", ["0x1"], -32004, "unknown_subscription")

    def test_methods(self):
        operation = self.operation()
        receipt = self.node.call("quarry_sendOperation", {"operation": operation})["result"]
        self.assertEqual((receipt["stage"], receipt["type"], receipt["slot"], receipt["nonce"]),
                         ("executed", "transfer", operation["slot"], operation["nonce"]))
        self.assertEqual(self.node.call("quarry_sendOperation", [operation])["result"]["id"], receipt["id"])
        account = self.node.call("quarry_getAccount", [operation["slot"]])["result"]["accounts"][0]
        self.assertEqual(account["next_nonce"], operation["nonce"] + 1)
        self.assertIs(account["key_published"], True)
        by_pair = self.node.call("quarry_getAccount", {"pair": account["pair"]})["result"]["accounts"]
        self.assertEqual([a["slot"] for a in by_pair], [operation["slot"]])
        by_owner = self.node.call("quarry_getAccount", {"key_hash": account["key_hash"], "address": account["address"],
                                                        "token": account["token"]})["result"]
        self.assertEqual(by_owner["accounts"], by_pair)
        deadline = time.monotonic() + PATIENCE
        while (batch := self.node.call("quarry_getBatch", {"number": receipt["batch"], "operations": True})).get("error"):
            self.assertLess(time.monotonic(), deadline, "the batch is closed by its age")
            time.sleep(0.05)
        batch = batch["result"]
        self.assertEqual(batch["operations"][receipt["index"]], receipt["id"])
        self.assertEqual((batch["stage"], len(batch["operations"])), ("executed", batch["num_operations"]))
        self.assertEqual(len(batch["header"]), 2 + 2 * 204)
        root = self.node.call("quarry_stateRoot", [receipt["batch"]])["result"]
        self.assertEqual((root["root"], root["batch"]), (batch["post_root"], receipt["batch"]))
        self.assertEqual(self.node.call("quarry_getReceipt", [receipt["id"]])["result"], receipt)
        status = self.node.call("quarry_status")["result"]
        self.assertEqual((status["slots"], status["l1"], status["ready"]), (64, None, True))
        quote = self.node.call("quarry_feeQuote")["result"]
        self.assertEqual((quote["minimum"], quote["accepted"]), ("0", True))
        self.assertEqual(self.node.get("/readyz")[0], 200)

    # --- WebSocket

    def test_websocket(self):
        ws = WebSocket(self.node.port)
        operation = self.operation()
        ws.request("quarry_subscribe", {"topic": "receipts", "filter": {"slot": operation["receiver"]}}, 1)
        subscription = ws.message()["result"]
        ws.request("quarry_subscribe", ["batches"], 2)
        batches = ws.message()["result"]
        for topic, known in (({"topic": "receipts", "filter": {"slot": operation["receiver"]}}, subscription),
                             (["batches"], batches)):
            ws.request("quarry_subscribe", topic, 3)
            self.assertEqual(ws.message()["result"], known, "one subscription, however often it is asked for")
        ws.request("quarry_subscribe", {"topic": "receipts", "filter": {"slot": 63}}, 3)
        self.assertEqual(ws.message()["error"]["data"]["code"], "too_many_subscriptions")
        ws.request("quarry_sendOperation", [operation], 4)
        seen, events = {}, []
        while not {"answer", subscription, batches} <= seen.keys():
            message = ws.message()
            seen[message["params"]["subscription"] if "params" in message else "answer"] = message
            events += [message["params"]["result"]["stage"]] if message.get("params", {}).get("subscription") == subscription else []
        self.assertEqual(events, ["executed"], "and one event for each change")
        self.assertEqual(seen[subscription]["params"]["result"], seen["answer"]["result"])
        self.assertGreaterEqual(seen[batches]["params"]["result"]["num_operations"], 1)
        ws.request("quarry_unsubscribe", [subscription], 5)
        self.assertIs(ws.message()["result"], True)
        ws.request("quarry_unsubscribe", [subscription], 6)
        self.assertEqual(ws.message()["error"]["data"]["code"], "unknown_subscription")
        ws.close()

    def test_websocket_limits(self):
        ws = WebSocket(self.node.port)
        operations = [self.operation() for _ in range(12)]
        ws.requests([("quarry_sendOperation", [operation]) for operation in operations])
        answers = sorted((ws.message() for _ in operations), key=lambda a: a["id"] if a["id"] is not None else -1)
        refused = [a for a in answers if "error" in a]
        self.assertEqual({a["error"]["data"]["code"] for a in refused}, {"too_many_in_flight"}, refused)
        taken = [a for a in answers if "result" in a]
        self.assertGreaterEqual(len(taken), 2, "as many as may be in flight are taken")
        self.assertEqual({a["result"]["stage"] for a in taken}, {"executed"})
        for operation in operations:  # so that later ones have the right nonces
            self.assertIn("result", self.node.call("quarry_sendOperation", [operation]))
        ws.send("{")
        self.assertEqual(ws.message()["error"]["code"], -32700)
        with self.assertRaises(ConnectionError):  # 1009, if it is read before the system resets the connection
            ws.send("x" * 20001)
            ws.message()
        ws.close()
        ws = WebSocket(self.node.port)
        for _ in range(3):  # each longer than what may be queued, and taken before the next
            ws.send(json.dumps([{"jsonrpc": "2.0", "id": "x" * 2000, "method": "quarry_status"}] * 5))
            self.assertEqual(len(ws.message()), 5)
        ws.close()

    def test_zz_metrics_count_refusals(self):
        status, text = self.node.get("/metrics", self.node.metrics_port)
        self.assertEqual(status, 200)
        for line in ('quarry_rpc_refused_total{code="body_too_large"}', 'quarry_rpc_requests_total{method="quarry_status"}',
                     'quarry_rpc_errors_total{code="bad_signature"}', "quarry_sequencer_executed_operations_total",
                     'quarry_sequencer_batch_number{stage="executed"}'):
            self.assertTrue(line in text, line)
        self.assertEqual(self.node.get("/healthz", self.node.metrics_port)[0], 200)
        connection = self.node.connect()
        self.assertIn("result", call(connection, "quarry_status"), "after all of this the node serves")
        connection.close()


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
