"""Runs a command for as long as standard input stays open, then ends it and every process it started.

Arguments: a scratch directory, removed at the end, and the command. Standard input is a pipe whose other end the
caller holds: the system closes it when the caller ends, in whatever way it ends.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading

scratch, command = sys.argv[1], sys.argv[2:]
# A session of its own is a process group of its own, and the functions that the emulator starts stay in it.
emulator = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)


def end_all(*_):
    try:
        os.killpg(emulator.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def end_with_caller():
    sys.stdin.buffer.read()
    end_all()


for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, end_all)
threading.Thread(target=end_with_caller, daemon=True).start()

status = emulator.wait()
# When the emulator fell over by itself, its functions are still there.
end_all()
shutil.rmtree(scratch, ignore_errors=True)
# A signal's number is negative here. `_exit`, because the thread above may still be reading.
os._exit(status if status >= 0 else 128 - status)
