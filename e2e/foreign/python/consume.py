#!/usr/bin/env python3
"""Reads records from Kafka as a stranger would: with Confluent's Python client and its own Avro
deserializer, which asks the schema registry in its own way.

Reads all partitions of a topic from their beginnings and prints one JSON object a record:

    {"topic": "customer", "partition": 0, "offset": 7, "key": "ada", "value": {"customerId": "ada"},
     "headers": {"ce_id": "1"}, "schema": "tandem.v1.CustomerRemoved"}

A tombstone has null as `value` and as `schema`. Times are milliseconds since 1970 in UTC, as on the
wire. Lines of one partition are in order; between partitions there is none.

Exit code 0 says that as many records as asked for were printed; 1 comes with a last line on
standard error, after what was read: too few within the timeout, or a record that does not
deserialize; 2 is a wrong command line.
"""

import argparse
import json
import sys
import time
from datetime import datetime, timedelta, timezone

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.schema_registry import (
    SchemaRegistryClient,
    topic_record_subject_name_strategy,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

EPOCH = datetime.fromtimestamp(0, timezone.utc)

# How long one wait may take; the deadline is looked at between waits.
WAIT_SECONDS = 0.5


class Failure(Exception):
    """Ends the run; the text is for whoever called it."""


class Reader:
    """Turns records into lines."""

    def __init__(self, registry_url):
        self.registry = SchemaRegistryClient({"url": registry_url})
        strategy = {"subject.name.strategy": topic_record_subject_name_strategy}
        self.deserializer = AvroDeserializer(self.registry, conf=strategy)

    def line(self, message):
        key, value, headers = message.key(), message.value(), message.headers() or []
        context = SerializationContext(message.topic(), MessageField.VALUE)
        place = {
            "topic": message.topic(),
            "partition": message.partition(),
            "offset": message.offset(),
        }
        try:
            return {
                **place,
                "key": None if key is None else key.decode(),
                "value": plain(self.deserializer(value, context)),
                "headers": {n: None if v is None else v.decode() for n, v in headers},
                "schema": None if value is None else self.name(value),
            }
        # The deserializer lets through whatever the Avro library or the HTTP client raised.
        except Exception as e:
            raise Failure(f"{place} does not deserialize: {e!r}") from e

    def name(self, value):
        """The full name of the record's schema; the client keeps the schemas that it fetched."""
        schema = json.loads(self.registry.get_schema(int.from_bytes(value[1:5], "big")).schema_str)
        name, namespace = schema["name"], schema.get("namespace")
        return f"{namespace}.{name}" if namespace and "." not in name else name


def plain(value):
    """The value with times as whole milliseconds, which JSON has."""
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(milliseconds=1)
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def partitions(consumer, topic, deadline):
    """The topic's partitions; waits for a topic that is not there yet."""
    while True:
        found = consumer.list_topics(topic, timeout=max(WAIT_SECONDS, deadline - time.monotonic()))
        metadata = found.topics[topic]
        if metadata.error is None:
            return list(metadata.partitions)
        if metadata.error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise KafkaException(metadata.error)
        if time.monotonic() > deadline:
            raise Failure(f"there is no topic '{topic}'")
        time.sleep(WAIT_SECONDS)


def run(args):
    deadline = time.monotonic() + args.timeout
    reader = Reader(args.registry)
    consumer = Consumer(
        {
            "bootstrap.servers": args.bootstrap,
            # The client wants a group's name even where it joins no group and commits nothing.
            "group.id": "tandem-foreign",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
        }
    )
    try:
        found = partitions(consumer, args.topic, deadline)
        consumer.assign([TopicPartition(args.topic, p, OFFSET_BEGINNING) for p in found])
        read = 0
        while read < args.count:
            message = consumer.poll(WAIT_SECONDS)
            if message is None:
                if time.monotonic() > deadline:
                    raise Failure(f"{read} of {args.count} records in {args.timeout} s")
                continue
            if message.error():
                raise KafkaException(message.error())
            print(json.dumps(reader.line(message), ensure_ascii=False), flush=True)
            read += 1
    finally:
        consumer.close()


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT,...")
    parser.add_argument("--registry", required=True, metavar="URL", help="its Confluent API")
    parser.add_argument("--topic", required=True)
    parser.add_argument("--count", required=True, type=int, metavar="N", help="records to read")
    parser.add_argument(
        "--timeout", type=float, default=30, metavar="S", help="for all of them (default: 30)"
    )
    return parser.parse_args()


def main():
    args = arguments()
    sys.stdout.reconfigure(encoding="utf-8")
    try:
        run(args)
    except (Failure, KafkaException) as e:
        sys.exit(f"consume: {e}")


if __name__ == "__main__":
    main()
