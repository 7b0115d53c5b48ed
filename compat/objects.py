"""A real object store for the tests: the Versity S3 Gateway over a directory, which survives being killed.

It is one Go program, built from its module in about a minute and kept: of what speaks S3 and comes from a package registry
it is the one that keeps objects on disk (moto forgets them when it is killed) and knows a conditional PUT.
"""

import re
import shutil
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import botocore.config

import packages
from server import until

MODULE, VERSION = "github.com/versity/versitygw/cmd/versitygw", "v1.8.0"
SECONDS = 60


def missing():
    """Why there is no object store to be had here, if there is none."""
    return None if shutil.which("go") else "there is no Go to build the Versity S3 Gateway with"


class ObjectStore:
    """The gateway on a port of its own, which stays when it is started again; a bucket is a directory."""

    access_key, secret_key = "pelton-test", "not-to-be-shown"

    def __init__(self, directory):
        self.directory = Path(directory)
        (self.directory / "buckets").mkdir(parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        program = packages.go_install(MODULE, VERSION) / "versitygw"
        login = ["--access", self.access_key, "--secret", self.secret_key]
        command = [program, "--port", f"127.0.0.1:{self.port}", *login, "posix", self.directory / "buckets"]
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(self.answers, "the object store answers", SECONDS)
        return self

    def answers(self):
        assert self.process.poll() is None, (self.directory / "log").read_text()
        try:
            urllib.request.urlopen(self.endpoint, timeout=SECONDS)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(SECONDS)
        self.process = None

    def close(self):
        if self.process is not None:
            self.kill()

    @property
    def client(self):
        """Amazon's own client."""
        login = {"aws_access_key_id": self.access_key, "aws_secret_access_key": self.secret_key}
        config = botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
        return boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1", config=config, **login)

    def bucket(self, name):
        self.client.create_bucket(Bucket=name)
        return name

    def put(self, bucket, key, body):
        self.client.put_object(Bucket=bucket, Key=key, Body=body.encode() if isinstance(body, str) else body)

    def get(self, bucket, key):
        return self.client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self, bucket, prefix=""):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def settings(self, **changed):
        """Of `[storage]` in `pelton.toml`, and the options of a table."""
        told = {
            "fs.s3a.endpoint": self.endpoint,
            "fs.s3a.access.key": self.access_key,
            "fs.s3a.secret.key": self.secret_key,
            "fs.s3a.path.style.access": "true",
        }
        return {**told, **changed}


class Gate:
    """Stands before the object store, byte for byte, and holds back requests that begin as somebody says."""

    def __init__(self, store):
        self.store = store
        self.held_back = None
        self.holding = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def hold(self, pattern):
        """From now on, a request whose first line matches goes no further, nor what comes after it."""
        self.holding.clear()
        self.held_back = re.compile(pattern) if pattern else None

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.store.port))
            for ends in ((client, server, True), (server, client, False)):
                threading.Thread(target=self.pass_on, args=ends, daemon=True).start()

    def pass_on(self, source, target, requests):
        try:
            while data := source.recv(65_536):
                if requests and self.held_back and self.held_back.match(data.split(b"\r\n", 1)[0]):
                    self.holding.set()
                    return
                target.sendall(data)
        except OSError:
            pass
        finally:
            if not self.holding.is_set():
                target.close()

    def close(self):
        self.listener.close()
