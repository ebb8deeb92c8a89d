"""Reads events, one per line, with the official CloudEvents SDK, which rejects invalid events.

    python .ci/cloudevents_sdk.py FILE
"""

import json
import sys

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import REQUIRED_ATTRIBUTES, CloudEvent


def fault(line: str) -> str | None:
    """Returns the fault of an event, or None if the event is valid."""
    sent = json.loads(line)
    # The SDK fills in a missing id, time or version, so check for missing attributes first.
    missing = [name for name in REQUIRED_ATTRIBUTES if name not in sent]
    if missing:
        return f"does not have {missing}"
    try:
        event = JSONFormat().read(CloudEvent, line)
    except Exception as error:
        return f"is rejected: {error}"
    if event.get_data() != sent["data"] or event.get_extension("sequence") != sent["sequence"]:
        return "changes when the SDK reads it"
    return None


def main(path: str) -> int:
    with open(path, encoding="utf-8") as lines:
        events = list(lines)
    faults = [(line, why) for line in events if (why := fault(line))]
    for line, why in faults:
        print(f"the event {why}: {line}", file=sys.stderr)
    types = {json.loads(line)["type"] for line in events}
    print(f"{len(events)} events of {len(types)} types, {len(faults)} of them invalid")
    return 1 if faults or not events else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
