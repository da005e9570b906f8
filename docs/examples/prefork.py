"""A pre-forked responder in Python, by libfcgi.  In pools.yaml: environment: {PYTHONPATH: /usr/share/fcgipm/adapters}"""
import ctypes
import os

from fcgipm.prefork import prefork_here

fcgi = ctypes.CDLL("libfcgi.so.0")
streams = [ctypes.c_void_p() for _ in range(4)]  # in, out, err, environment

booted_by = os.getpid()  # what takes long, and may be shared
prefork_here()
opened_by = os.getpid()  # what each worker has for itself: a connection to a database, a thread

fcgi.FCGX_Init()
while fcgi.FCGX_Accept(*map(ctypes.byref, streams)) == 0:
    text = f"Content-Type: text/plain\r\n\r\nbooted={booted_by} opened={opened_by} pid={os.getpid()}\n".encode()
    fcgi.FCGX_PutStr(text, len(text), streams[1])
