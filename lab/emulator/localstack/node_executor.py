"""Runs each execution environment of a Node function as one process (node-worker.ts), one call at a time."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading

from localstack import config
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node-worker.ts")


class NodeExecutor(RuntimeExecutor):
    process = None

    def start(self, env_vars):
        root = str(self.function_version.config.code.get_unzipped_code_location())
        self.env = {
            **json.loads(os.environ["LAB_HANDLER_ENVIRONMENT"]),
            **{name: str(value) for name, value in env_vars.items() if name != "AWS_SESSION_TOKEN"},
            # as MiniStack has it without roles, and as the lab's API gateway knows it
            "AWS_ACCESS_KEY_ID": self.function_version.id.account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "PATH": os.environ["PATH"],
            "TMPDIR": os.environ["TMPDIR"],
            # halves what a cold start takes from the second one on
            "NODE_COMPILE_CACHE": os.environ["LAB_HANDLER_CACHE"],
            "LAMBDA_TASK_ROOT": root,
        }
        self.logs = []
        self._spawn()

    def _spawn(self):
        self.answers = queue.Queue()
        read, write = os.pipe()
        self.process = subprocess.Popen(
            [os.environ["LAB_NODE"], WORKER, str(write)],
            cwd=self.env["LAMBDA_TASK_ROOT"],
            env=self.env,
            text=True,
            pass_fds=(write,),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        os.close(write)
        for target, args in (
            (self._read_answers, (os.fdopen(read), self.answers)),
            (self._read_log, (self.process.stdout,)),
        ):
            threading.Thread(target=target, args=args, daemon=True).start()

    @staticmethod
    def _read_answers(pipe, answers):
        with pipe:
            for line in pipe:
                answers.put(json.loads(line))
        answers.put({"errorType": "Runtime.ExitError", "errorMessage": "Runtime exited"})

    def _read_log(self, pipe):
        name = self.function_version.id.function_name
        with pipe:
            for line in pipe:
                self.logs.append(line)
                sys.stdout.write(f"[{name}] {line}")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def invoke(self, payload):
        if self.process.poll() is not None:
            self._spawn()
        before = len(self.logs)
        timeout = int(self.env["AWS_LAMBDA_FUNCTION_TIMEOUT"])
        # A process that is gone, before or while it worked, has left its last answer: that it is.
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(payload) + "\n")
            self.process.stdin.flush()
        try:
            answer = self.answers.get(timeout=timeout)
        except queue.Empty:
            self.stop()
            answer = {"errorType": "Sandbox.Timedout", "errorMessage": f"Task timed out after {timeout}.00 seconds"}
        failed = "errorType" in answer
        return InvocationResult(
            payload["invoke-id"],
            (json.dumps(answer) if failed else answer["result"]).encode(),
            is_error=failed,
            logs="".join(self.logs[before:]),
        )

    def get_logs(self):
        return "".join(self.logs)

    def get_address(self):
        return "127.0.0.1"

    def get_endpoint_from_executor(self):
        return "127.0.0.1"

    def get_runtime_endpoint(self):
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    @classmethod
    def prepare_version(cls, function_version):
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version):
        """Nothing to do: the code's folder goes with LocalStack's own."""
