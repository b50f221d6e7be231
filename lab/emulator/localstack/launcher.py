"""Starts LocalStack 2026.3.0 in host mode.

Loopback only, no Docker, nothing downloaded, nothing outside its own folder.

Each patch asserts what it replaces, so that another version of LocalStack fails at its start and not in
the middle of a run. LocalStack itself is configured by its environment (see localstack.ts).
"""

import functools
import os
import sys
import threading

here = os.path.dirname(os.path.abspath(__file__))
# the smallest of our mappings' maxConcurrency
concurrent_batches = 5


def listen_on_loopback():
    """Its server ignores the address in GATEWAY_LISTEN and would take every interface."""
    from twisted.internet.endpoints import TCP4ServerEndpoint

    init = TCP4ServerEndpoint.__init__
    assert init.__code__.co_varnames[:5] == ("self", "reactor", "port", "backlog", "interface"), "other endpoints"

    @functools.wraps(init)
    def on_loopback(self, reactor, port, backlog=50, interface=""):
        init(self, reactor, port, backlog, "127.0.0.1")

    TCP4ServerEndpoint.__init__ = on_loopback


def keep_s3_inside():
    """Its S3 objects would stand under one fixed path in /tmp, which two of them would share."""
    from localstack.services.s3.storage.ephemeral import EphemeralS3ObjectStore

    init = EphemeralS3ObjectStore.__init__
    assert init.__code__.co_varnames[:2] == ("self", "root_directory"), "S3 objects are stored in another way"
    EphemeralS3ObjectStore.__init__ = lambda self, root_directory=None: init(self, None)


def run_dynamodb_from_jars():
    """DynamoDB Local is there already: nothing is downloaded, and it runs inside Python, on loopback only."""
    from localstack.services.dynamodb import packages, server

    installer, dynamodb = packages.DynamoDBLocalPackageInstaller, server.DynamodbServer
    for owner, name in ((installer, "get_java_env_vars"), (dynamodb, "_create_shell_command")):
        assert callable(getattr(owner, name, None)), f"{owner.__name__} has no {name}"
    installer.install = lambda self, *args, **kwargs: None
    installer.get_java_env_vars = lambda self: {"JAVA_HOME": os.environ["JAVA_HOME"]}
    program = [sys.executable, os.path.join(here, "dynamodb_local.py"), os.environ["LAB_DYNAMODB_JARS"]]
    dynamodb._create_shell_command = lambda self: [*program, self.heap_size, "-port", str(self.port), "-inMemory"]


def run_handlers_as_processes():
    """Node handlers run as processes of this machine instead of containers."""
    from localstack.services.lambda_.invocation import runtime_executor

    assert callable(runtime_executor.get_runtime_executor), "executors are chosen in another way"
    assert not [name for name in sys.modules if name.endswith("lambda_.invocation.execution_environment")], "too late"
    from node_executor import NodeExecutor

    runtime_executor.get_runtime_executor = lambda: NodeExecutor


def take_batches_side_by_side():
    """A queue's batches go to its function side by side, as on AWS.

    LocalStack waits for each before it asks for the next.
    Order is kept all the same: a FIFO queue gives no message of a group while another of it is on its way.
    """
    from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller

    handle = SqsPoller.handle_messages

    def handle_in_background(self, messages):
        slots = self.__dict__.setdefault("lab_slots", threading.BoundedSemaphore(concurrent_batches))
        slots.acquire()

        def run():
            try:
                handle(self, messages)
            finally:
                slots.release()

        threading.Thread(target=run, daemon=True).start()

    SqsPoller.handle_messages = handle_in_background


def keep_message_bodies():
    """A function gets a message's body as it was sent: LocalStack writes its JSON anew, with other spaces."""
    from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller

    handle, select = SqsPoller.handle_messages, SqsPoller.filter_events
    assert handle.__code__.co_varnames[:2] == ("self", "messages"), "batches are handled in another way"
    assert select.__code__.co_varnames[:2] == ("self", "events"), "messages are filtered in another way"
    sent = threading.local()

    def handle_as_sent(self, messages):
        sent.bodies = {message["MessageId"]: message["Body"] for message in messages}
        handle(self, messages)

    def select_as_sent(self, events):
        return [{**event, "body": sent.bodies[event["messageId"]]} for event in select(self, events)]

    SqsPoller.handle_messages, SqsPoller.filter_events = handle_as_sent, select_as_sent


if __name__ == "__main__":
    listen_on_loopback()
    keep_s3_inside()
    run_dynamodb_from_jars()
    run_handlers_as_processes()
    keep_message_bodies()
    take_batches_side_by_side()
    from localstack.runtime.main import main

    main()
