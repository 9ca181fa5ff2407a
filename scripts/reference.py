"""Makes proto/REFERENCE.md from the contract's comments; scripts/contract.sh calls it.

Reads an image of buf's as JSON from standard input, prints Markdown. It is not protoc-gen-doc because
that doesn't tell its templates the numbers of fields. What the contract has none of so far (messages
within messages, oneofs, maps) it refuses rather than leave out.
"""

import json
import re
import sys
import textwrap

PACKAGE = "tandem.v1"
HEAD = """\
# Reference

<!-- Made from the comments in tandem/v1 by `scripts/contract.sh reference`; don't edit it here. -->

Everything in `{package}`, from its comments. [README.md](README.md) says what may change in it,
[ERRORS.md](ERRORS.md) has every reason of an error.
"""
WELL_KNOWN = "https://protobuf.dev/reference/protobuf/google.protobuf/#"
# Where the parts of a file lie, by the numbers of the fields of descriptor.proto.
MESSAGE, ENUM, SERVICE, SYNTAX, PART = 4, 5, 6, 12, 2


class File:
    """A file and its comments, by where the thing lies that they are about."""

    def __init__(self, file):
        self.name = file["name"]
        self.messages = file.get("messageType", [])
        self.enums = file.get("enumType", [])
        self.services = file.get("service", [])
        places = file["sourceCodeInfo"]["location"]
        self._comments = {tuple(p.get("path", [])): p.get("leadingComments", "") for p in places}

    def comment(self, thing, *path):
        """The lines of the comment, with a word before them if `thing` is deprecated."""
        lines = [line.removeprefix(" ") for line in self._comments.get(path, "").rstrip().split("\n")]
        if thing.get("options", {}).get("deprecated"):
            lines[0] = f"**Deprecated.** {lines[0]}"
        return lines


def anchor(name):
    return f"[{name}](#{name.lower()})"


def type_of(field):
    """A field's type as its proto has it, with a link to what it is made of."""
    if "oneofIndex" in field:
        sys.exit(f"reference.py doesn't know oneofs and optional fields yet: {field['name']}")
    name = field.get("typeName", "").removeprefix(".")
    if name.startswith(PACKAGE + "."):
        kind = anchor(name.removeprefix(PACKAGE + "."))
    elif name:
        short = name.rsplit(".", 1)[1]
        kind = f"[{short}]({WELL_KNOWN}{short.lower()})"
    else:
        kind = field["type"].removeprefix("TYPE_").lower()
    return f"repeated {kind}" if field["label"] == "LABEL_REPEATED" else kind


def table(columns, rows):
    yield f"| {' | '.join(columns)} |"
    yield f"|{' --- |' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def service(file, at, described):
    yield from ["", f"### {described['name']}", "", *file.comment(described, SERVICE, at)]
    for number, method in enumerate(described["method"]):
        takes, gives = (
            ("stream " if method.get(f"{way}Streaming") else "")
            + anchor(method[kind].removeprefix(f".{PACKAGE}."))
            for way, kind in (("client", "inputType"), ("server", "outputType"))
        )
        yield from ["", f"#### {method['name']}", "", f"{takes} → {gives}", ""]
        yield from file.comment(method, SERVICE, at, PART, number)
    yield ""


def message(file, at, described):
    if described.get("nestedType") or described.get("enumType"):
        sys.exit(f"reference.py doesn't know what lies within a message yet: {described['name']}")
    yield from [f"### {described['name']}", "", *file.comment(described, MESSAGE, at), ""]
    fields = [
        (f"`{field['name']}`", type_of(field), str(field["number"]),
         " ".join(file.comment(field, MESSAGE, at, PART, number)))
        for number, field in enumerate(described.get("field", []))
    ]
    yield from table(("field", "type", "number", "meaning"), fields) if fields else ["No fields.", ""]


def enum(file, at, described):
    yield from [f"### {described['name']}", "", *file.comment(described, ENUM, at), ""]
    values = [
        (f"`{value['name']}`", str(value["number"]),
         " ".join(file.comment(value, ENUM, at, PART, number)))
        for number, value in enumerate(described["value"])
    ]
    yield from table(("value", "number", "meaning"), values)


def reference(files):
    yield from [HEAD.format(package=PACKAGE), "## Services", ""]
    for file in files:
        for described in file.services:
            methods = ", ".join(anchor(method["name"]) for method in described["method"])
            entry = f"- {anchor(described['name'])}: {methods}"
            yield textwrap.fill(entry, 110, subsequent_indent="  ", break_on_hyphens=False)
    for file in files:
        for at, described in enumerate(file.services):
            yield from service(file, at, described)
    for file in files:
        if file.messages:
            yield from [f"## Messages of {file.name}", "", *file.comment({}, SYNTAX), ""]
        for at, described in enumerate(file.messages):
            yield from message(file, at, described)
    yield from ["## Enums", ""]
    for file in files:
        for at, described in enumerate(file.enums):
            yield from enum(file, at, described)


def main():
    image = json.load(sys.stdin)
    files = [File(file) for file in image["file"] if file.get("package") == PACKAGE]
    text = "\n".join(reference(files)).rstrip()
    print(re.sub("\n{3,}", "\n\n", text))


main()
