"""The instance under the fuzzer: started, ended, started again; its log is its report."""

import os
import re
import signal
import subprocess
import tempfile
import time

START_SECONDS = 20
END_SECONDS = 15
SETTINGS = ["--port", "0", "--analytics-seconds", "1", "--header-limit", "16384", "--body-limit", "65536",
            "--timeout", "3000", "--stream-seconds", "2"]


class Instance:
    """A process, and the port that it listens on."""

    def __init__(self, program, database):
        self.command = [program, *SETTINGS, "--database", database]
        self.is_ending = False
        self.is_broken = False
        self.is_quiet = False  # whether all threads shall send nothing
        self.restarts = 0
        self.start()

    @property
    def address(self):
        return ("127.0.0.1", self.port)

    def start(self):
        """Starts it, and waits until it listens."""
        environment = dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1", ASAN_OPTIONS="detect_leaks=1")
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(self.command, stderr=self.log, stdin=subprocess.DEVNULL, env=environment)
        end = time.monotonic() + START_SECONDS
        while not (found := re.search(r'"listening","port":(\d+)', self.text())):
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit("the instance does not start: " + self.text())
            time.sleep(0.02)
        self.port = int(found.group(1))
        self.is_ending = False

    def text(self):
        return os.pread(self.log.fileno(), 1 << 20, 0).decode(errors="replace")

    def stop(self, at_once=False):
        """Ends it, after what it has accepted or at once; returns what was wrong with that."""
        self.is_ending = True
        self.process.send_signal(signal.SIGTERM)
        if at_once:
            time.sleep(0.02)
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "it does not end"
        text = self.text()
        if status != 0 or "ERROR: " in text or "runtime error" in text:
            self.is_broken = True
            return "it ended with %d:\n%s" % (status, text[-8000:])
        return "a key in the log" if "fuzz-key" in text else None

    def restart(self, at_once):
        """The same, and starts another."""
        error = self.stop(at_once)
        if not self.is_broken:
            self.restarts += 1
            self.start()
        return error
