"""aiokafka's smoke: `smoke.py ADDRESS`."""

import asyncio
import sys
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from tap import acase, equal, finish

COMMON = {"bootstrap_servers": sys.argv[1]}
START = int(time.time() * 1000)


async def until(condition, what, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} seconds"
        await asyncio.sleep(0.02)


class Admin:
    async def __aenter__(self):
        self.client = AIOKafkaAdminClient(**COMMON)
        await self.client.start()
        return self.client

    async def __aexit__(self, *_):
        await self.client.close()


async def create(name, partitions=1, configs=None):
    async with Admin() as admin:
        answer = await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=configs or {})])
        equal(answer.topic_errors[0][1], 0)
    return name


async def send(topic, count, partition=0, **options):
    async with AIOKafkaProducer(**COMMON, linger_ms=20, **options) as producer:
        sent = [
            await producer.send(
                topic, b"value-%d" % n, b"key-%d" % n, partition, START + n, headers=[("h", b"%d" % n)]
            )
            for n in range(count)
        ]
        return [(await future).offset for future in sent]


async def read(topic, count, partition=0, **options):
    found = []
    async with AIOKafkaConsumer(**COMMON, auto_offset_reset="earliest", **options) as consumer:
        consumer.assign([TopicPartition(topic, partition)])

        async def enough():
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found.extend(records)
            return len(found) >= count

        await until(enough, f"{count} records of {topic}")
    return found


def round_trip(codec):
    async def deed():
        topic = await create(f"round-{codec}")
        equal(await send(topic, 1000, compression_type=codec), list(range(1000)))
        for n, record in enumerate(await read(topic, 1000)):
            found = (record.offset, record.key, record.value, record.timestamp, record.headers)
            equal(found, (n, b"key-%d" % n, b"value-%d" % n, START + n, (("h", b"%d" % n),)))

    return deed


async def group():
    topic = await create("shared", 4)
    for partition in range(4):
        await send(topic, 50, partition)
    options = {**COMMON, "group_id": "sharers", "auto_offset_reset": "earliest", "enable_auto_commit": False}
    options["heartbeat_interval_ms"] = 300
    members = [AIOKafkaConsumer(topic, **options) for _ in range(2)]
    seen = set()
    await asyncio.gather(*(member.start() for member in members))

    async def settled():
        for member in members:
            for records in (await member.getmany(timeout_ms=100)).values():
                seen.update((record.partition, record.offset) for record in records)
        return len(seen) == 200 and [len(member.assignment()) for member in members] == [2, 2]

    await until(settled, "200 records between two members", 40)
    for member in members:
        await member.commit({at: 50 for at in member.assignment()})
        await member.stop()
    async with AIOKafkaConsumer(**COMMON, group_id="sharers") as consumer:
        equal([await consumer.committed(TopicPartition(topic, p)) for p in range(4)], [50] * 4)


async def by_time():
    topic = await create("timed")
    await send(topic, 100)
    at = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(**COMMON) as consumer:
        equal((await consumer.beginning_offsets([at]))[at], 0)
        equal((await consumer.end_offsets([at]))[at], 100)
        equal((await consumer.offsets_for_times({at: START + 40}))[at].offset, 40)
        equal((await consumer.offsets_for_times({at: START + 5000}))[at], None)


async def topics():
    topic = await create("configured", 2, {"retention.ms": "12345"})
    async with Admin() as admin:
        assert topic in await admin.list_topics()

        async def setting():
            answer = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
            return {entry[0]: entry[1] for entry in answer[0].resources[0][4]}["retention.ms"]

        equal(await setting(), "12345")
        change = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"retention.ms": "54321"})
        await admin.alter_configs([change])

        async def changed():
            return await setting() == "54321"

        await until(changed, "the new setting")
        await admin.create_partitions({topic: NewPartitions(3)})

        async def three():
            return len((await admin.describe_topics([topic]))[0]["partitions"]) == 3

        await until(three, "three partitions")
        await admin.delete_topics([topic])

        async def gone():
            return topic not in await admin.list_topics()

        await until(gone, "the topic is gone")


async def delete_records():
    topic = await create("shortened")
    await send(topic, 20)
    at = TopicPartition(topic, 0)
    async with Admin() as admin:
        equal(await admin.delete_records({at: RecordsToDelete(7)}), {at: 7})
    equal((await read(topic, 13))[0].offset, 7)


async def groups():
    topic = await create("grouped")
    await send(topic, 10)
    async with Admin() as admin:
        async with AIOKafkaConsumer(topic, **COMMON, group_id="described", auto_offset_reset="earliest") as consumer:
            await consumer.getone()
            await consumer.commit()
            described = await admin.describe_consumer_groups(["described"])
            equal(described[0].groups[0][2], "Stable")
            assert "described" in [listed[0] for listed in await admin.list_consumer_groups()]
        offsets = await admin.list_consumer_group_offsets("described")
        assert offsets[TopicPartition(topic, 0)].offset >= 1, offsets


async def idempotent():
    topic = await create("idempotent")
    equal(await send(topic, 2000, enable_idempotence=True), list(range(2000)))


async def transactions():
    topic, source = await create("transacted"), await create("source")
    await send(source, 10)
    at = TopicPartition(source, 0)
    async with AIOKafkaProducer(**COMMON, transactional_id="a1") as producer:
        for n in range(4):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, b"%d" % n)
            await producer.send_offsets_to_transaction({at: n + 1}, "transacting")
            await (producer.abort_transaction() if n % 2 else producer.commit_transaction())
    equal([r.value for r in await read(topic, 2, isolation_level="read_committed")], [b"0", b"2"])
    equal(len(await read(topic, 4)), 4)
    async with AIOKafkaConsumer(**COMMON, group_id="transacting") as consumer:
        equal(await consumer.committed(at), 3)


async def fencing():
    topic = await create("fenced")
    first, second = (AIOKafkaProducer(**COMMON, transactional_id="a2") for _ in range(2))
    await first.start()
    await first.begin_transaction()
    await first.send_and_wait(topic, b"never")
    await second.start()
    await second.begin_transaction()
    await second.send_and_wait(topic, b"seen")
    await second.commit_transaction()
    try:
        await first.commit_transaction()
        raise AssertionError("the fenced producer committed")
    except KafkaError:
        pass
    equal([r.value for r in await read(topic, 1, isolation_level="read_committed")], [b"seen"])
    await asyncio.wait([asyncio.ensure_future(first.stop())], timeout=5)
    await second.stop()


async def main():
    for codec in [None, "gzip", "snappy", "lz4", "zstd"]:
        await acase(f"round trip {codec or 'uncompressed'}", round_trip(codec))
    await acase("a group shares, commits and resumes", group)
    await acase("offsets by time", by_time)
    await acase("topics and settings", topics)
    await acase("records are deleted up to an offset", delete_records)
    await acase("groups are listed and described", groups)
    await acase("an idempotent producer", idempotent)
    await acase("transactions: committed is seen, aborted is not", transactions)
    await acase("a second producer with the same id fences the first", fencing)
    finish()


asyncio.run(main())
