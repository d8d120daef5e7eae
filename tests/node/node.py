"""A sequencer of the real program, for tests: starts, calls, kills."""
import http.client
import json
import os
import signal
import subprocess


def genesis(binary, folder, accounts=64):
    """A development state in folder/state."""
    state = os.path.join(folder, "state")
    subprocess.run([binary, "genesis", "--accounts", str(accounts), "--balance", "1000000", "--seed", "1",
                    "--out", state, "--quiet"], check=True, capture_output=True, timeout=120)
    return state


def workload(binary, state, out, count, mix="transfer=1", fee=1):
    subprocess.run([binary, "workload", "--state", state, "--count", str(count), "--mix", mix, "--fee", str(fee),
                    "--out", out, "--quiet"], check=True, capture_output=True, timeout=120)
    with open(out, encoding="ascii") as file:
        return [json.loads(line) for line in file]


class Node:
    def __init__(self, binary, state, *settings):
        arguments = [binary, "sequencer", "--state", state, "--rpc-port", "0", "--set", "metrics.port=0",
                     "--development-without-l1", "--json"]
        for setting in settings:
            arguments += ["--set", setting]
        self.log = open(os.path.join(os.path.dirname(state), "node.log"), "ab")
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the sequencer did not start: exit {self.process.wait()}")
        started = json.loads(line)
        self.port, self.metrics_port = started["rpc_port"], started["metrics_port"]

    def connect(self, timeout=20):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def get(self, path, port=None):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=20)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body

    def call(self, method, params=None):
        connection = self.connect()
        answer = call(connection, method, params)
        connection.close()
        return answer

    def kill(self):
        """As a power switch for the process: no handler runs."""
        self.process.send_signal(signal.SIGKILL)
        self.end()

    def stop(self):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    def end(self):
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        self.log.close()
        return code


def post(connection, body, **headers):
    connection.request("POST", "/", body, {"content-type": "application/json", **headers})
    answer = connection.getresponse()
    return answer.status, answer.read()


def call(connection, method, params=None):
    """The answer's object; raises where the connection breaks."""
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params if params is not None else {}}
    status, body = post(connection, json.dumps(request))
    if status != 200:
        raise RuntimeError(f"HTTP {status}: {body[:200]}")
    return json.loads(body)
