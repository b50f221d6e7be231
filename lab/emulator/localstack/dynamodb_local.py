"""DynamoDB Local inside this Python, on loopback only. usage: dynamodb_local.py JARS HEAP ARGUMENTS..."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
# LocalStack gives it a session of its own, out of reach of the lab's leash.
# It ends with LocalStack all the same.
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

import jpype  # noqa: E402

jars, heap, *arguments = sys.argv[1:]
jpype.startJVM(
    os.path.join(os.environ["JAVA_HOME"], "lib/server/libjvm.so"),
    f"-Xmx{heap}",
    f"-Djava.library.path={jars}",
    classpath=[f"{jars}/*"],
    interrupt=False,
)
runner = jpype.JClass("com.amazonaws.services.dynamodbv2.local.main.ServerRunner")
server = runner.createServerFromCommandLineArgs(arguments)
fields = server.getClass().getDeclaredFields()
jetty = "org.eclipse.jetty.server.Server"
web_servers = [field for field in fields if str(field.getType().getName()) == jetty]
assert len(web_servers) == 1, "DynamoDB Local keeps its web server in another way"
web_servers[0].setAccessible(True)
for connector in web_servers[0].get(server).getConnectors():
    connector.setHost("127.0.0.1")
server.start()
server.join()
