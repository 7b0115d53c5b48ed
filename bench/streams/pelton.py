"""Pelton's side: a server, the workload as a streaming table, and what its process used until the table had read all."""

import json
import time
import urllib.error
import urllib.request

from corpus import cpu_seconds, resident_mb
from server import Server, until

PATIENCE = 600


class Pelton:
    def __init__(self, directory, engine):
        self.server = Server(directory, engine=engine).start()

    @property
    def kafka(self):
        return self.server.kafka

    @property
    def pid(self):
        return self.server.process.pid

    def close(self):
        self.server.close()

    def call(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"http://{self.server.http}/api/{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{error.read().decode(errors='replace')}\n{body}") from None

    def sql(self, text):
        return self.call("sql", {"sql": text})["answers"][-1]["rows"]

    def query(self, name):
        (found,) = [query for query in self.call("queries") if query["name"] == name]
        if found.get("error"):
            raise RuntimeError(f"{name}: {found['error']}")
        return found

    def tables(self, workload, topic, rows_per_batch):
        """What the workload reads."""
        self.sql(
            f"CREATE OR REPLACE STREAMING TABLE source ({workload.columns}) "
            f"USING kafka OPTIONS (topic '{topic}', maxOffsetsPerTrigger {rows_per_batch})"
        )
        for name, (columns, rows) in workload.tables.items():
            self.sql(f"CREATE STREAMING TABLE IF NOT EXISTS {name} ({columns}) USING kafka OPTIONS (topic '{name}')")
            if self.sql(f"SELECT count(*) FROM {name}") == [[0]]:
                values = ", ".join(f"({n}, 'word {n}')" for n in range(rows))
                self.sql(f"INSERT INTO {name} VALUES {values}")

    def create(self, workload, sink):
        """Begins the query; `sink` is what stands after USING, without the mode."""
        column, delay = workload.watermark
        select = workload.sql.format(events=f"STREAM source WATERMARK {column} DELAY OF INTERVAL {delay}")
        provider, _, options = sink.partition(" ")
        options = ", ".join(filter(None, [options, f"outputMode '{workload.mode}'"]))
        self.sql(f"CREATE STREAMING TABLE sink USING {provider} OPTIONS ({options}) AS {select}")

    def drained(self, workload, topic, rows, rows_per_batch, sink="noop"):
        """Reads a backlog of so many rows; how much processor time that took, and in how many batches."""
        self.tables(workload, topic, rows_per_batch)
        before, began = cpu_seconds(self.pid), time.monotonic()
        self.create(workload, sink)

        def read():
            query = self.query("sink")
            return query if query["rows_total"] >= rows else None

        # Asked seldom: the answers are part of what is measured.
        done = None
        while done is None:
            if time.monotonic() - began > PATIENCE:
                raise RuntimeError(f"{workload.name}: {self.query('sink')} after {PATIENCE} seconds")
            time.sleep(0.1)
            done = read()
        found = {
            "cpu": cpu_seconds(self.pid) - before,
            "seconds": time.monotonic() - began,
            "batches": done["batch_id"],
            "rows": done["rows_total"],
            "written": done["rows_written"],
            "memory_mb": resident_mb(self.pid),
        }
        self.sql("DROP TABLE sink")
        return found

    def generated(self, workload, rows_per_batch, marks):
        """Over rows that are made, not read: what is used between one number of batches and the next. It goes on."""
        self.sql(f"CREATE OR REPLACE STREAMING TABLE source USING rate-micro-batch OPTIONS (rowsPerBatch {rows_per_batch})")
        self.sql(
            f"CREATE STREAMING TABLE sink USING noop OPTIONS (outputMode '{workload.mode}') "
            f"AS {workload.sql.format(events='STREAM source')}"
        )
        found, before = [], None
        for mark in marks:
            now = self.at_batch(mark)
            if before is not None:
                rows, cpu = now["rows"] - before["rows"], now["cpu"] - before["cpu"]
                figures = {"rows_per_cpu_s": rows / cpu, "us_per_row": cpu * 1e6 / rows, "memory_mb": now["memory_mb"]}
                found.append({**figures, "keys": now["keys"]})
            before = now
        return found

    def at_batch(self, batch):
        began = time.monotonic()
        while True:
            query = self.query("sink")
            if query["batch_id"] >= batch:
                keys = query["state_rows"]
                used = {"cpu": cpu_seconds(self.pid), "memory_mb": resident_mb(self.pid), "keys": keys}
                return {"rows": query["rows_total"], **used}
            if time.monotonic() - began > PATIENCE:
                raise RuntimeError(f"batch {batch}: not within {PATIENCE} seconds: {query}")
            time.sleep(0.02)

    def recovered(self):
        """Milliseconds from the start of the process after a `kill -9` to the query's next batch, and to its first
        answer."""
        batch = self.query("sink")["batch_id"]
        self.server.kill()
        began = time.monotonic()
        self.server.start()
        ready = time.monotonic() - began
        until(lambda: self.query("sink")["batch_id"] > batch, "the next batch", PATIENCE)
        return {"ready_ms": ready * 1000, "ms": (time.monotonic() - began) * 1000}

    def first_result(self, topic):
        """Milliseconds from the statement to the first committed batch."""
        self.sql(f"CREATE OR REPLACE STREAMING TABLE source (k BIGINT, v DOUBLE) USING kafka OPTIONS (topic '{topic}')")
        began = time.monotonic()
        self.sql("CREATE STREAMING TABLE sink USING noop AS SELECT k, sum(v) AS v FROM STREAM source GROUP BY k")
        until(lambda: self.query("sink")["batch_id"] > 0, "the first batch", PATIENCE)
        return (time.monotonic() - began) * 1000
