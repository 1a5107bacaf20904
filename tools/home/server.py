"""The web server of the simulated home: page, sounds and the WebSocket.

Owns the HTTP side. Listens on 127.0.0.1 only, answers only to its own name (a foreign page cannot
use it), and lets the page load nothing from anywhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import pathlib
import re
from collections.abc import AsyncIterator, Sequence

from aiohttp import WSMsgType, web

from tools.home.hub import Hub
from tools.home.outside import SIMULATED, Outside
from tools.home.process import Process

STATIC = pathlib.Path(__file__).resolve().parent / "static"
MESSAGE_MAX = 4096  # bytes from a page
PAGES_MAX = 32
SEND_LIMIT_S = 10.0
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
HUB = web.AppKey("hub", Hub)
SOUND_DIR = web.AppKey("sound", pathlib.Path)


@web.middleware
async def _guard(request: web.Request, handler: object) -> web.StreamResponse:
    name = request.host.rsplit(":", 1)[0]
    if name not in ("127.0.0.1", "localhost"):
        raise web.HTTPForbidden(text="this server answers to 127.0.0.1 only")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        raise web.HTTPForbidden(text="a foreign page may not use this server")
    return await handler(request)  # type: ignore[operator]


async def _headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


async def _page(request: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html")


async def _sound(request: web.Request) -> web.StreamResponse:
    """A prompt's WAV, or index.json; without `build/sound` the home is silent, not broken."""
    name = request.match_info["name"]
    path = request.app[SOUND_DIR] / name
    if re.fullmatch(r"[A-Za-z0-9_-]+\.(wav|json)", name) and path.is_file():
        return web.FileResponse(path)
    if name == "index.json":
        return web.json_response({})
    raise web.HTTPNotFound(text="no such sound")


async def _socket(request: web.Request) -> web.StreamResponse:
    hub = request.app[HUB]
    if len(hub.pages) >= PAGES_MAX:
        raise web.HTTPServiceUnavailable(text="too many pages are open")
    socket = web.WebSocketResponse(heartbeat=20, max_msg_size=MESSAGE_MAX)
    await socket.prepare(request)
    queue: asyncio.Queue = asyncio.Queue()
    hub.join(queue)
    writer = asyncio.create_task(_write(socket, queue))
    try:
        await _listen(socket, hub, queue)
    finally:
        hub.pages.discard(queue)
        await _end(writer, queue)
    return socket


async def _write(socket: web.WebSocketResponse, queue: asyncio.Queue) -> None:
    with contextlib.suppress(ConnectionError, asyncio.TimeoutError, RuntimeError):
        while (message := await queue.get()) is not None:
            await asyncio.wait_for(socket.send_str(json.dumps(message, ensure_ascii=False)), SEND_LIMIT_S)
    await socket.close()


async def _end(writer: asyncio.Task, queue: asyncio.Queue) -> None:
    """End _write, and what is still queued. Before Python 3.12 wait_for drops a cancel that meets the end of a send:
    the end is queued too, or the writer would wait for ever for a message that nobody can send any more."""
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(None)
    writer.cancel()
    await asyncio.wait([writer], timeout=1)


async def _listen(socket: web.WebSocketResponse, hub: Hub, queue: asyncio.Queue) -> None:
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            continue
        try:
            wish = json.loads(message.data)
        except ValueError:
            wish = None
        refused = await hub.hear(wish)
        if refused:
            queue.put_nowait({"type": "refused", "text": refused})


async def _run(app: web.Application) -> AsyncIterator[None]:
    hub = app[HUB]
    if hub.outside is not None:
        await hub.outside.start()
    await hub.start()
    watcher = asyncio.create_task(hub.watch())
    yield
    watcher.cancel()
    await asyncio.wait([watcher])
    if hub.simulator is not None:
        await hub.simulator.stop()
    if hub.outside is not None:
        await hub.outside.stop()


def make_app(
    command: list[str], cwd: pathlib.Path, scenario: dict, sound: pathlib.Path,
    products: Sequence[dict[str, str]] = (), folder: pathlib.Path | None = None, broker: str = SIMULATED,
) -> web.Application:
    """The whole server. Its start starts the simulator, with broker and relay if they are real; its clean-up ends them.

    products: the bought sensors that can be brought into the home (house.products). folder: the firmware's files, where
    a real broker and relay have theirs too. broker: of tools.home.outside. Starting raises OSError, RelayError.
    """
    app = web.Application(middlewares=[_guard])
    hub = Hub(scenario, products)
    hub.simulator = Process(command, cwd, hub.line, hub.ended)
    if broker != SIMULATED and folder is not None:
        hub.outside = Outside(folder, broker, hub.committed, hub.relay_is)
    app[HUB] = hub
    app[SOUND_DIR] = sound
    app.on_response_prepare.append(_headers)
    app.router.add_get("/", _page)
    app.router.add_get("/ws", _socket)
    app.router.add_get("/sound/{name}", _sound)
    app.router.add_static("/static/", STATIC)

    app.cleanup_ctx.append(_run)
    async def close_pages(app: web.Application) -> None:
        for queue in list(hub.pages):
            queue.put_nowait(None)

    app.on_shutdown.append(close_pages)
    return app
