#!/usr/bin/env python3
"""Writes records to Kafka as a stranger would: with Confluent's Python client and its own Avro
serializer, which asks the schema registry in its own way.

Standard input has one JSON object a line; all but `key` may be left out:

    {"key": "ada", "value": {"customerId": "ada"}, "headers": {"ce_id": "1"}, "partition": 0,
     "schema": "tandem.v1.CustomerRemoved"}

A `value` of null, or none, is a tombstone. `schema` names another of the project's records than
the one that `--schema` or the topic stands for, so that one run can write several kinds. What
consume.py prints may be given back as it is.

For each record, in the order of the input, one line comes out once the record is delivered:

    {"topic": "customer", "partition": 0, "offset": 7, "key": "ada"}

Lines come out when the input ends, and after every thousandth record before that. Exit code 0 says
that all were delivered; 1 comes with a last line on standard error that names the first fault,
after the lines of what was delivered before it; 2 is a wrong command line.
"""

import argparse
import json
import sys
from pathlib import Path

from confluent_kafka import KafkaException, Producer
from confluent_kafka.schema_registry import (
    SchemaRegistryClient,
    topic_record_subject_name_strategy,
)
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

OWN_SCHEMAS = Path(__file__).resolve().parents[3] / "crates" / "codec" / "schemas"

# What a topic's records are when nobody says otherwise.
USUAL = {"customer": "CustomerRegistered", "order": "OrderPlaced", "greetings": "GreetingSent"}

# How many records may be on their way: bounds the memory, and stays far below the client's queue.
MOST_PENDING = 1000


class Failure(Exception):
    """Ends the run; the text is for whoever called it."""


class Serializers:
    """One of Confluent's serializers for each kind of record, made when it is first needed."""

    def __init__(self, args):
        self.args = args
        self.registry = SchemaRegistryClient({"url": args.registry})
        self.made = {}
        self.usual = USUAL.get(args.topic)
        if args.schema:
            self.usual = self.make(args.schema)

    def make(self, file):
        """Makes the serializer of a schema file, and gives the record's name without namespace."""
        try:
            text = file.read_text(encoding="utf-8")
            name = json.loads(text)["name"].rpartition(".")[2]
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise Failure(f"{file} is no Avro schema of a record: {e!r}") from e
        conf = {
            "auto.register.schemas": not (self.args.no_register or self.args.latest),
            "use.latest.version": self.args.latest,
            "subject.name.strategy": topic_record_subject_name_strategy,
            # A misspelt field is a fault here, and not silently left out.
            "validate.strict.allow.default": True,
        }
        self.made[name] = AvroSerializer(self.registry, text, conf=conf)
        return name

    def serialize(self, line):
        """The bytes of a line's value; None for a tombstone, as the serializer itself has it."""
        name = (line.get("schema") or self.usual or "").rpartition(".")[2]
        if line.get("value") is None:
            return None
        if not name:
            raise Failure(f"what the records on '{self.args.topic}' are is not known; use --schema")
        if name not in self.made:
            self.make(OWN_SCHEMAS / f"{name}.avsc")
        context = SerializationContext(self.args.topic, MessageField.VALUE)
        try:
            return self.made[name](line["value"], context)
        except SchemaRegistryError as e:
            raise Failure(f"the registry refuses {name} for '{self.args.topic}': {e}") from e
        # The serializer lets through whatever the Avro library or the HTTP client raised.
        except Exception as e:
            raise Failure(f"key {line['key']!r} can't be serialized as {name}: {e!r}") from e


class Deliveries:
    """Sends records and reports them in the order of the input."""

    def __init__(self, args):
        self.topic, self.timeout = args.topic, args.timeout
        self.pending = []
        self.producer = Producer(
            {
                "bootstrap.servers": args.bootstrap,
                "partitioner": args.partitioner,
                "enable.idempotence": True,
                "message.timeout.ms": int(args.timeout * 1000),
            }
        )

    def send(self, line, value):
        key, partition = line["key"], line.get("partition")
        sent = {"key": key, "result": None}
        headers = (line.get("headers") or {}).items()
        self.producer.produce(
            self.topic,
            key=None if key is None else key.encode(),
            value=value,
            partition=-1 if partition is None else partition,
            headers=[(name, None if text is None else text.encode()) for name, text in headers],
            on_delivery=lambda error, message: sent.update(result=(error, message)),
        )
        self.pending.append(sent)
        self.producer.poll(0)
        if len(self.pending) == MOST_PENDING:
            self.settle()

    def settle(self):
        """Waits for all that is on its way, then prints it."""
        # The client gives each record up after the timeout; what is on top is for its own threads.
        self.producer.flush(self.timeout + 5)
        pending, self.pending = self.pending, []
        for sent in pending:
            error, message = sent["result"] or ("no answer", None)
            if error:
                raise Failure(f"key {sent['key']!r} was not delivered to '{self.topic}': {error}")
            place = {"partition": message.partition(), "offset": message.offset()}
            say({"topic": message.topic(), **place, "key": sent["key"]})


def say(line):
    print(json.dumps(line, ensure_ascii=False), flush=True)


def parse(number, text):
    try:
        line = json.loads(text)
    except ValueError as e:
        raise Failure(f"line {number} is not JSON: {e}") from e
    if not isinstance(line, dict) or "key" not in line:
        raise Failure(f"line {number} is no object with a key")
    headers = line.get("headers") or {}
    for text in [line["key"], *headers.values()]:
        if not isinstance(text, str | None):
            raise Failure(f"line {number}: {text!r} is neither a text nor null")
    if not isinstance(line.get("partition"), int | None):
        raise Failure(f"line {number} has a partition that is no number")
    return line


def run(args):
    serializers, deliveries = Serializers(args), Deliveries(args)
    try:
        for number, text in enumerate(sys.stdin, start=1):
            if text.strip():
                line = parse(number, text)
                deliveries.send(line, serializers.serialize(line))
    finally:
        deliveries.settle()


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT,...")
    parser.add_argument("--registry", required=True, metavar="URL", help="its Confluent API")
    parser.add_argument("--topic", required=True)
    parser.add_argument(
        "--partitioner",
        default="murmur2_random",
        help="the default places records as Java does; librdkafka's own is consistent_random",
    )
    parser.add_argument(
        "--schema", type=Path, metavar="FILE", help="default: the project's own for the topic"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--no-register",
        action="store_true",
        help="auto.register.schemas=False: the schema has to be in the registry already",
    )
    how.add_argument(
        "--latest",
        action="store_true",
        help="use.latest.version=True: write with the subject's latest schema instead",
    )
    parser.add_argument(
        "--timeout", type=float, default=30, metavar="S", help="for a delivery (default: 30)"
    )
    return parser.parse_args()


def main():
    args = arguments()
    sys.stdin.reconfigure(encoding="utf-8")
    sys.stdout.reconfigure(encoding="utf-8")
    try:
        run(args)
    except (Failure, KafkaException) as e:
        sys.exit(f"produce: {e}")


if __name__ == "__main__":
    main()
