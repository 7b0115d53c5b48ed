"""Stands in for a file of kafka-python's tests that its source distribution lacks: a broker that somebody else runs."""


class ExternalService:
    def __init__(self, host, port):
        self.host, self.port = host, port

    def open(self):
        pass

    def start(self):
        pass

    def stop(self):
        pass

    def close(self):
        pass


class SpawnedService:
    def __init__(self, *_):
        raise RuntimeError("no broker is started here")
