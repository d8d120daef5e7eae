#!/usr/bin/env python3
"""State directories, files of operations and their execution from the command line: what is refused and how, and that a
killed run is continued to the same state.

bad_input_test.py BINARY
"""
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = ""
OK, REFUSED, USAGE, BAD_INPUT, ENVIRONMENT = 0, 1, 2, 3, 4
ACCOUNTS, LINES, INVALID, KILLS = 40, 240, 26, 50
TIMESTAMP = "1700000000"
MIX = "transfer=70,new=5,withdraw=5,deposit=10,change=3,forced=3,setkey=4"


def quarry(*args, **kwargs):
    return subprocess.run([BINARY, *args, "--quiet"], capture_output=True, text=True, timeout=120, **kwargs)


class Folder(unittest.TestCase):
    """A state, operations for it, and what executing them gives."""

    @classmethod
    def setUpClass(cls):
        # In memory where there is such a place: a killed process loses nothing that it has written, synced or not.
        cls.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        cls.state, cls.input = cls.path("state"), cls.path("operations.jsonl")
        cls.genesis = cls.done("genesis", "--accounts", str(ACCOUNTS), "--balance", "1000000", "--seed", "5",
                               "--out", cls.state)
        cls.workload = cls.done("workload", "--state", cls.state, "--count", str(LINES), "--invalid", str(INVALID),
                                "--mix", MIX, "--out", cls.input)
        with open(cls.input, encoding="ascii") as file:
            cls.lines = file.read().splitlines()
        cls.report = cls.done(*cls.execute_args(cls.copy("whole"), cls.path("whole-batches")))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    @classmethod
    def copy(cls, name):
        """A fresh copy of the state before any operation."""
        shutil.rmtree(cls.path(name), ignore_errors=True)
        return shutil.copytree(cls.state, cls.path(name))

    @classmethod
    def execute_args(cls, state, out, batch_size=12, file=None, timestamp=TIMESTAMP):
        return ["execute", "--state", state, "--in", file or cls.input, "--out", out, "--timestamp", timestamp,
                "--batch-size", str(batch_size)]

    @staticmethod
    def done(*args):
        result = quarry(*args, "--json")
        if result.returncode != OK:
            raise AssertionError((args, result.returncode, result.stderr))
        return json.loads(result.stdout)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def expect_failure(self, args, code, name=None):
        """Exit code, exactly one line on stderr that says what and what to do, and the same as JSON."""
        result = quarry(*args, "--json")
        self.assertEqual(result.returncode, code, (args, result.stderr))
        self.assertRegex(result.stderr, r"\Aquarry: [^\n]+; [^\n]+\n\Z", args)
        if code == USAGE:
            return result
        error = json.loads(result.stdout)["error"]
        self.assertEqual(error["exit_code"], code)
        self.assertTrue(error["message"] and error["remedy"], error)
        if name:
            self.assertEqual(error["name"], name, error)
        return result


class WholeCommands(Folder):
    def test_what_the_files_say(self):
        self.assertEqual(self.genesis["slots"], ACCOUNTS)
        self.assertEqual(self.genesis["root"], self.genesis["genesis_root"])
        self.assertEqual(self.workload["valid"] + INVALID, LINES)
        self.assertEqual(self.report["executed"] + self.report["queue_entries"], self.workload["valid"])
        self.assertEqual(self.report["rejects_by_code"], self.workload["invalid"])
        shown = self.done("state", "show", "--state", self.path("whole"))
        self.assertEqual((shown["root"], shown["batch"]), (self.report["root"], self.report["batches"]))
        self.assertGreater(self.report["batches"], 10)

    def test_equal_seeds_make_equal_files(self):
        again = self.path("again.jsonl")
        self.done("workload", "--state", self.state, "--count", str(LINES), "--invalid", str(INVALID), "--mix", MIX,
                  "--threads", "1", "--key-seed", "5", "--out", again)
        with open(again, encoding="ascii") as file:
            self.assertEqual(file.read().splitlines(), self.lines)

    def test_text_output(self):
        result = quarry(*self.execute_args(self.copy("text"), self.path("text-batches")))
        self.assertEqual((result.returncode, result.stderr), (OK, ""))
        for text in (self.report["root"], "bad_signature", "rejects.jsonl"):
            self.assertIn(text, result.stdout)

    def test_snapshot(self):
        snapshot = self.path("snapshot.bin")
        whole, copy = self.path("whole"), self.path("imported")
        exported = self.done("state", "export", "--state", whole, "--out", snapshot)
        self.assertEqual(exported["snapshot_bytes"], os.path.getsize(snapshot))
        imported = self.done("state", "import", "--in", snapshot, "--like", whole, "--state", copy)
        self.assertEqual(imported["root"], self.report["root"])
        self.expect_failure(["state", "import", "--in", snapshot, "--like", whole, "--state", copy], ENVIRONMENT,
                            "exists_already")
        with open(snapshot, "rb") as file:
            data = bytearray(file.read())
        data[len(data) // 2] ^= 1
        with open(snapshot, "wb") as file:
            file.write(data)
        self.expect_failure(["state", "import", "--in", snapshot, "--like", whole, "--state", self.path("no")],
                            BAD_INPUT)
        self.expect_failure(["state", "import", "--in", self.input, "--like", whole, "--state", self.path("no")],
                            BAD_INPUT, "bad_magic")

    # ACCEPTANCE 11: one line with cause and remedy, and a stable exit code.
    def test_wrong_places(self):
        missing, empty, other = self.path("missing"), self.path("empty"), self.path("other")
        os.makedirs(empty, exist_ok=True)
        os.makedirs(other, exist_ok=True)
        self.write("other/letter.txt", "dear reader")
        state, whole, batches = self.copy("places"), self.path("whole"), self.path("whole-batches")
        file, out = self.input, self.path("out")
        new = ["genesis", "--accounts", "2", "--balance", "1", "--out"]
        table = [
            ("missing state", self.execute_args(missing, out), BAD_INPUT, "no_such_directory"),
            ("empty folder as state", self.execute_args(empty, out), BAD_INPUT, "not_a_state_directory"),
            ("another folder as state", self.execute_args(other, out), BAD_INPUT, "not_a_state_directory"),
            ("a file as state", self.execute_args(file, out), BAD_INPUT, None),
            ("missing state shown", ["state", "show", "--state", missing], BAD_INPUT, "no_such_directory"),
            ("missing state exported", ["state", "export", "--state", missing, "--out", out], BAD_INPUT,
             "no_such_directory"),
            ("missing state for a workload", ["workload", "--state", missing, "--count", "1", "--out", out], BAD_INPUT,
             "no_such_directory"),
            ("missing input", self.execute_args(state, out, file=missing), BAD_INPUT, "cannot_read"),
            ("folder as input", self.execute_args(state, out, file=other), BAD_INPUT, "cannot_read"),
            ("device as input", self.execute_args(state, out, file="/dev/null"), BAD_INPUT, "cannot_read"),
            ("batches into another folder", self.execute_args(state, other), ENVIRONMENT, "not_empty"),
            ("batches into a file", self.execute_args(state, file), ENVIRONMENT, "cannot_write"),
            ("batches below a file", self.execute_args(state, file + "/x"), ENVIRONMENT, "cannot_write"),
            ("another folder than the first run's", self.execute_args(whole, empty), BAD_INPUT, "too_short"),
            ("earlier timestamp", self.execute_args(whole, batches, timestamp="1"), REFUSED, "timestamp_too_early"),
            ("genesis into a state", [*new, state], ENVIRONMENT, "exists_already"),
            ("genesis into another folder", [*new, other], ENVIRONMENT, "exists_already"),
            ("genesis onto a file", [*new, file], ENVIRONMENT, None),
            ("keys of another seed", ["workload", "--state", state, "--count", "1", "--key-seed", "6", "--out", out],
             REFUSED, "no_sender"),
            ("workload into a missing folder", ["workload", "--state", state, "--count", "1", "--out", missing + "/x"],
             ENVIRONMENT, "cannot_write"),
            ("workload onto a full disk", ["workload", "--state", state, "--count", "1", "--out", "/dev/full"],
             ENVIRONMENT, "disk_full"),
            ("snapshot onto a full disk", ["state", "export", "--state", state, "--out", "/dev/full"], ENVIRONMENT,
             "disk_full"),
        ]
        for what, args, code, name in table:
            with self.subTest(what=what):
                self.expect_failure(args, code, name)
        shown = self.done("state", "show", "--state", state)
        self.assertEqual(shown["root"], self.genesis["root"])

    def test_state_without_a_seed(self):
        state = self.copy("seedless")
        os.remove(os.path.join(state, "development.json"))
        self.expect_failure(["workload", "--state", state, "--count", "1", "--out", self.path("x")], BAD_INPUT,
                            "no_seed")

    def test_batches_of_another_rollup(self):
        other = self.path("other-rollup")
        self.done("genesis", "--accounts", "3", "--balance", "7", "--seed", "6", "--out", other)
        self.expect_failure(self.execute_args(other, self.path("whole-batches")), BAD_INPUT, "wrong_rollup")

    def test_wrong_usage(self):
        out = self.path("unused")
        workload = ["workload", "--state", self.state, "--count", "5", "--out", out]
        for args in (
                ["genesis"],
                ["genesis", "--accounts", "0", "--balance", "1", "--out", out],
                ["genesis", "--accounts", "2", "--balance", "-1", "--out", out],
                ["genesis", "--accounts", "2", "--balance", "01", "--out", out],
                ["genesis", "--accounts", "2", "--balance", "79228162514264337593543950335", "--out", out],
                ["genesis", "--accounts", "2", "--balance", "1", "--token", "65536", "--out", out],
                [*workload, "--mix", "transfer"],
                [*workload, "--mix", "transfer=x"],
                [*workload, "--mix", "teleport=1"],
                [*workload, "--mix", "transfer=0"],
                [*workload, "--invalid", "6"],
                [*workload, "--fee", "4722366482869645213696"],
                ["execute", "--state", self.state],
                self.execute_args(self.state, out, batch_size=0),
                ["state"],
                ["state", "show"],
                ["bench", "execute", "--transfers", "0"],
        ):
            with self.subTest(args=args):
                self.expect_failure(args, USAGE)
        self.assertFalse(os.path.exists(out))

    def test_two_processes_on_one_state(self):
        for _ in range(50):
            state, out = self.copy("shared"), self.path("shared-batches")
            shutil.rmtree(out, ignore_errors=True)
            first = subprocess.Popen([BINARY, *self.execute_args(state, out, batch_size=2), "--quiet", "--json"],
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            while not os.path.exists(os.path.join(out, "batch-000001")) and first.poll() is None:
                time.sleep(0.001)
            if first.poll() is None:
                os.kill(first.pid, signal.SIGSTOP)
                if os.WIFSTOPPED(os.waitpid(first.pid, os.WUNTRACED)[1]):
                    break
            first.communicate(timeout=120)  # it ended before it could be stopped
        else:
            self.fail("ended each time before the test could look")
        try:
            for args in (self.execute_args(state, out), ["state", "show", "--state", state]):
                self.expect_failure(args, ENVIRONMENT, "locked_by_another_process")
        finally:
            os.kill(first.pid, signal.SIGCONT)
            text, errors = first.communicate(timeout=120)
        self.assertEqual((first.returncode, errors), (OK, ""))
        self.assertEqual(json.loads(text)["root"], self.report["root"])

    def test_full_disk(self):
        disk = self.path("disk")
        os.makedirs(disk)
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], capture_output=True)
        if mount.returncode != 0:
            self.skipTest("no right to mount a small disk")
        try:
            self.expect_failure(["genesis", "--accounts", "2000", "--balance", "1", "--out", disk + "/state"],
                                ENVIRONMENT, "disk_full")
            shutil.rmtree(disk + "/state", ignore_errors=True)
            state = self.copy("full")
            args = self.execute_args(state, disk + "/batches")
            self.expect_failure(args, ENVIRONMENT, "disk_full")
            self.assertGreater(self.done("state", "show", "--state", state)["batch"], 0)
            subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
            report = self.done(*args)
            self.assertTrue(report["resumed"])
            self.assertEqual((report["root"], report["rejects_by_code"]),
                             (self.report["root"], self.report["rejects_by_code"]))
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_a_write_that_fails_in_the_middle(self):
        state, out = self.copy("limited"), self.path("limited-batches")
        args = self.execute_args(state, out, batch_size=1000)
        limit = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""  # 4 or 8 KiB a file: less than the batch
        result = subprocess.run(["bash", "-c", limit, BINARY, *args, "--quiet"], capture_output=True, text=True,
                                timeout=120)
        self.assertEqual(result.returncode, ENVIRONMENT, result.stderr)
        self.assertRegex(result.stderr, r"\Aquarry: [^\n]+; [^\n]+\n\Z")
        self.assertEqual(self.done(*args)["root"], self.report["root"])


class Lines(Folder):
    """Lines that are refused one by one, while the others go on."""

    def run_lines(self, lines, name="lines"):
        out = self.path(name + "-batches")
        shutil.rmtree(out, ignore_errors=True)
        file = self.write(name + ".jsonl", "".join(line + "\n" for line in lines))
        report = self.done(*self.execute_args(self.copy(name), out, file=file))
        with open(os.path.join(out, "rejects.jsonl"), encoding="utf-8") as rejects:
            return report, [json.loads(line) for line in rejects]

    def changed(self, line, **fields):
        """The line with other values; None takes a field away."""
        document = {**json.loads(line), **fields}
        return json.dumps({k: v for k, v in document.items() if v is not None})

    # ACCEPTANCE 11, the lines that concern operations.
    def test_every_kind_of_bad_line(self):
        good = next(line for line in self.lines if '"type":"transfer",' in line and json.loads(line)["nonce"] == 0)
        key = json.loads(good)["key"]
        signature = json.loads(good)["signature"]
        table = [
            ("no JSON", "transfer 5 to 7", "bad_syntax"),
            ("cut", good[:-1], "bad_syntax"),
            ("an array", "[]", "bad_syntax"),
            ("nested", '{"type":{"a":1}}', "bad_syntax"),
            ("not ASCII", '{"type":"\u00fcberweisung"}', "bad_syntax"),
            ("nothing in it", "{}", "missing_field"),
            ("unknown type", self.changed(good, type="teleport"), "unknown_type"),
            ("missing field", self.changed(good, nonce=None), "missing_field"),
            ("unknown field", self.changed(good, memo="rent"), "unknown_field"),
            ("double field", good[:-1] + ',"nonce":0}', "duplicate_field"),
            ("number as text", self.changed(good, nonce="0"), "wrong_type"),
            ("negative number", self.changed(good, nonce=-1), "bad_syntax"),
            ("huge number", self.changed(good, nonce=1 << 70), "bad_number"),
            ("amount as number", self.changed(good, amount=5), "wrong_type"),
            ("amount too large", self.changed(good, amount=str(1 << 96)), "bad_amount"),
            ("amount negative", self.changed(good, amount="-1"), "bad_amount"),
            ("short key", self.changed(good, key=key[:-2]), "bad_hex"),
            ("key off the curve", self.changed(good, key=key[:-1] + ("0" if key[-1] != "0" else "1")), "off_curve"),
            ("key above the modulus", self.changed(good, key="0xffffffff" + key[10:]), "non_canonical"),
            ("long line", good + " " * 5000, "too_long"),
            ("unknown account", self.changed(good, slot=ACCOUNTS + 1000), "unknown_slot"),
            ("account beyond the tree", self.changed(good, slot=1 << 31), "slot_out_of_range"),
            ("fee beyond its width", self.changed(good, fee=str(1 << 72)), "fee_too_large"),
            ("another amount than signed", self.changed(good, amount="1"), "bad_signature"),
            ("another expiry than signed", self.changed(good, expiry=4000000001), "bad_signature"),
            ("damaged signature", self.changed(good, signature=signature[:40] + "00" + signature[42:]),
             "bad_signature"),
            ("no scalar in the signature", self.changed(good, signature="0x" + "ff" * 59), "bad_signature"),
            ("another's account", self.changed(good, slot=(json.loads(good)["slot"] + 1) % ACCOUNTS), "wrong_key"),
        ]
        report, rejects = self.run_lines([line for _, line, _ in table] + [good])
        self.assertEqual((report["executed"], report["rejected"]), (1, len(table)))
        for number, ((what, _, code), reject) in enumerate(zip(table, rejects), 1):
            with self.subTest(what=what):
                self.assertEqual((reject["line"], reject["code"]), (number, code))
                self.assertRegex(reject["reason"], r"\w+ \w+")
        self.assertEqual(report["rejects_by_code"], dict(collections.Counter(code for _, _, code in table)))

    def test_signed_but_not_executable(self):
        """Flaws under a valid signature, from the workload; and lines that come a second time."""
        codes = {"bad_signature", "bad_syntax", "expired", "insufficient_balance", "nonce_too_high", "nonce_too_low",
                 "receiver_pair_mismatch", "self_transfer", "unknown_receiver", "unknown_slot", "wrong_key",
                 "wrong_token", "zero_amount"}
        self.assertEqual(set(self.report["rejects_by_code"]), codes)
        signed = [line for line in self.lines if '"type":"transfer"' in line][:40]
        once, _ = self.run_lines(signed)
        twice, rejects = self.run_lines(signed + signed, "twice")
        self.assertEqual(twice["root"], once["root"])
        late = collections.Counter(r["code"] for r in rejects if r["line"] > len(signed))
        self.assertGreaterEqual(late["nonce_too_low"], once["executed"])

    def test_nothing_but_rejects(self):
        report, rejects = self.run_lines(["", "{}", "", "nonsense"])
        self.assertEqual((report["batches"], report["root"]), (0, self.genesis["root"]))
        self.assertEqual([r["line"] for r in rejects], [2, 4])
        report, _ = self.run_lines([], "empty")
        self.assertEqual(report["rejected"], 0)


class Kills(Folder):
    def files_of(self, folder):
        found = {}
        for parent, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(parent, name), "rb") as file:
                    found[os.path.relpath(os.path.join(parent, name), folder)] = file.read()
        return found

    def test_kill_at_any_moment(self):
        want = self.files_of(self.path("whole-batches"))
        rng = random.Random(1)
        start = time.monotonic()
        self.done(*self.execute_args(self.copy("timed"), self.path("timed-batches")))
        whole_seconds = time.monotonic() - start
        kills = finished = 0
        while kills < KILLS or finished == 0:
            state, out = self.copy("killed"), self.path("killed-batches")
            shutil.rmtree(out, ignore_errors=True)
            args = self.execute_args(state, out)
            while True:
                process = subprocess.Popen([BINARY, *args, "--quiet", "--json"], stdout=subprocess.PIPE,
                                           stderr=subprocess.PIPE, text=True)
                if kills < KILLS:
                    time.sleep(rng.uniform(0, 0.8 * whole_seconds))
                    process.kill()
                text, errors = process.communicate(timeout=120)
                if process.returncode == OK:
                    break
                self.assertEqual((process.returncode, errors), (-signal.SIGKILL, ""))
                kills += 1
            finished += 1
            report = json.loads(text)
            for field in ("root", "executed", "queue_entries", "rejects_by_code", "batches", "slots"):
                self.assertEqual(report[field], self.report[field], field)
            self.assertEqual({k: v for k, v in self.files_of(out).items() if ".part" not in k}, want)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
