#!/usr/bin/env python3
"""`quarry wallet` on Ethereum: anvil, the settlement contracts put there by `quarry l1 deploy`, and a sequencer of which only
the answers about the rollup matter here.

wallet_l1_test.py BINARY ROOT OUT      OUT: what tools/contracts --tests compiled
"""
import http.server
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

BINARY = ROOT = OUT = ""
OK, REFUSED, USAGE, ENVIRONMENT = 0, 1, 2, 4
PASSPHRASE = "correct horse battery"
# Of anvil's first two accounts.
KEYS = ["0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"]
# Of the tree that every rollup starts from: contracts/src/settlement/RollupDomain.sol.
EMPTY_ROOT = "0x3474f11e1b98d8ad7c9f2e5859d770284343e1bd01985bef262e17d267a249ae"
ADDRESSES = ["0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"]


def tool(name):
    return os.path.join(ROOT, f"node_modules/@foundry-rs/{name}-linux-amd64/bin/{name}")


def calldata(signature, *args):
    return subprocess.run([tool("cast"), "calldata", signature, *args], text=True, capture_output=True, check=True).stdout.strip()


class Chain:
    def __init__(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [tool("anvil"), "--port", str(port), "--hardfork", "osaka", "--enable-tx-gas-limit", "--gas-limit", "60000000",
             "-b", "1", "-q"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.call("eth_chainId")
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("anvil does not answer")

    def call(self, method, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"content-type": "application/json"})
        answer = json.load(urllib.request.urlopen(request, timeout=10))
        assert "error" not in answer, answer
        return answer["result"]

    def balance(self, address):
        return int(self.call("eth_getBalance", address, "latest"), 16)

    def read(self, to, signature, *args):
        done = subprocess.run([tool("cast"), "call", "--rpc-url", self.url, to, signature, *args], text=True,
                              capture_output=True, timeout=60, check=True)
        return done.stdout.split()[0]

    def send(self, to, signature, *args):
        subprocess.run([tool("cast"), "send", "--rpc-url", self.url, "--private-key", KEYS[0], to, signature, *args],
                       capture_output=True, timeout=60, check=True)

    def stop(self):
        self.process.kill()
        self.process.wait()


class Sequencer:
    """Answers about one rollup; `cursor` deposits are in batches."""

    def __init__(self, status):
        self.cursor = 0
        self.accounts = []
        answers = {"quarry_status": lambda: status,
                   "quarry_getAccount": lambda: {"accounts": self.accounts},
                   "quarry_stateRoot": lambda: {"batch": 1, "deposit_cursor": self.cursor, "forced_cursor": 0}}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                answer = json.dumps({"jsonrpc": "2.0", "id": 1, "result": answers[body["method"]]()}).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def quarry(*args, code=OK, env=None):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("QUARRY_")}
    environment.update(env or {})
    done = subprocess.run([BINARY, *args, "--json"], env=environment, text=True, capture_output=True, timeout=300)
    assert done.returncode == code, f"{args}: exit {done.returncode}, not {code}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout)


class WalletOnEthereum(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.base)
        cls.chain = Chain()
        cls.addClassCleanup(cls.chain.stop)
        cls.key_files = []
        for i, key in enumerate(KEYS):
            cls.key_files.append(os.path.join(cls.base, f"eth{i}.key"))
            with open(os.open(cls.key_files[-1], os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
                file.write(key + "\n")
        with open(os.path.join(OUT, "doubles/Doubles.sol/OddToken.json")) as file:
            code = json.load(file)["bytecode"]["object"] + "00" * 64  # answers true, keeps nothing of a transfer
        made = subprocess.run([tool("cast"), "send", "--json", "--rpc-url", cls.chain.url, "--private-key", KEYS[0], "--create", code],
                              text=True, capture_output=True, timeout=60, check=True)
        cls.token = json.loads(made.stdout)["contractAddress"]
        cls.deployment = quarry("l1", "deploy", "--l1", cls.chain.url, "--key", cls.key_files[0], "--profile", "development",
                                "--upgrade-delay", "60", "--token", cls.token, "--out", os.path.join(cls.base, "deployment.json"),
                                "--contracts", os.path.join(OUT, "settlement"), "--verifiers", os.path.join(OUT, "doubles"))
        cls.hub, cls.bridge, cls.rollup = cls.deployment["hub"], cls.deployment["bridge"], str(cls.deployment["rollup_id"])
        view = cls.chain.call("eth_call", {"to": cls.hub, "data": calldata("rollupInfo(uint32)", cls.rollup)}, "latest")
        domain = "0x" + view[2 + 64 * 2:2 + 64 * 3]
        cls.sequencer = Sequencer({
            "l1_chain_id": 31337, "hub": cls.hub, "rollup_id": int(cls.rollup), "genesis_root": EMPTY_ROOT,
            "min_new_pair_fee": "10", "domain": domain, "ready": True, "batch": 0, "posted_batch": 0,
            "proven_batch": 0, "finalised_batch": 0})
        cls.env = {"QUARRY_WALLET": os.path.join(cls.base, "wallet"), "QUARRY_WALLET_PASSPHRASE": PASSPHRASE}
        connected = cls.wallet("connect", "--rpc", cls.sequencer.url, "--l1", cls.chain.url)
        assert "hub confirms" in connected["checked"], connected
        assert "taken from the sequencer" in connected["checked"], "its own contract would confirm anything"
        cls.tokens = connected["tokens"]
        cls.wallet("derive", "--ethereum-key", cls.key_files[1])

    @classmethod
    def wallet(cls, *args, code=OK):
        return quarry("wallet", *args, code=code, env=cls.env)

    def l1(self, command, *args, code=OK):
        return self.wallet(command, *args, "--ethereum-key", self.key_files[1], "--confirmations", "1", code=code)

    def deposits(self):
        return self.chain.call("eth_getLogs", {
            "address": self.bridge, "fromBlock": "0x0",
            "topics": [subprocess.run([tool("cast"), "keccak", "DepositQueued(uint32,uint64,address,uint16,uint96,address,bytes32,uint32,bytes32)"],
                                      text=True, capture_output=True, check=True).stdout.strip()]})

    def test_1_a_dry_run_sends_nothing(self):
        before = self.chain.balance(ADDRESSES[1])
        shown = self.l1("deposit", "--amount", "0.5", "--dry-run")["transactions"]
        self.assertEqual(len(shown), 1)
        self.assertEqual((shown[0]["to"], shown[0]["value_wei"]), (self.bridge.lower(), str(5 * 10**17)))
        self.assertGreater(shown[0]["gas"], 21000)
        self.assertGreater(int(shown[0]["cost_wei"]), 0)
        self.l1("force-withdraw", "--slot", "3", "--dry-run")
        self.assertEqual(self.chain.balance(ADDRESSES[1]), before)
        self.assertEqual(self.deposits(), [])

    def test_2_deposit_of_ether(self):
        self.sequencer.cursor = 1
        made = self.l1("deposit", "--amount", "0.5", "--id", "first")
        self.assertEqual((made["index"], made["amount"], made["credited"]), (0, str(5 * 10**17), True))
        log = self.deposits()[0]
        key_hash = self.wallet("address")["key_hash"]
        self.assertIn(key_hash[2:], log["data"])
        self.assertIn(ADDRESSES[1][2:].lower(), log["data"])
        self.assertEqual(int(self.chain.read(self.bridge, "balanceOf(uint32,uint16)(uint256)", self.rollup, "0")), 5 * 10**17)
        # The same command again, as after an interruption: it is the same deposit.
        again = self.l1("deposit", "--amount", "0.5", "--id", "first")
        self.assertEqual(again["transactions"], made["transactions"])
        self.assertEqual(len(self.deposits()), 1)

    def test_3_deposit_of_a_token_approves_the_amount(self):
        self.assertEqual(len(self.tokens), 1)
        self.chain.send(self.token, "mint(address,uint256)", ADDRESSES[1], "1000")
        # It says neither its decimals nor its symbol.
        self.assertEqual((self.tokens[0]["decimals"], self.tokens[0]["symbol"]), (0, "token"))
        made = self.l1("deposit", "--amount", "7", "--token", "1", "--no-wait", "--new-slot")
        self.assertEqual((made["amount"], made["credited"], len(made["transactions"])), ("7", False, 2))
        self.assertEqual(int(self.chain.read(self.bridge, "balanceOf(uint32,uint16)(uint256)", self.rollup, "1")), 7)
        self.assertEqual(int(self.chain.read(self.token, "allowance(address,address)(uint256)", ADDRESSES[1], self.bridge)), 0)

    def test_4_forced_entries(self):
        first = self.l1("force-withdraw", "--slot", "3")
        self.assertEqual((first["index"], first["slot"]), (0, 3))
        fee = int(first["fee_wei"])
        self.assertGreater(fee, 0)
        self.wallet("derive", "--name", "second", "--index", "1", "--ethereum-key", self.key_files[1])
        second = self.l1("set-key", "--slot", "3", "--new-key", "second")
        self.assertEqual(second["index"], 1)
        self.assertGreater(int(second["fee_wei"]), fee)
        # What was sent above the fee came back, and what the entry that waits added to it burnt: the bridge holds deposits and
        # what a sequencer gets for each entry, no more.
        self.assertEqual(self.chain.balance(self.bridge), 5 * 10**17 + 2 * fee)
        self.wallet("new", "--name", "foreign", "--l1-address", ADDRESSES[0])
        self.assertEqual(self.l1("set-key", "--slot", "3", "--new-key", "foreign", code=REFUSED)["error"]["name"], "wrong_l1_address")

    def test_5_an_id_names_one_transaction_whatever_it_would_be_by_now(self):
        first = self.l1("force-withdraw", "--slot", "5", "--id", "out-of-5")
        # The fee has risen with the entry itself: another call, the same command.
        again = self.l1("force-withdraw", "--slot", "5", "--id", "out-of-5")
        self.assertEqual((again["index"], again["transactions"]), (first["index"], first["transactions"]))
        count = len(self.deposits())
        made = self.l1("deposit", "--amount", "3", "--token", "1", "--no-wait", "--new-slot", "--key", "main", "--id", "tokens")
        again = self.l1("deposit", "--amount", "4", "--token", "1", "--no-wait", "--key", "main", "--id", "tokens")
        self.assertEqual((again["index"], again["amount"]), (made["index"], "3"))
        self.assertEqual(again["transactions"], made["transactions"][-1:])
        self.assertEqual(len(self.deposits()), count + 1)

    def test_6_what_was_interrupted_before_it_left_is_taken_back(self):
        poor = os.path.join(self.base, "poor.key")
        with open(os.open(poor, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write("0x" + "00" * 31 + "77\n")
        arguments = ["deposit", "--amount", "0.25", "--no-wait", "--new-slot", "--key", "main", "--ethereum-key", poor,
                     "--confirmations", "1"]
        count = len(self.deposits())
        process = self.start_wallet(*arguments)
        self.await_text(process, "cannot pay")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        self.assertEqual(json.loads(out)["error"]["name"], "interrupted")
        self.assertIn("taken back", out)
        address = subprocess.run([tool("cast"), "wallet", "address", "--private-key", "0x" + "00" * 31 + "77"], text=True,
                                 capture_output=True, check=True).stdout.strip()
        self.chain.call("anvil_setBalance", address, hex(10**18))
        self.wallet(*arguments)
        self.assertEqual(len(self.deposits()), count + 1, "the second alone")

    def test_7_killed_between_signing_and_sending(self):
        count = len(self.deposits())
        arguments = ["deposit", "--amount", "0.125", "--no-wait", "--new-slot", "--key", "main", "--id", "killed",
                     "--ethereum-key", self.key_files[1], "--confirmations", "1"]
        with Withholding(self.chain.url, "eth_sendRawTransaction") as proxy:
            process = self.start_wallet(*arguments, "--l1", proxy.url)
            self.assertTrue(proxy.held.wait(timeout=60), "a signed transaction is on its way")
            process.kill()
            process.communicate(timeout=60)
        self.assertEqual(len(self.deposits()), count)
        made = self.wallet(*arguments)
        self.assertEqual(made["amount"], str(125 * 10**15))
        self.assertEqual(self.wallet(*arguments)["transactions"], made["transactions"])
        self.assertEqual(len(self.deposits()), count + 1)

    def start_wallet(self, *args):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("QUARRY_")} | self.env
        return subprocess.Popen([BINARY, "wallet", *args, "--json"], env=environment, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def await_text(self, process, *words):
        while line := process.stderr.readline():
            if any(word in line for word in words):
                return
        self.fail(f"it never says {words}")

    def test_8_refusals(self):
        name = lambda *args, code: self.l1(*args, code=code)["error"]["name"]
        self.assertEqual(name("deposit", "--amount", "20000", "--key", "main", "--dry-run", code=REFUSED), "insufficient_funds")
        self.assertEqual(name("deposit", "--amount", "0.5", "--key", "main", "--l1", "http://127.0.0.1:1", code=ENVIRONMENT),
                         "l1_unreachable")
        self.assertEqual(name("deposit", "--amount", "0", "--key", "main", code=USAGE), "usage")
        self.assertEqual(self.l1("claim")["withdrawals"], [])


class Withholding:
    """A way to the chain on which requests with one method arrive nowhere."""

    def __init__(self, target, method):
        self.held = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if method.encode() in body:
                    outer.held.set()
                    time.sleep(60)
                    return
                request = urllib.request.Request(target, body, {"content-type": "application/json"})
                answer = urllib.request.urlopen(request, timeout=30).read()
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()


def main():
    global BINARY, ROOT, OUT
    BINARY, ROOT, OUT = (os.path.abspath(sys.argv.pop(1)) for _ in range(3))
    unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
