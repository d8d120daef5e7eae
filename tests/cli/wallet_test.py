#!/usr/bin/env python3
"""`quarry wallet` against a real sequencer without L1: keys, backups, payments, history, and what it refuses.

wallet_test.py BINARY
"""
import fcntl
import http.server
import json
import os
import pty
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

BINARY = ""
OK, REFUSED, USAGE, BAD_INPUT, ENVIRONMENT = 0, 1, 2, 3, 4
PASSPHRASE = "correct horse battery"

# Accounts 0 and 1 of `quarry genesis --seed 11` as backups: made by an independent program (Python) from the definitions of
# development keys and of BIP-350.
SEED = "11"
ACCOUNT_0 = ("quarrysecret1qyhelm022jxczdhgqv457gyn78xpsx6u434y8spe5dklt0t7q49n0mekpzjlnevuzl9n5zns6g0k5myu53pyamw556hz7rkn38"
             "37nkc8lzpx8")
ACCOUNT_1 = ("quarrysecret1qycflm022jxczdhgqv457gyn78xpsx6u434y8spe5dklt0t7q49n0mekpzjlnevuzl9n5zktutnhpj85jnn8c79yc5sa3g73hq"
             "8kgxqflrh43")
# The secret of quarry/node/wallet/wallet_text_test.cpp, derived from anvil's first key for this hub.
ETHEREUM_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ETHEREUM_ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
HUB = "0x5fbdb2315678afecb367f032d93f642f64180aa3"


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self):
        return json.loads(self.out)


def run(*args, env=None, stdin=None):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("QUARRY_")}
    environment.update(env or {})
    return Result(subprocess.run([BINARY, *args], env=environment, input=stdin, text=True, capture_output=True, timeout=120))


class Wallet:
    """A wallet folder of its own."""

    def __init__(self, base, name):
        self.folder = os.path.join(base, name)
        self.env = {"QUARRY_WALLET": self.folder, "QUARRY_WALLET_PASSPHRASE": PASSPHRASE}

    def __call__(self, *args, code=OK, env=None, stdin=None):
        result = run("wallet", *args, "--json", env={**self.env, **(env or {})}, stdin=stdin)
        assert result.code == code, f"{args}: exit {result.code}, not {code}: {result.out}{result.err}"
        return result.json

    def refused(self, *args, code, **more):
        return self(*args, code=code, **more)["error"]["name"]


class Sequencer:
    def __init__(self, state):
        self.process = subprocess.Popen(
            [BINARY, "sequencer", "--state", state, "--development-without-l1", "--rpc-port", "0", "--set", "metrics.port=0",
             # Fees arrive when a batch is closed, whenever that is: not in an account whose balance is looked at.
             "--set", "fees.slot=2", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        self.url = f"http://127.0.0.1:{json.loads(line)['rpc_port']}"

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)
        self.process.stdout.close()


class Keys(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.base)
        self.wallet = Wallet(self.base, "wallet")

    def test_new_key_backup_and_restore(self):
        made = self.wallet("new", "--l1-address", ETHEREUM_ADDRESS)
        self.assertTrue(made["receiving_address"].startswith("quarry1"))
        self.assertEqual(made["l1_address"], ETHEREUM_ADDRESS)
        self.assertEqual(stat.S_IMODE(os.stat(made["file"]).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.wallet.folder).st_mode), 0o700)
        before = open(made["file"], "rb").read()
        self.assertEqual(self.wallet.refused("new", "--l1-address", ETHEREUM_ADDRESS, code=ENVIRONMENT), "key_exists")
        self.assertEqual(open(made["file"], "rb").read(), before)
        self.assertEqual(self.wallet.refused("backup", code=REFUSED, env={"QUARRY_WALLET_PASSPHRASE": "correct horse"}),
                         "wrong_passphrase")
        paper = os.path.join(self.base, "paper.txt")
        self.wallet("backup", "--out", paper)
        self.assertEqual(stat.S_IMODE(os.stat(paper).st_mode), 0o600)
        self.assertEqual(self.wallet.refused("backup", "--out", paper, code=ENVIRONMENT), "file_exists")
        again = Wallet(self.base, "again")("restore", "--in", paper)
        self.assertEqual(again["receiving_address"], made["receiving_address"])
        self.assertEqual(again["origin"], "backup")
        text = open(paper).read()
        wrong = text.replace(text[40], "q" if text[40] != "q" else "p", 1)
        self.assertEqual(self.wallet.refused("restore", "--name", "b", "--in", "-", code=BAD_INPUT, stdin=wrong), "bad_backup")
        os.chmod(paper, 0o644)
        self.assertEqual(self.wallet.refused("restore", "--name", "b", "--in", paper, code=BAD_INPUT), "open_to_others")
        with open(made["file"], "r+b") as file:
            file.seek(60)  # in the key's hash, which is another one each time
            byte = file.read(1)
            file.seek(60)
            file.write(b"8" if byte == b"7" else b"7")
        self.assertEqual(self.wallet.refused("address", code=BAD_INPUT), "keystore_damaged")

    def test_derivation_is_the_specified_one(self):
        derive = ["derive", "--chain-id", "31337", "--hub", HUB, "--rollup", "5", "--index", "2"]
        self.assertEqual(self.wallet.refused(*derive, code=USAGE), "no_ethereum_key")
        derived = self.wallet(*derive, env={"QUARRY_ETHEREUM_KEY": ETHEREUM_KEY})
        self.assertEqual((derived["origin"], derived["l1_address"]), ("ethereum", ETHEREUM_ADDRESS))
        backup = self.wallet("backup")["backup"]
        # The secret and the address of wallet_text_test.cpp, in BIP-350 by another program.
        self.assertEqual(backup, "quarrysecret1qxtp4zuxggqe4xjw0eahj42jk4305jux4tmewn7st24aj0q9cd2cvq4sw0m0tcpchyetkphnnltw2x4d3rm0fnn2hzp8y7w0l7ujyesmfyktq")
        self.assertEqual(self.wallet.refused("derive", "--name", "x", code=BAD_INPUT), "not_connected")
        for some in (["--hub", HUB], ["--chain-id", "31337", "--hub", HUB], ["--rollup", "5"]):
            self.assertEqual(self.wallet.refused("derive", "--name", "x", *some, code=USAGE), "usage")

    def test_names_and_choice(self):
        self.assertEqual(self.wallet.refused("address", code=BAD_INPUT), "no_such_key")
        self.assertEqual(self.wallet("list")["keys"], [])
        self.assertEqual(self.wallet.refused("new", "--l1-address", ETHEREUM_ADDRESS, code=REFUSED,
                                             env={"QUARRY_WALLET_PASSPHRASE": "short"}), "passphrase_too_short")
        for name, text in (("a", ACCOUNT_0), ("b", ACCOUNT_1)):
            self.wallet("restore", "--name", name, "--in", "-", stdin=text)
        self.assertEqual(self.wallet.refused("address", code=BAD_INPUT), "choose_key")
        self.assertEqual([k["name"] for k in self.wallet("list")["keys"]], ["a", "b"])
        self.assertEqual(self.wallet.refused("new", "--name", "../c", "--l1-address", ETHEREUM_ADDRESS, code=USAGE), "usage")
        self.assertEqual(self.wallet.refused("new", "--name", "c", "--l1-address", ETHEREUM_ADDRESS[:-1] + "7", code=USAGE),
                         "bad_address")

    def test_a_typed_passphrase_is_not_shown(self):
        pid, fd = pty.fork()
        if pid == 0:
            environment = {k: v for k, v in os.environ.items() if not k.startswith("QUARRY_")}
            environment["QUARRY_WALLET"] = self.wallet.folder
            os.execve(BINARY, [BINARY, "wallet", "new", "--l1-address", ETHEREUM_ADDRESS], environment)
        shown = b""

        def expect(text):
            nonlocal shown
            deadline = time.monotonic() + 60
            while text not in shown and time.monotonic() < deadline:
                if select.select([fd], [], [], 1)[0]:
                    try:
                        shown += os.read(fd, 4096)
                    except OSError:
                        break
            self.assertIn(text, shown)

        expect(b"a new passphrase for key 'main': ")
        os.write(fd, PASSPHRASE.encode() + b"\n")
        expect(b"the same again: ")
        os.write(fd, PASSPHRASE.encode() + b"\n")
        expect(b"receiving address")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), OK)
        os.close(fd)
        self.assertNotIn(PASSPHRASE.encode(), shown)
        self.wallet("backup")


class Payments(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.base)
        cls.state = os.path.join(cls.base, "state")
        made = run("genesis", "--accounts", "3", "--balance", "1000000000000000000", "--seed", SEED, "--token", "0", "--out",
                   cls.state)
        assert made.code == OK, made.err
        cls.sequencer = Sequencer(cls.state)
        cls.addClassCleanup(lambda: cls.sequencer.stop())
        cls.rich = Wallet(cls.base, "rich")
        cls.rich("connect", "--rpc", cls.sequencer.url)
        cls.rich("restore", "--in", "-", stdin=ACCOUNT_0)
        cls.poor = Wallet(cls.base, "poor")
        cls.poor("connect", "--rpc", cls.sequencer.url)
        cls.poor("new", "--l1-address", ETHEREUM_ADDRESS)

    def balances(self, wallet):
        return [int(a["balance"]) for a in wallet("balance")["accounts"]]

    def test_1_connect_is_once_and_to_the_right_one(self):
        self.assertEqual(self.rich.refused("connect", "--rpc", self.sequencer.url, code=ENVIRONMENT), "connected_already")
        other = Wallet(self.base, "other")
        connect = ["connect", "--rpc", self.sequencer.url]
        self.assertEqual(other.refused(*connect, "--hub", HUB, code=REFUSED), "wrong_rollup")
        self.assertEqual(other.refused(*connect, "--rollup-id", "2", code=REFUSED), "wrong_rollup")
        self.assertEqual(other.refused("connect", "--rpc", "ftp://x", code=BAD_INPUT), "bad_url")
        self.assertEqual(other.refused("connect", "--rpc", "http://127.0.0.1:1", code=ENVIRONMENT), "rpc_unreachable")
        network = os.path.join(self.rich.folder, "network.json")
        self.assertEqual(stat.S_IMODE(os.stat(network).st_mode), 0o600)
        other("connect", "--rpc", self.sequencer.url, "--rollup-id", "1")
        with open(network) as file:
            text = file.read()
        with open(os.path.join(other.folder, "network.json"), "w") as file:
            file.write(text.replace('"rollup_id":1', '"rollup_id":9'))
        other("new", "--l1-address", ETHEREUM_ADDRESS)
        self.assertEqual(other.refused("balance", code=REFUSED), "wrong_rollup")

    def test_2_pay_and_withdraw(self):
        self.assertEqual(self.balances(self.poor), [])
        self.assertEqual(self.balances(self.rich), [10**18])
        to = self.poor("address")["receiving_address"]
        first = self.rich("transfer", "--to", to, "--amount", "0.25")
        self.assertEqual((first["stage"], first["amount"], first["nonce"]), ("executed", str(25 * 10**16), 0))
        self.assertEqual(self.balances(self.poor), [25 * 10**16])
        slot = self.poor("balance")["accounts"][0]["slot"]
        self.assertEqual(first["created_slot"], slot)
        second = self.rich("transfer", "--to", str(slot), "--amount", "0.000000000000000001", "--fee", "0.000000000000000005")
        self.assertEqual((second["nonce"], second["to"], second["fee"]), (1, to, "5"))
        self.assertEqual(self.balances(self.poor), [25 * 10**16 + 1])
        out = self.poor("withdraw", "--amount", "all")
        self.assertEqual(out["to"], ETHEREUM_ADDRESS)
        self.assertEqual(self.balances(self.poor), [0])
        self.assertEqual(int(out["amount"]) + int(out["fee"]), 25 * 10**16 + 1)
        history = self.rich("history")["operations"]
        self.assertEqual([(o["type"], o["stage"]) for o in history[:2]], [("transfer_new", "executed"), ("transfer", "executed")])
        self.assertEqual(history[0]["id"], first["id"])
        self.assertEqual(self.rich("receipt", first["id"])["stage"], "executed")
        self.assertEqual(self.rich("resend")["operations"], [])

    def test_3_refusals_move_nothing(self):
        before = self.balances(self.rich)
        to = self.poor("address")["receiving_address"]
        refused = self.rich.refused
        self.assertEqual(refused("transfer", "--to", to, "--amount", "2", code=REFUSED), "insufficient_balance")
        self.assertEqual(refused("transfer", "--to", to[:-1] + ("q" if to[-1] != "q" else "p"), "--amount", "0.1", code=USAGE),
                         "bad_address")
        self.assertEqual(refused("transfer", "--to", to, "--amount", "1e3", code=USAGE), "not_a_number")
        self.assertEqual(refused("transfer", "--to", to, "--amount", "0.1", "--token", "7", code=USAGE), "unknown_token")
        self.assertEqual(refused("transfer", "--to", "999999", "--amount", "0.1", code=REFUSED), "unknown_receiver")
        self.assertEqual(refused("transfer", "--to", to, "--amount", "0.1", code=REFUSED,
                                 env={"QUARRY_WALLET_PASSPHRASE": "wrong wrong"}), "wrong_passphrase")
        # A new slot has a price, whatever a transfer costs.
        fresh = Wallet(self.base, "fresh")("new", "--l1-address", ETHEREUM_ADDRESS)["receiving_address"]
        self.assertEqual(refused("transfer", "--to", fresh, "--amount", "0.1", "--max-fee", "0", code=REFUSED), "fee_above_limit")
        self.assertEqual(refused("receipt", "0x" + "00" * 32, code=REFUSED), "unknown_operation")
        self.assertEqual(self.balances(self.rich), before)
        self.assertEqual(refused("deposit", "--amount", "1", code=USAGE), "no_ethereum_key")
        self.assertEqual(refused("claim", code=USAGE, env={"QUARRY_ETHEREUM_KEY": ETHEREUM_KEY}), "no_l1")

    def test_4_a_signature_that_got_lost_is_sent_again_and_not_made_twice(self):
        to = self.poor("address")["receiving_address"]
        transfer = ["transfer", "--to", to, "--amount", "0.01"]
        with Losing(self.sequencer.url, forwards=False) as proxy:
            self.assertEqual(self.rich.refused(*transfer, "--rpc", proxy.url, code=ENVIRONMENT), "rpc_unreachable")
        self.assertEqual(self.rich.refused(*transfer, code=REFUSED), "operation_pending")
        self.assertEqual(self.rich("history")["operations"][-1]["stage"], "unknown")
        before = self.balances(self.rich)[0]
        resent = self.rich("resend")["operations"]
        self.assertEqual([o["stage"] for o in resent], ["executed"])
        self.assertLess(self.balances(self.rich)[0], before)
        after = self.balances(self.rich)[0]
        # The operation arrives, its answer does not: it is executed once.
        with Losing(self.sequencer.url, forwards=True) as proxy:
            self.assertEqual(self.rich.refused(*transfer, "--rpc", proxy.url, code=ENVIRONMENT), "rpc_unreachable")
        self.assertEqual(self.balances(self.rich)[0], 2 * after - before)
        self.assertEqual(self.rich("resend")["operations"], [])
        self.assertEqual(self.rich("history")["operations"][-1]["stage"], "executed")

    def test_5_two_processes_do_not_sign_at_once(self):
        operations = os.path.join(self.rich.folder, "operations")
        with open(os.path.join(operations, os.listdir(operations)[0])) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.assertEqual(self.rich.refused("withdraw", "--amount", "0.1", code=ENVIRONMENT), "wallet_busy")

    def test_5_waiting_keeps_nobody_from_signing(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("QUARRY_")}
        transfer = ["transfer", "--to", self.poor("address")["receiving_address"], "--amount", "0.01"]
        # Without L1 nothing is ever posted: it waits until it is told to end.
        waiting = subprocess.Popen([BINARY, "wallet", *transfer, "--wait", "posted"], env={**environment, **self.rich.env},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            while "executed" not in (line := waiting.stderr.readline()):
                self.assertNotEqual(line, "", "it ended early")
            self.assertEqual(self.rich(*transfer)["stage"], "executed")
            self.assertIsNone(waiting.poll())
        finally:
            waiting.terminate()
            waiting.communicate(timeout=60)
        self.assertEqual(waiting.returncode, ENVIRONMENT)

    def test_6_without_a_sequencer_nothing_is_signed(self):
        operations = os.path.join(self.rich.folder, "operations")
        path = os.path.join(operations, os.listdir(operations)[0])
        log = open(path).read()
        self.sequencer.stop()
        self.assertEqual(self.rich.refused("withdraw", "--amount", "0.1", code=ENVIRONMENT), "rpc_unreachable")
        self.assertEqual(open(path).read(), log)


class Losing:
    """A way to the sequencer on which the answer to a sent operation is lost, and without `forwards` the operation too."""

    def __init__(self, target, forwards):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                is_sent = b"quarry_sendOperation" in body
                answer = b""
                if forwards or not is_sent:
                    request = urllib.request.Request(target, body, {"content-type": "application/json"})
                    answer = urllib.request.urlopen(request, timeout=30).read()
                if is_sent:
                    self.close_connection = True
                    return
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()


def main():
    global BINARY
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
