"""A firmware that only talks: over the board's network to a server, as `settings.json` says. Run by hal_sim.play."""

import asyncio
import json

_REST_MS = 1500


def say(board, **fields) -> None:
    board.console.write("info %s\n" % json.dumps(fields))


async def talk(board) -> None:
    with open(board.root + "/settings.json") as file:
        settings = json.loads(file.read())
    found: list = []
    board.net.resolve(settings["relay_host"], settings["relay_port"], found.append)
    if not found[0]:
        say(board, nobody=True)
        await asyncio.Event().wait()
    socket = board.net.open(found[0][0])
    buf = bytearray(100)
    try:
        while not socket.write(b"hello\n"):
            await asyncio.sleep_ms(5)
        say(board, up=board.net.ready())
        while True:
            count = await asyncio.StreamReader(socket).readinto(buf)
            if not count:
                break
            say(board, got=str(bytes(buf[:count]), "utf-8"))
            socket.write(buf[:count])
            if buf[:count] == b"rest":
                await asyncio.sleep_ms(_REST_MS)
    except OSError as error:
        say(board, error=error.errno)
    socket.close()
    say(board, over=True, up=board.net.up_bytes, down=board.net.down_bytes)
    await asyncio.Event().wait()


def run(board) -> None:
    asyncio.run(talk(board))
