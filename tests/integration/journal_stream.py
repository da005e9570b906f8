#!/usr/bin/python3
"""journal_stream.py COMMAND...: runs it with standard error as systemd's StandardError=journal makes it: a stream to journald, named by $JOURNAL_STREAM."""
import os
import socket
import sys

stream = socket.socket(socket.AF_UNIX)
stream.connect("/run/systemd/journal/stdout")
# sd_journal_stream_fd(3): identifier, unit, priority, level prefixes, forward to syslog, kmsg, console
stream.sendall(b"fcgipm\n\n6\n1\n0\n0\n0\n")
os.dup2(stream.fileno(), 2)
st = os.fstat(2)
os.environ["JOURNAL_STREAM"] = f"{st.st_dev}:{st.st_ino}"
os.execvp(sys.argv[1], sys.argv[1:])
