"""Starts MiniStack 1.5.33 with the patches that the lab needs.

Each patch asserts what it replaces, so that another version of MiniStack fails at its start and not in
the middle of a run. MiniStack itself is configured by its environment (see emulator.ts).
"""

import contextvars
import json

from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.services import eventbridge, lambda_svc


def accept_aws_events():
    """Lets the lab's simulators publish `aws.*` events through the ordinary PutEvents API.

    AWS refuses these sources from customers, and so does MiniStack; here the simulators stand for AWS itself.
    """
    assert eventbridge._put_events.__defaults__ == (False,), "PutEvents has other defaults: look at its aws.* rule"
    eventbridge._put_events.__defaults__ = (True,)


def count_loopback_as_tls():
    """Lets policies that refuse plain HTTP (`aws:SecureTransport`) pass; every other role check stays on.

    The staging bucket of `cdk bootstrap` and every queue with `enforceSSL` have such a policy. MiniStack
    speaks plain HTTP on loopback, so that with AUTH=true it would refuse the upload of assets and each
    message.
    """
    resolve = iam_evaluator._resolve_condition_key
    assert resolve.__code__.co_varnames[:2] == ("key", "ctx"), "condition keys are resolved in another way"

    def resolve_as_tls(key, ctx):
        return "true" if key.lower() == "aws:securetransport" else resolve(key, ctx)

    iam_evaluator._resolve_condition_key = resolve_as_tls


def scope_parameters_by_path():
    """Checks `ssm:GetParametersByPath` against the path that is asked for, as AWS does, not against `*`."""
    extract = iam_actions.extract_resource_arn
    assert extract.__code__.co_varnames[:8] == (
        *("service", "method", "path", "headers", "body", "query_params", "region", "account_id"),
    ), "resource ARNs are made from other arguments"

    def extract_with_path(service, method, path, headers, body, query_params, region, account_id, *args, **kwargs):
        if service == "ssm" and iam_actions._action_from_target(headers) == "GetParametersByPath":
            folder = json.loads(body)["Path"].strip("/")
            return f"arn:aws:ssm:{region}:{account_id}:parameter/{folder}"
        return extract(service, method, path, headers, body, query_params, region, account_id, *args, **kwargs)

    iam_actions.extract_resource_arn = extract_with_path


def keep_error_names():
    """Lets a Node handler's error keep its name on the way to Invoke and Step Functions, as on AWS.

    MiniStack reports every thrown error as `Runtime.HandlerError`, which no Retry or Catch by name would match.
    """
    reply = 'status: "error", error: String(err.message || err), trace: err.stack || ""'
    assert lambda_runtime._NODEJS_WORKER_SCRIPT.count(reply) == 1, "the Node worker reports errors in another way"
    lambda_runtime._NODEJS_WORKER_SCRIPT = lambda_runtime._NODEJS_WORKER_SCRIPT.replace(
        reply, reply + ', errorType: (err && err.name) || "Error"'
    )
    error_type = contextvars.ContextVar("error_type", default=None)
    worker_invoke = lambda_runtime.Worker.invoke
    execute_warm = lambda_svc._execute_function_warm

    def invoke(self, *args, **kwargs):
        reply = worker_invoke(self, *args, **kwargs)
        failed = isinstance(reply, dict) and reply.get("status") == "error"
        error_type.set(reply.get("errorType") if failed else None)
        return reply

    def execute(*args, **kwargs):
        error_type.set(None)
        result = execute_warm(*args, **kwargs)
        name = error_type.get()
        if name and result.get("error") and isinstance(result.get("body"), dict):
            result["body"]["errorType"] = name
        return result

    lambda_runtime.Worker.invoke = invoke
    lambda_svc._execute_function_warm = execute


if __name__ == "__main__":
    accept_aws_events()
    count_loopback_as_tls()
    scope_parameters_by_path()
    keep_error_names()
    from ministack.app import main

    main()
