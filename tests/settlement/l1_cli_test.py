#!/usr/bin/env python3
"""quarry l1 deploy, batch and rewards from the command line, on a chain of its own.

l1_cli_test.py BINARY ROOT
"""
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

BINARY = ROOT = ""
OK, REFUSED, USAGE, BAD_INPUT, ENVIRONMENT = 0, 1, 2, 3, 4
# The first accounts of "test test test test test test test test test test test junk".
KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ACCOUNT = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        anvil = os.path.join(ROOT, "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")
        cls.anvil = subprocess.Popen([anvil, "--port", str(port), "--chain-id", "31337", "--hardfork", "osaka",
                                      "--enable-tx-gas-limit", "-q"], stdout=subprocess.DEVNULL)
        cls.url = f"http://127.0.0.1:{port}"
        with open(os.open(cls.path("key"), os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as f:
            f.write("0x" + KEY + "\n")
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)

    @classmethod
    def tearDownClass(cls):
        cls.anvil.kill()
        cls.anvil.wait()
        cls.folder.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    def run_quarry(self, *args, code=OK):
        done = subprocess.run([BINARY, *args, "--json", "--quiet"], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def deploy(self, *more, code=OK):
        return self.run_quarry("l1", "deploy", "--l1", self.url, "--key", self.path("key"), "--profile", "development",
                               "--verifiers", os.path.join(ROOT, "out/doubles"),
                               "--verifier-data", "",
                               *([] if "--out" in more else ["--out", self.path("deployment.json")]), *more, code=code)

    def test_1_story(self):
        planned = self.deploy("--dry-run")
        self.assertEqual([t["name"] for t in planned["transactions"]],
                         ["proofs", "verifier-1", "verifier-4", "verifier-16", "hub", "rollup"])
        self.assertFalse(os.path.exists(self.path("deployment.json")))

        first = self.deploy()
        self.assertEqual(first["rollup_id"], 1)
        with open(self.path("deployment.json"), encoding="ascii") as f:
            written = f.read()
        self.assertEqual(self.deploy(), first)  # nothing is done again
        with open(self.path("deployment.json"), encoding="ascii") as f:
            self.assertEqual(f.read(), written)

        another = ["--hub", first["hub"], "--out", self.path("another.json")]
        self.assertEqual(self.deploy(*another, code=USAGE)["error"]["name"], "usage", "from which block its events are")
        second = self.deploy(*another, "--first-block", str(first["first_block"]))
        self.assertEqual((second["hub"], second["rollup_id"], second["first_block"]),
                         (first["hub"], 2, first["first_block"]))

        place = ["--l1", self.url, "--deployment", self.path("deployment.json")]
        self.assertEqual(self.run_quarry("batch", "ls", *place)["batches"], [])
        self.assertEqual(self.run_quarry("batch", "show", "1", *place, code=BAD_INPUT)["error"]["name"],
                         "unknown_batch")
        raising = ["batch", "raise", "1", "--amount", "0.5", *place, "--key", self.path("key")]
        for args in (raising + ["--dry-run"], raising):
            self.refused("NotOpen", *args)
        rewards = self.run_quarry("rewards", "--account", ACCOUNT, *place)
        self.assertEqual((rewards["credit"], rewards["batches"]), ("0", []))
        collecting = ["rewards", "--account", ACCOUNT, "--collect", *place, "--key", self.path("key"), "--dry-run"]
        self.refused("NothingToCollect", *collecting)

    def refused(self, cause, *args):
        error = self.run_quarry(*args, code=REFUSED)["error"]
        self.assertEqual(error["name"], "l1_refused")
        self.assertIn(cause, error["message"])

    def test_2_doctor(self):
        self.deploy()
        config = self.path("sequencer.toml")
        with open(config, "w", encoding="ascii") as f:
            f.write(f'[sequencer]\nstate = "{self.path("state")}"\n[rpc]\nport = 0\n[metrics]\nport = 0\n[l1]\nendpoints = ["{self.url}"]\n'
                    f'deployment = "{self.path("deployment.json")}"\nkey = "{self.path("key")}"\n')

        def run(kind, *args):
            done = subprocess.run([BINARY, "doctor", kind, "--config", config, *args, "--json"], capture_output=True, text=True,
                                  timeout=120)
            self.assertEqual(done.returncode, REFUSED, done.stdout)  # the verifying contracts are doubles
            return {check["name"]: check["result"] for check in json.loads(done.stdout)["checks"]}
        found = run("sequencer")
        self.assertEqual([found[n] for n in ("settings", "endpoint", "clock", "hub", "sequencer", "balance", "rpc port")], ["ok"] * 7)
        self.assertEqual((found["verifiers"], found["key file"]), ("fail", "ok"))
        os.chmod(self.path("key"), 0o644)
        self.assertEqual(run("sequencer")["key file"], "fail")
        os.chmod(self.path("key"), 0o600)
        with open(self.path("other"), "w", encoding="ascii") as f:
            f.write("11" * 32)
        os.chmod(self.path("other"), 0o600)
        other = run("sequencer", "--set", "l1.key=" + self.path("other"))
        self.assertEqual((other["sequencer"], other["balance"]), ("fail", "fail"))
        with open(self.path("deployment.json"), encoding="ascii") as f:
            hub = json.load(f)["hub"]
        with open(config, "w", encoding="ascii") as f:
            f.write(f'[prover]\npayee = "{ACCOUNT}"\n[http]\nport = 0\n[l1]\nendpoints = ["{self.url}"]\nhub = "{hub}"\nkey = "{self.path("key")}"\n')
        found = run("prover")
        self.assertEqual([found[n] for n in ("settings", "endpoint", "blobs", "hub", "balance")], ["ok"] * 5)
        self.assertEqual(found["verifiers"], "fail")
        self.assertEqual(run("prover", "--set", "l1.hub=" + ACCOUNT)["hub"], "fail")

    def test_3_upgrade_delay_of_each_profile(self):
        self.deploy()
        with open(self.path("deployment.json"), encoding="ascii") as f:
            hub = json.load(f)["hub"]
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [{"to": hub, "data": "0x0778670f"}, "latest"]}
        request = urllib.request.Request(self.url, json.dumps(body).encode(), {"content-type": "application/json"})
        self.assertEqual(int(json.load(urllib.request.urlopen(request, timeout=30))["result"], 16), 60)
        refused = self.run_quarry("l1", "deploy", "--l1", self.url, "--key", self.path("key"), "--upgrade-delay", "0",
                                  "--out", self.path("production.json"), code=USAGE)
        self.assertIn("--upgrade-delay", refused["error"]["message"])

    def test_4_refusals(self):
        missing = self.run_quarry("batch", "ls", "--l1", self.url, code=USAGE)
        self.assertEqual(missing["error"]["name"], "usage")
        nobody = self.run_quarry("batch", "ls", "--l1", self.url, "--hub", ACCOUNT, code=REFUSED)
        self.assertEqual(nobody["error"]["name"], "no_hub")
        down = self.run_quarry("batch", "ls", "--l1", "http://127.0.0.1:1", "--hub", ACCOUNT, code=ENVIRONMENT)
        self.assertEqual(down["error"]["name"], "connect_failed")
        with open(self.path("bad"), "w", encoding="ascii") as f:
            f.write("no key")
        raise_by = ["batch", "raise", "1", "--amount", "1", "--l1", self.url, "--hub", ACCOUNT, "--key", self.path("bad")]
        os.chmod(self.path("bad"), 0o644)
        self.assertEqual(self.run_quarry(*raise_by, code=BAD_INPUT)["error"]["name"], "open_to_others")
        os.chmod(self.path("bad"), 0o600)
        self.assertEqual(self.run_quarry(*raise_by, code=BAD_INPUT)["error"]["name"], "bad_key")
        bad = self.deploy("--key", self.path("bad"), code=USAGE)  # --key twice
        self.assertEqual(bad["error"]["name"], "usage")
        ether = self.run_quarry("batch", "raise", "1", "--amount", "1e3", "--l1", self.url, "--hub", ACCOUNT, "--key",
                                self.path("key"), code=USAGE)
        self.assertIn("--amount", ether["error"]["message"])


if __name__ == "__main__":
    BINARY, ROOT = sys.argv[1], sys.argv[2]
    unittest.main(argv=sys.argv[:1])
