"""Runs `spark_job.py` in an environment with PySpark, against the same broker."""

import json
import subprocess
from pathlib import Path

import jvm
import packages

HERE = Path(__file__).resolve().parent
COMPAT = HERE.parent.parent / "compat"
VERSION = "4.0.0"
PATIENCE = 1800


class Spark:
    def __init__(self, directory):
        self.directory = Path(directory)
        self.python = packages.python(f"pyspark=={VERSION}")
        self.jars = ",".join(jvm.class_path(COMPAT / "suites" / "spark" / "pom.xml", spark_version=VERSION).split(":"))
        self.jobs = 0

    def job(self, workload, address, topic, rows_per_batch, **more):
        self.jobs += 1
        watermark = None if workload.watermark is None else [workload.watermark[0], workload.watermark[1].lower()]
        job = {
            "run": "measure",
            "jars": self.jars,
            "address": address,
            "topic": topic,
            "from": "earliest",
            "columns": workload.columns,
            "watermark": watermark,
            "tables": workload.tables,
            "sql": workload.spark_sql or workload.sql,
            "distinct_on": workload.spark_distinct_on,
            "mode": workload.mode,
            "rows_per_batch": rows_per_batch,
            "checkpoint": str(self.directory / f"spark-{self.jobs}"),
            "sink": "noop",
            **more,
        }
        log = open(self.directory / f"spark-{self.jobs}.log", "wb")
        command = [self.python, HERE / "spark_job.py", json.dumps(job)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, cwd=self.directory, text=True)

    def measured(self, *arguments, **more):
        process = self.job(*arguments, **more)
        out, _ = process.communicate(timeout=PATIENCE)
        if process.returncode != 0:
            log = (self.directory / f"spark-{self.jobs}.log").read_text(errors="replace")
            raise RuntimeError(f"Spark ended with code {process.returncode}\n{log[-3000:]}")
        return json.loads(out.splitlines()[-1])
