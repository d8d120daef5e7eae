"""What the tests of a whole network share: `quarry devnet` in a folder of its own, the chain under it, a wallet.

Every test program is called as PROGRAM BINARY ROOT: ROOT has node_modules, and out/ with the compiled contracts.
"""
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

BINARY, ROOT = (os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])) if len(sys.argv) > 2 else ("", "")
PASSPHRASE = "correct horse battery"
# Timings of a machine that does other things meanwhile: a network that works needs a fraction of them.
START_SECONDS = 180
STEP_SECONDS = 120
PROOF_SECONDS = 600


def free_ports(count):
    """Different ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def consecutive_ports(count):
    """The first of `count` ports in a row that nobody listens on."""
    for _ in range(100):
        first = free_ports(1)[0]
        sockets = []
        try:
            for port in range(first, min(first + count, 65500)):
                s = socket.socket()
                sockets.append(s)
                s.bind(("127.0.0.1", port))
            if len(sockets) == count:
                return first
        except OSError:
            pass
        finally:
            for s in sockets:
                s.close()
    raise RuntimeError("no free ports")


def rpc(url, method, params, timeout=30):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    answer = json.load(urllib.request.urlopen(request, timeout=timeout))
    if "error" in answer:
        raise RpcError(answer["error"])
    return answer["result"]


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(json.dumps(error))
        self.error = error


def tool(name):
    return os.path.join(ROOT, f"node_modules/@foundry-rs/{name}-linux-amd64/bin/{name}")


def cast(*args):
    done = subprocess.run([tool("cast"), *args], text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, f"cast {args}: {done.stderr}"
    return done.stdout.strip()


def topic(signature):
    return cast("keccak", signature)


def die_with_parent():
    """In a child: a test that is killed leaves no network behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def wait_for(what, holds, seconds=STEP_SECONDS, pause=0.2):
    """The first true value of `holds`; fails with `what` after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        value = holds()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"after {seconds} s: {what}")
        time.sleep(pause)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


class Devnet:
    """A running `quarry devnet`. `network`: what it said when it was ready; `status`: its last status line."""

    def __init__(self, folder, *args, wait=True):
        self.folder = folder
        self.l1_port, self.rpc_port = free_ports(2)
        self.metrics_port = consecutive_ports(6)
        self.args = ["--dir", folder, "--l1-port", str(self.l1_port), "--rpc-port", str(self.rpc_port), "--metrics-port",
                     str(self.metrics_port), "--status-seconds", "1", *args]
        self.start(wait)

    def start(self, wait=True):
        self.events = []
        self.network = None
        self.status = None
        self.process = subprocess.Popen([BINARY, "devnet", "--json", *self.args], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if wait:
            self.wait("the network is not ready", lambda: self.network, START_SECONDS)

    def _read(self):
        for line in self.process.stdout:
            try:
                event = json.loads(line)
            except json.JSONDecodeError:
                continue  # the failure's document has several lines: what the process says of it is in stderr
            self.events.append(event)
            if event.get("event") == "ready":
                self.network = event
            if event.get("event") == "status":
                self.status = event

    def wait(self, what, holds, seconds=STEP_SECONDS, pause=0.2):
        def check():
            if self.process.poll() is not None:
                raise AssertionError(f"the network ended with {self.process.returncode}: {self.process.stderr.read()}")
            return holds()
        try:
            return wait_for(what, check, seconds, pause)
        except AssertionError as failure:
            raise AssertionError(f"{failure}\nlast status: {self.status}\n{self.logs()}") from None

    def logs(self, lines=15):
        text = ""
        folder = os.path.join(self.folder, "logs")
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name), errors="replace") as file:
                text += f"--- {name}\n" + "".join(file.readlines()[-lines:])
        return text

    def log(self, name):
        with open(os.path.join(self.folder, "logs", name + ".log"), errors="replace") as file:
            return file.read()

    def key(self, name):
        """The Ethereum key of one of the network's accounts."""
        with open(self.network["keys"][name]) as file:
            return file.read().strip()

    # --- processes

    def service(self, name):
        """The service's part of the next status line."""
        seen = len(self.events)
        self.wait("no status line", lambda: any(e.get("event") == "status" for e in self.events[seen:]))
        return next(p for p in self.status["processes"] if p["name"] == name)

    def pid(self, name):
        return self.wait(f"{name} does not run", lambda: max(0, self.service(name)["pid"]))

    def kill(self, name):
        """kill -9; returns how often the service had been started again before."""
        service = self.service(name)
        os.kill(service["pid"], signal.SIGKILL)
        return service["restarts"]

    def wait_restarted(self, name, restarts):
        def again():
            service = self.service(name)
            return service["restarts"] > restarts and service["phase"] == "running"
        self.wait(f"{name} was not started again", again)

    def signal(self, name, number):
        os.kill(self.pid(name), number)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=120)
        self.reader.join(timeout=10)
        self.process.stdout.close()
        return code

    # --- the chain

    def l1(self, method, *params, timeout=30):
        return rpc(f"http://127.0.0.1:{self.l1_port}", method, list(params), timeout)

    def block(self):
        return int(self.l1("eth_blockNumber"), 16)

    def hold_blocks(self):
        self.l1("evm_setIntervalMining", 0)

    def mine(self, count=1):
        self.l1("anvil_mine", hex(count))

    def resume_blocks(self):
        self.l1("evm_setIntervalMining", 1)

    def pending(self, to=None):
        """Transactions that wait for a block, by rising nonce of each sender."""
        found = []
        for by_nonce in self.l1("txpool_content")["pending"].values():
            found += [by_nonce[n] for n in sorted(by_nonce, key=int)]
        return [t for t in found if to is None or (t.get("to") or "").lower() == to.lower()]

    def hub_logs(self, signature, *topics):
        return self.l1("eth_getLogs", {"address": self.network["hub"], "fromBlock": "0x0",
                                       "topics": [topic(signature), *topics]})

    def submitted(self, number=None):
        """BatchSubmitted events, of one batch number or of all."""
        signature = "BatchSubmitted(uint32,uint64,address,uint64,bytes32,bytes,uint8,bytes32[],(uint96,uint96,uint96),uint96)"
        logs = self.hub_logs(signature)
        return [log for log in logs if number is None or int(log["topics"][2], 16) == number]

    def proven(self, number=None):
        logs = self.hub_logs("BatchProven(uint32,uint64,address,uint64,address,uint96,uint32,bytes32,bytes)")
        return [log for log in logs if number is None or int(log["topics"][2], 16) == number]

    def discarded(self):
        return self.hub_logs("BatchesDiscarded(uint32,uint64,uint64)")

    # --- the sequencer

    def rpc(self, method, **params):
        return rpc(f"http://127.0.0.1:{self.rpc_port}", method, params)

    def rpc_or_none(self, method, **params):
        try:
            return self.rpc(method, **params)
        except (OSError, RpcError, ValueError):
            return None

    def sequencer_status(self):
        return self.rpc_or_none("quarry_status") or {}

    def wait_posted(self, batch, seconds=STEP_SECONDS):
        self.wait(f"batch {batch} is not posted", lambda: self.sequencer_status().get("posted_batch", 0) >= batch, seconds)

    def wait_final(self, batch, seconds=PROOF_SECONDS):
        self.wait(f"batch {batch} is not final", lambda: self.sequencer_status().get("finalised_batch", 0) >= batch, seconds)

    def load(self, rate=20, seconds=2, seed=1, accounts=16):
        """Transfers between the accounts that the network gave money; returns what `quarry load` reports."""
        done = subprocess.run(
            [BINARY, "load", "--json", "--rpc", self.network["rpc"], "--seed", str(seed), "--first", "0", "--accounts",
             str(accounts), "--connections", "1", "--group", str(min(accounts, rate)), "--rate", str(rate), "--seconds", str(seconds)],
            text=True, capture_output=True, timeout=seconds + 120)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def close_batches(self):
        """Waits until every executed operation is in a closed batch; that batch's number."""
        self.wait("the batch was not closed", lambda: self.sequencer_status().get("open_operations", 1) == 0)
        return self.sequencer_status()["batch"]

    # --- commands

    def quarry(self, *args, code=0, env=None, timeout=300):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("QUARRY_")}
        environment.update(env or {})
        done = subprocess.run([BINARY, *args, "--json"], env=environment, text=True, capture_output=True, timeout=timeout)
        assert done.returncode == code, f"{args}: exit {done.returncode}, not {code}: {done.stdout}{done.stderr}\n{self.logs()}"
        return json.loads(done.stdout)

    def batches(self):
        return self.quarry("batch", "ls", "--l1", self.network["l1"], "--deployment", self.network["deployment"])["batches"]


class Wallet:
    """A wallet of the network's funded account."""

    def __init__(self, devnet, name="wallet"):
        self.devnet = devnet
        self.key = devnet.network["keys"]["user"]
        self.env = {"QUARRY_WALLET": os.path.join(devnet.folder, name), "QUARRY_WALLET_PASSPHRASE": PASSPHRASE}
        self("connect", "--rpc", devnet.network["rpc"], "--l1", devnet.network["l1"])
        self("derive", "--ethereum-key", self.key)

    def __call__(self, *args, code=0):
        return self.devnet.quarry("wallet", *args, code=code, env=self.env)

    def l1(self, command, *args, code=0):
        return self(command, *args, "--ethereum-key", self.key, "--confirmations", "1", code=code)

    def slot(self):
        return self("balance")["accounts"][0]["slot"]


class NetworkTest(unittest.TestCase):
    """A network for all tests of the class, started with ARGS."""
    ARGS = ()

    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="quarry-devnet-")
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        cls.net = Devnet(os.path.join(cls.base, "net"), *cls.ARGS)
        cls.addClassCleanup(cls.net.stop)


def main():
    if not BINARY:
        sys.exit(f"usage: {sys.argv[0]} BINARY ROOT [unittest arguments]")
    unittest.main(module="__main__", argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
