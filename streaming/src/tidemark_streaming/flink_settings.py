"""The settings of a cluster of one JobManager and one TaskManager that run one small job."""

from pathlib import Path

import yaml

JOBMANAGER = "jobmanager"
TASKMANAGER = "taskmanager"
CLIENT = "client"

# Heap, and what a JVM takes beside it. Together the two stay below 1.5 GB (docs/streaming.md has the measurement).
HEAP = {
    JOBMANAGER: (
        "-Xms64m -Xmx256m -XX:MaxMetaspaceSize=192m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
        " -XX:+ExitOnOutOfMemoryError"
    ),
    TASKMANAGER: (
        "-Xms128m -Xmx448m -XX:MaxMetaspaceSize=192m -XX:MaxDirectMemorySize=192m -XX:+ExitOnOutOfMemoryError"
        # Only what goes through many changes is optimized: ten times as much as usual has to be seen first. Of the 10
        # CPU-seconds of a start 2.5 went into the optimizing of what runs once.
        " -XX:Tier4InvocationThreshold=50000 -XX:Tier4MinInvocationThreshold=6000"
        " -XX:Tier4CompileThreshold=150000 -XX:Tier4BackEdgeThreshold=400000"
    ),
    CLIENT: "-Xmx256m",
}

# In a pod the JobManager plans the job itself, which a client does on one machine.
POD_HEAP = {
    JOBMANAGER: (
        "-Xms64m -Xmx384m -XX:MaxMetaspaceSize=256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
        " -XX:+ExitOnOutOfMemoryError"
    ),
    TASKMANAGER: HEAP[TASKMANAGER],
}

# A TaskManager that no script starts wants its share of the machine spelled out; heap and direct memory as above.
_TASKMANAGER_MEMORY = {
    "taskmanager.cpu.cores": "1.0",
    "taskmanager.memory.framework.heap.size": "64m",
    "taskmanager.memory.task.heap.size": "384m",
    "taskmanager.memory.framework.off-heap.size": "96m",
    "taskmanager.memory.task.off-heap.size": "64m",
    "taskmanager.memory.network.min": "32m",
    "taskmanager.memory.network.max": "32m",
    # For RocksDB and Python workers: there are none.
    "taskmanager.memory.managed.size": "0m",
    "taskmanager.memory.jvm-metaspace.size": "192m",
    "taskmanager.memory.jvm-overhead.min": "128m",
    "taskmanager.memory.jvm-overhead.max": "128m",
}

_TIMES: dict[str, str | int] = {
    # How old the metrics are that `status` shows, in ms; they are fetched only when somebody asks.
    "metrics.fetcher.update-interval": 300,
    "heartbeat.interval": 2000,
    "heartbeat.timeout": 20000,
    # Flink's ten seconds are too short for a machine that has much else to do.
    "pekko.startup-timeout": "60 s",
}


def cluster_settings(*, host: str, rest: int, rpc: int, temporary: Path) -> dict[str, str | int]:
    """Give Flink's settings: everything bound to one address, nothing to upload through the web UI."""
    return {
        "jobmanager.rpc.address": host,
        "jobmanager.rpc.port": rpc,
        "jobmanager.bind-host": host,
        "rest.address": host,
        "rest.bind-address": host,
        "rest.port": rest,
        "taskmanager.host": host,
        "taskmanager.bind-host": host,
        "taskmanager.numberOfTaskSlots": 1,
        "web.submit.enable": "false",
        "web.cancel.enable": "false",
        "io.tmp.dirs": str(temporary),
        "web.tmpdir": str(temporary),
        **_TIMES,
        **_TASKMANAGER_MEMORY,
    }


REST_PORT, METRICS_PORT = 8081, 9249
# Prometheus asks each process; the plugin has to be in the folder of Flink's plugins.
METRICS = {
    "metrics.reporters": "prometheus",
    "metrics.reporter.prometheus.factory.class": "org.apache.flink.metrics.prometheus.PrometheusReporterFactory",
}


def pod_settings(
    *, cluster: str, namespace: str, address: str, high_availability: str, folder: Path, python: str
) -> dict[str, str | int]:
    """Give the settings of both pods: ports are fixed, so that policies can name them; the leader is in ConfigMaps."""
    return {
        "high-availability.type": "kubernetes",
        "high-availability.storageDir": high_availability,
        "kubernetes.cluster-id": cluster,
        "kubernetes.namespace": namespace,
        "jobmanager.rpc.address": address,
        "jobmanager.rpc.port": 6123,
        "blob.server.port": 6124,
        "high-availability.jobmanager.port": 6123,
        "rest.address": address,
        "rest.bind-address": "0.0.0.0",
        "rest.port": REST_PORT,
        "taskmanager.host": address,
        "taskmanager.rpc.port": 6122,
        "taskmanager.data.port": 6121,
        "taskmanager.numberOfTaskSlots": 1,
        # A job that has failed is there to be asked why, until somebody acts.
        "execution.shutdown-on-application-finish": "false",
        "execution.submit-failed-job-on-application-error": "true",
        "python.client.executable": python,
        **METRICS,
        "metrics.reporter.prometheus.port": METRICS_PORT,
        "web.submit.enable": "false",
        "web.cancel.enable": "false",
        "io.tmp.dirs": str(folder / "tmp"),
        "web.tmpdir": str(folder / "tmp"),
        **_TIMES,
        **_TASKMANAGER_MEMORY,
    }


def java_options(flink: Path) -> list[str]:
    """Give what Java 17 wants to hear: the wheel's own configuration lists it."""
    wheel = yaml.safe_load((flink / "conf" / "config.yaml").read_text(encoding="utf-8"))
    return str(wheel["env"]["java"]["opts"]["all"]).split()


def _log4j(appender: str, name: str) -> str:
    """Say where logs go, and what is too talkative."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- Written at each start. -->
<Configuration status="warn">
  <Appenders>
{appender}  </Appenders>
  <Loggers>
    <Root level="info"><AppenderRef ref="{name}"/></Root>
    <Logger name="org.apache.pekko" level="warn"/>
    <Logger name="org.apache.hadoop" level="warn"/>
    <Logger name="org.apache.flink.shaded" level="error"/>
    <Logger name="org.apache.parquet" level="warn"/>
    <Logger name="org.apache.flink.api.java.typeutils" level="warn"/>
    <Logger name="org.apache.flink.configuration.GlobalConfiguration" level="warn"/>
  </Loggers>
</Configuration>
"""


_LAYOUT = """<PatternLayout pattern="%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5p %c{1} %m%n"/>"""
POD_LOGS = _log4j(
    f"""    <Console name="console">
      {_LAYOUT}
    </Console>
""",
    "console",
)
LOG_SETTINGS = _log4j(
    f"""    <RollingFile name="file" fileName="${{sys:log.file}}" filePattern="${{sys:log.file}}.%i">
      {_LAYOUT}
      <SizeBasedTriggeringPolicy size="10MB"/>
      <DefaultRolloverStrategy max="4"/>
    </RollingFile>
""",
    "file",
)
