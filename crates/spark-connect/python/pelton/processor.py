"""What `transformWithState` remembers.

PySpark asks Spark for each state and timer over a socket. Here the server sends what it keeps of the keys of a batch in
front of their rows, and takes it back when the batch is done: in between all questions are answered in this process. What
is kept of a key is opaque to the server, but for the time at which its first timer ends.
"""

import datetime
import json
import pickle
import struct

from pelton import types
from pyspark.errors import PySparkRuntimeError
from pyspark.sql.streaming import stateful_processor, stateful_processor_util
from pyspark.sql.streaming.stateful_processor_api_client import StatefulProcessorHandleState

INT = struct.Struct(">i")
LONG = struct.Struct(">q")
NO_TIME = -1


def plain(value):
    """Values of NumPy and pandas as Python's own."""
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    if hasattr(value, "to_pytimedelta"):
        return value.to_pytimedelta()
    if type(value).__module__ == "numpy":
        return value.tolist()
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def same(one, other):
    """Whether keys are one: what is no number is itself here."""
    return all(a == b or (a != a and b != b) for a, b in zip(one, other))


class States:
    """Stands in the place of PySpark's client of Spark's states."""

    def __init__(self):
        self.handle_state = StatefulProcessorHandleState.CREATED
        self.lives = {}
        self.deleted = set()
        self.by_clock = False

    def load(self, file):
        """Reads what the server keeps: about the batch, then for each key its bytes."""
        about = json.loads(file.read(INT.unpack(file.read(4))[0]))
        self.time, self.watermark, self.timed_out = about["time_ms"], about["watermark_ms"], about["timed_out"]
        self.keys = []
        for _ in range(about["keys"]):
            length = INT.unpack(file.read(4))[0]
            kept = pickle.loads(file.read(length)) if length >= 0 else {"key": None, "values": {}, "timers": []}
            self.keys.append(kept)
        self.place = -1

    def dump(self):
        """What is to be kept: for each key its bytes, and when it is to be looked at again: when its first timer ends, or
        when the last value with a time to live does, so that what nobody can read any more is kept no longer."""
        parts = []
        for key in self.keys:
            values = {name: self.lasting(value) for name, value in key["values"].items()}
            values = {name: value for name, value in values.items() if value}
            timers = key["timers"]
            ends = [end for value in values.values() for end in ends_of(value) if end is not None]
            moments = timers[:1] + ([max(ends)] if ends and self.by_clock else [])
            kept = pickle.dumps({**key, "values": values}) if values or timers else None
            parts.append(INT.pack(-1) if kept is None else INT.pack(len(kept)) + kept)
            parts.append(LONG.pack(min(moments, default=NO_TIME)))
        return b"".join(parts)

    def lasting(self, value):
        """What of a state can still be read."""
        if isinstance(value, dict):
            return {key: entry for key, entry in value.items() if self.lasts(entry)}
        if isinstance(value, list):
            return [entry for entry in value if self.lasts(entry)]
        return value if value and self.lasts(value) else None

    def set_handle_state(self, state):
        self.handle_state = state

    def set_implicit_key(self, key):
        # Keys come in the server's order, and expired ones are placed by their iterator.
        if self.timed_out:
            return
        key = plain(tuple(key))
        if self.place < 0 or not same(self.keys[self.place]["key"], key):
            self.place += 1
            self.keys[self.place]["key"] = key

    def remove_implicit_key(self):
        pass

    def get_timestamps(self, time_mode):
        self.by_clock = time_mode.lower() == "processingtime"
        return (NO_TIME, NO_TIME) if time_mode.lower() == "none" else (self.time, self.watermark)

    def live(self, name, ttl):
        self.lives[name] = ttl
        self.deleted.discard(name)

    def get_value_state(self, name, schema, ttl):
        self.live(name, ttl)

    def get_list_state(self, name, schema, ttl):
        self.live(name, ttl)

    def get_map_state(self, name, key_schema, value_schema, ttl):
        self.live(name, ttl)

    def delete_if_exists(self, name):
        for key in self.keys:
            key["values"].pop(name, None)
        self.deleted.add(name)

    def register_timer(self, time):
        timers = self.keys[self.place]["timers"]
        if time not in timers:
            timers.append(int(time))
            timers.sort()

    def delete_timer(self, time):
        timers = self.keys[self.place]["timers"]
        if time in timers:
            timers.remove(time)

    @property
    def values(self):
        return self.keys[self.place]["values"]

    def until(self, name):
        """When what is written now is forgotten."""
        ttl = self.lives.get(name)
        return self.time + ttl if ttl else None

    def lasts(self, entry):
        return entry[1] is None or entry[1] > self.time

    def expired(self, time):
        """Keys whose timers have ended, the earliest timer first; only the server knows when it is time for it."""
        if not self.timed_out:
            return
        ended = [(timer, place) for place, key in enumerate(self.keys) for timer in key["timers"] if timer <= time]
        for timer, self.place in sorted(ended):
            yield self.keys[self.place]["key"], timer


def ends_of(value):
    """When the entries of a state end, each."""
    entries = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return [entry[1] for entry in entries]


class Values:
    # In the errors of PySpark's client; lists are values there.
    KIND = "value"

    def __init__(self, states, schema):
        self.states = states
        self.schema = types.row(schema)

    def known(self, name, deed):
        """The values of the key, unless the state was deleted; the error's first words are Spark's."""
        if name in self.states.deleted:
            raise PySparkRuntimeError(f"Error {deed}: the state {name} was deleted")
        return self.states.values

    def fitted(self, value):
        return types.fitted_row(self.schema, plain(tuple(value)))

    def exists(self, name):
        self.known(name, f"checking {self.KIND} state exists")
        return bool(self.all(name))

    def all(self, name):
        entry = self.known(name, "getting value state").get(name)
        return [entry[0]] if entry and self.states.lasts(entry) else []

    def get(self, name):
        return next(iter(self.all(name)), None)

    def update(self, name, value):
        self.known(name, "updating value state")[name] = (self.fitted(value), self.states.until(name))

    def clear(self, name):
        self.known(name, f"clearing {self.KIND} state").pop(name, None)


class Lists(Values):
    def all(self, name):
        entries = self.known(name, "getting value state").get(name, [])
        return [entry[0] for entry in entries if self.states.lasts(entry)]

    def append_value(self, name, value):
        self.append_list(name, [value])

    def append_list(self, name, values):
        until = self.states.until(name)
        entries = self.known(name, "updating value state").setdefault(name, [])
        entries.extend([(self.fitted(value), until) for value in values])

    def put(self, name, values):
        self.clear(name)
        self.append_list(name, values)


class Maps(Values):
    KIND = "map"

    def __init__(self, states, key_schema, value_schema):
        super().__init__(states, value_schema)
        self.key_schema = types.row(key_schema)

    def key(self, key):
        return types.fitted_row(self.key_schema, plain(tuple(key)))

    def all(self, name):
        entries = self.known(name, "getting value").get(name, {})
        return {key: entry[0] for key, entry in entries.items() if self.states.lasts(entry)}

    def get_value(self, name, key):
        return self.all(name).get(self.key(key))

    def contains_key(self, name, key):
        return self.key(key) in self.all(name)

    def update_value(self, name, key, value):
        entry = (self.fitted(value), self.states.until(name))
        self.known(name, "updating map state value").setdefault(name, {})[self.key(key)] = entry

    def remove_key(self, name, key):
        self.known(name, "removing key from map state").get(name, {}).pop(self.key(key), None)


def answered_here(worker):
    """From now on PySpark asks the states that this returns."""
    states = States()
    worker.StatefulProcessorApiClient = lambda *_: states
    parts = vars(stateful_processor)
    parts["ValueStateClient"], parts["ListStateClient"], parts["MapStateClient"] = Values, Lists, Maps
    parts["ListStateIterator"] = lambda lists, name: iter(lists.all(name))
    parts["MapStateIterator"] = lambda maps, name, keys: iter(list(maps.all(name) if keys else maps.all(name).values()))
    parts["MapStateKeyValuePairIterator"] = lambda maps, name: iter(list(maps.all(name).items()))
    parts["ListTimerIterator"] = lambda states: iter(list(states.keys[states.place]["timers"]))
    stateful_processor_util.ExpiredTimerIterator = lambda states, time: states.expired(time)
    return states
