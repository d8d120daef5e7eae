#!/usr/bin/env python3
"""Proving a batch in segments, each by a process of its own: the statement, crashes, and what a work folder keeps.

segments_test.py BINARY
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = ""
OK, REFUSED, USAGE, BAD_INPUT, ENVIRONMENT = 0, 1, 2, 3, 4
PAYEE = "0x00000000000000000000000000000000000000b0"
MIX = "transfer=60,new=8,withdraw=8,deposit=8,change=6,forced=6,setkey=4"
SEGMENTS = 3


def quarry(*args):
    return subprocess.run([BINARY, *args, "--quiet"], capture_output=True, text=True, timeout=600)


class Segments(unittest.TestCase):
    """One batch of every kind of operation on a small state, proven in three segments."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        cls.state, cls.batches, cls.input = cls.path("state"), cls.path("batches"), cls.path("operations.jsonl")
        cls.done("genesis", "--accounts", "200", "--balance", "1000000", "--seed", "5", "--out", cls.state)
        cls.done("workload", "--state", cls.state, "--count", "60", "--seed", "6", "--mix", MIX, "--out", cls.input)
        cls.done("execute", "--state", cls.state, "--in", cls.input, "--out", cls.batches)
        cls.batch = os.path.join(cls.batches, "batch-000001")
        cls.work = cls.path("work")
        cls.proven = cls.done(*cls.prove_args(cls.work))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    @classmethod
    def prove_args(cls, work, *more):
        return ["prove", cls.batch, "--state", cls.state, "--out", work, "--payee", PAYEE, "--segments", str(SEGMENTS),
                "--workers", "2", *more]

    @staticmethod
    def done(*args):
        result = quarry(*args, "--json")
        if result.returncode != OK:
            raise AssertionError((args, result.returncode, result.stderr))
        return json.loads(result.stdout)

    def expect_failure(self, args, code, name):
        result = quarry(*args, "--json")
        self.assertEqual(result.returncode, code, (args, result.stderr))
        self.assertRegex(result.stderr, r"\Aquarry: [^\n]+; [^\n]+\n\Z", args)
        if code != USAGE:
            self.assertEqual(json.loads(result.stdout)["error"]["name"], name)

    def copy(self, name):
        shutil.rmtree(self.path(name), ignore_errors=True)
        shutil.copytree(self.work, self.path(name))
        return self.path(name)

    def unfinished(self, name):
        """The work without results, its log, and the proofs: planned, not started."""
        work = self.copy(name)
        for result in os.listdir(os.path.join(work, "results")):
            os.unlink(os.path.join(work, "results", result))
        os.unlink(os.path.join(work, "log.jsonl"))
        shutil.rmtree(os.path.join(work, "proofs"))
        return work

    def start(self, work):
        return subprocess.Popen([BINARY, *self.prove_args(work), "--quiet", "--json"], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    @staticmethod
    def log(work):
        try:
            with open(os.path.join(work, "log.jsonl"), encoding="ascii") as file:
                return [json.loads(line) for line in file if line.endswith("\n")]
        except FileNotFoundError:
            return []

    def wait_for(self, what, process):
        for _ in range(6000):
            found = what()
            if found:
                return found
            self.assertIsNone(process.poll(), "ended too early")
            time.sleep(0.02)
        self.fail("nothing happened")

    @staticmethod
    def running(log):
        """pids of the executions that have started and not ended."""
        ended = {(e["task"], e["attempt"]) for e in log if e["event"] == "end"}
        return [e["pid"] for e in log if e["event"] == "start" and (e["task"], e["attempt"]) not in ended]

    def executions(self, work):
        return [task["executions"] for task in self.done("tasks", work)["tasks"]]

    def test_every_segment_and_the_whole(self):
        self.assertEqual(self.proven["segments"], SEGMENTS)
        self.assertEqual(self.proven["executed"], SEGMENTS)
        self.assertEqual(self.proven["failed"], 0)
        self.assertGreaterEqual(self.proven["provable_bits"], 100)
        with open(os.path.join(self.batch, "statement.json"), encoding="ascii") as file:
            claimed = json.load(file)
        with open(self.proven["statement"], encoding="ascii") as file:
            merged = json.load(file)
        self.assertEqual(merged["payee"], PAYEE)
        for field, value in claimed.items():
            if field not in ("payee", "work_root"):
                self.assertEqual(merged[field], value, field)
        words = 0
        for proof in self.proven["proofs"]:
            verified = self.done("verify", proof, "--statement", proof + ".statement.json", "--batch", self.batch)
            self.assertEqual(verified["first_word"], words)
            words += verified["words"]
        self.assertEqual(words, claimed["work_units"])

    def test_a_segment_of_another_batch_is_refused(self):
        proof = self.proven["proofs"][1]
        with open(proof + ".statement.json", encoding="ascii") as file:
            said = json.load(file)
        for field in ("domain", "header", "before_data_digest", "after_data_digest", "after_effects_digest"):
            other = dict(said)
            other[field] = other[field][:-1] + ("1" if other[field][-1] != "1" else "2")
            with open(self.path("other.json"), "w", encoding="ascii") as file:
                json.dump(other, file)
            self.expect_failure(["verify", proof, "--statement", self.path("other.json"), "--batch", self.batch],
                                REFUSED, "statement_mismatch")
        first = self.proven["proofs"][0] + ".statement.json"
        self.expect_failure(["verify", proof, "--statement", first], REFUSED, "statement_mismatch")

    def test_doing_it_again_does_nothing(self):
        again = self.done(*self.prove_args(self.work))
        self.assertEqual((again["executed"], again["reused"]), (0, SEGMENTS))

    def test_tasks(self):
        shown = self.done("tasks", self.work)
        self.assertEqual(shown["done"], SEGMENTS)
        for index, task in enumerate(shown["tasks"]):
            self.assertEqual(task["kind"], "segment")
            self.assertEqual(task["parameters"]["index"], str(index))
            self.assertEqual(task["state"], "done")
            self.assertEqual(task["executions"], 1)
            self.assertEqual(task["last"]["outcome"], "done")
            self.assertGreater(task["last"]["cpu_ms"], 0)
            self.assertGreater(task["output_bytes"], 100000)
        text = quarry("tasks", self.work)
        self.assertIn(f"{SEGMENTS} of {SEGMENTS} tasks done", text.stdout)
        self.expect_failure(["tasks", self.batches], BAD_INPUT, "not_a_work_folder")

    def test_damaged_output_is_proven_again(self):
        work = self.copy("damaged")
        with open(os.path.join(work, "results", self.done("tasks", work)["tasks"][1]["id"]), encoding="ascii") as file:
            output = os.path.join(work, "objects", file.read().split()[1])
        with open(output, "r+b") as file:
            file.seek(20000)
            file.write(b"damage")
        self.assertEqual(self.done("tasks", work)["damaged"], 1)
        again = self.done(*self.prove_args(work))
        self.assertEqual((again["executed"], again["reused"], again["damaged"]), (1, SEGMENTS - 1, 1))
        self.assertEqual(self.executions(work), [1, 2, 1])

    def test_damaged_input_is_made_again(self):
        work = self.copy("damaged-input")
        task = self.done("tasks", work)["tasks"][0]
        os.unlink(os.path.join(work, "objects", task["inputs"][0]["object"]))
        os.unlink(os.path.join(work, "results", task["id"]))
        again = self.done(*self.prove_args(work))
        self.assertEqual((again["executed"], again["reused"]), (1, SEGMENTS - 1))

    def test_a_killed_worker_costs_its_own_task(self):
        work = self.unfinished("killed-worker")
        process = self.start(work)
        pid = self.wait_for(lambda: self.running(self.log(work)), process)[0]
        try:
            os.kill(pid, signal.SIGKILL)
            killed = True
        except ProcessLookupError:  # it was done just now
            killed = False
        out, errors = process.communicate(timeout=600)
        self.assertEqual(process.returncode, OK, errors)
        report = json.loads(out)
        self.assertLessEqual(report["executed"], SEGMENTS + 1)
        if killed and report["failed"]:
            self.assertEqual(sorted(self.executions(work)), [1, 1, 2])

    def test_stopped_and_killed_runs_go_on(self):
        work = self.unfinished("stopped")
        # Ctrl-C after the first task is done.
        process = self.start(work)
        self.wait_for(lambda: any(e["event"] == "end" for e in self.log(work)), process)
        self.wait_for(lambda: self.running(self.log(work)), process)
        process.send_signal(signal.SIGSTOP)  # so that it does not end meanwhile
        self.expect_failure(self.prove_args(work), ENVIRONMENT, "locked_by_another_process")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, ENVIRONMENT, errors)
        self.assertIn("go on", errors)
        done = self.done("tasks", work)["done"]
        self.assertGreaterEqual(done, 1)
        # The whole program is killed, and its workers die with it.
        process = self.start(work)
        started = len(self.log(work))
        pids = self.wait_for(lambda: self.running(self.log(work)[started:]), process)
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
        for pid in pids:
            for _ in range(500):
                try:
                    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                        if file.read().split(")")[1].split()[0] == "Z":
                            break
                except (FileNotFoundError, ProcessLookupError):
                    break
                time.sleep(0.02)
            else:
                self.fail(f"worker {pid} lives on")
        report = self.done(*self.prove_args(work))
        self.assertGreaterEqual(report["reused"], done)
        self.assertEqual(report["failed"], 0)
        with open(report["statement"], "rb") as one, open(self.proven["statement"], "rb") as other:
            self.assertEqual(one.read(), other.read())

    def test_a_cap_that_is_too_low(self):
        self.expect_failure(self.prove_args(self.unfinished("capped"), "--memory-cap", "40"), ENVIRONMENT, "task_failed")

    def test_a_folder_is_of_one_work(self):
        args = self.prove_args(self.work)
        args[args.index(PAYEE)] = PAYEE[:-1] + "1"
        self.expect_failure(args, ENVIRONMENT, "other_work")
        args = self.prove_args(self.work)
        args[args.index("--segments") + 1] = "2"
        self.expect_failure(args, ENVIRONMENT, "other_work")
        self.expect_failure(self.prove_args(self.batches), ENVIRONMENT, "not_empty")

    def test_usage(self):
        self.expect_failure(["prove", self.batch, "--state", self.state, "--out", self.path("x"), "--workers", "2"],
                            USAGE, None)
        self.expect_failure(self.prove_args(self.path("x"), "--statement", self.path("y")), USAGE, None)
        self.expect_failure(["task", "run", self.work, "00"], BAD_INPUT, "no_such_task")
        self.expect_failure(["task", "run", self.batches, "00"], BAD_INPUT, "not_a_work_folder")

    @unittest.skipIf("*Slow*" in os.environ.get("GTEST_FILTER", ""), "release only")
    def test_4096_transfers_in_8_segments_slow(self):
        split = self.done("bench", "split", "--transfers", "4096", "--accounts", "8192", "--segments", "8",
                          "--workers", "2", "--runs", "1", "--folder", self.folder.name)
        self.assertIs(split["same_statement"], True)
        self.assertEqual(split["split"]["segments"], 8)
        self.assertEqual(split["split"]["executions"], 8)
        self.assertLess(split["cpu_ratio"], 3)
        self.assertLess(split["cells_ratio"], 1.25)
        print(f"CPU of 8 segments against one: {split['cpu_ratio']}, cells: {split['cells_ratio']}")


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=1)
