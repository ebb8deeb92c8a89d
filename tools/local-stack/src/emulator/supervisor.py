"""Runs a command while standard input is open, then ends it and every process it started.

Arguments: a scratch directory, removed at the end, and the command. Standard input is a pipe from the caller: the
system closes it when the caller ends, however it ends.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading

scratch, command = sys.argv[1], sys.argv[2:]
# A new session is a new process group, which includes the functions that the emulator starts.
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
# If the emulator ended by itself, its functions still run.
end_all()
shutil.rmtree(scratch, ignore_errors=True)
# The status is negative after a signal. `_exit`, because the thread above may still be reading.
os._exit(status if status >= 0 else 128 - status)
