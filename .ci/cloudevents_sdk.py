"""Reads events, one on a line, with the official SDK of CloudEvents, which refuses what is none.

    python .ci/cloudevents_sdk.py FILE
"""

import json
import sys

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import REQUIRED_ATTRIBUTES, CloudEvent


def fault(line: str) -> str | None:
    """What is wrong with an event, if anything is."""
    sent = json.loads(line)
    # The SDK makes up an id, a time and a version that are missing.
    missing = [name for name in REQUIRED_ATTRIBUTES if name not in sent]
    if missing:
        return f"misses {missing}"
    try:
        event = JSONFormat().read(CloudEvent, line)
    except Exception as error:
        return f"is refused: {error}"
    if event.get_data() != sent["data"] or event.get_extension("sequence") != sent["sequence"]:
        return "is not read as it was written"
    return None


def main(path: str) -> int:
    with open(path, encoding="utf-8") as lines:
        events = list(lines)
    faults = [(line, why) for line in events if (why := fault(line))]
    for line, why in faults:
        print(f"the event {why}: {line}", file=sys.stderr)
    types = {json.loads(line)["type"] for line in events}
    print(f"{len(events)} events of {len(types)} types, {len(faults)} of them no CloudEvents")
    return 1 if faults or not events else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
