"""A FastCGI application that serves thousands of requests at once in one thread, and takes its time: QUERY_STRING says for each what it does.

gate=NAME   answers when the file NAME exists beside DIR (environment)      wait=S      ... after so many seconds
size=N      so many bytes of body      pieces=N    in so many parts, pause=S apart      location=URL   a redirect
A request that was aborted, or whose connection ended, is a line in DIR/left.
"""
import asyncio
import hashlib
import os
import socket
import struct
import urllib.parse

DIR = os.environ["DIR"]
HEAD = struct.Struct(">BBHHBB")


def record(kind, content):
    return HEAD.pack(1, kind, 1, len(content), 0, 0) + content


def pairs(data):
    at = 0
    while at < len(data):
        lengths = []
        for _ in range(2):
            wide = data[at] & 0x80
            lengths.append(struct.unpack(">I", data[at:at + 4])[0] & 0x7FFFFFFF if wide else data[at])
            at += 4 if wide else 1
        yield data[at:at + lengths[0]].decode("latin-1"), data[at + lengths[0]:at + sum(lengths)].decode("latin-1")
        at += sum(lengths)


async def receive(reader):
    _, kind, _, length, padding, _ = HEAD.unpack(await reader.readexactly(8))
    content = await reader.readexactly(length + padding)
    return kind, content[:length]


async def until_left(reader):
    try:
        while (await receive(reader))[0] != 2:
            pass
    except asyncio.IncompleteReadError:
        pass


async def answer(wish, body, writer):
    while "gate" in wish and not os.path.exists(f"{DIR}/{wish['gate']}"):
        await asyncio.sleep(0.02)
    await asyncio.sleep(float(wish.get("wait", 0)))
    size, pieces = int(wish.get("size", 3)), int(wish.get("pieces", 1))
    head = f"Location: {wish['location']}\r\n\r\n" if "location" in wish else f"Content-Type: text/plain\r\nX-Body: {body}\r\n\r\n"
    writer.write(record(6, head.encode()))
    data = b"0123456789abcdef" * 2048
    for piece in range(pieces if "location" not in wish else 0):
        if piece > 0:
            await asyncio.sleep(float(wish.get("pause", 0)))
        left = size // pieces
        while left > 0:
            writer.write(record(6, data[:left]))
            left -= min(left, len(data))
            await writer.drain()
    writer.write(record(6, b"") + record(3, bytes(8)))
    await writer.drain()


async def serve(reader, writer):
    params, length, digest, wish, over = b"", 0, hashlib.md5(), {}, False
    try:
        while not over:
            kind, content = await receive(reader)
            if kind == 2:
                raise asyncio.IncompleteReadError(b"", 1)
            if kind == 4:
                params += content
            if kind == 5:
                length, over = length + len(content), not content
                digest.update(content)
        wish = dict(urllib.parse.parse_qsl(dict(pairs(params)).get("QUERY_STRING", "")))
        work, gone = asyncio.ensure_future(answer(wish, f"{length} {digest.hexdigest()}", writer)), asyncio.ensure_future(until_left(reader))
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            raise ConnectionResetError
        gone.cancel()
        work.result()
    except (asyncio.IncompleteReadError, ConnectionError):
        with open(f"{DIR}/left", "a", encoding="ascii") as out:
            out.write(f"{wish.get('gate', '')}\n")
    finally:
        writer.close()


async def main():
    listener = socket.socket(fileno=0)
    listener.setblocking(False)
    server = await asyncio.start_unix_server(serve, sock=listener, backlog=4000)
    await server.serve_forever()


asyncio.run(main())
