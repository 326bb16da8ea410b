"""The life of the server: listen, load the model beside it, serve, end."""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import logging
import sys
import threading
import time
import traceback
import warnings
from contextlib import suppress

import uvloop
from application import Application
from models import log
from refusals import BadModel
from served import Served
from wire import Server


def run(args: argparse.Namespace) -> int:
    """Serve one model as the command line says; the exit code."""
    # What is too large for fewer bits becomes infinite, which is an answer and nothing to log.
    warnings.simplefilter("ignore", RuntimeWarning)
    logging.addLevelName(logging.WARNING, "WARN")
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    # What is wrong with a client's HTTP is told to the client.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(args))


async def _serve(args: argparse.Namespace) -> int:
    application = Application(
        args.name, args.version, body_limit=args.body_limit_bytes, body_seconds=args.body_seconds
    )
    server = Server(
        application,
        host=args.host,
        port=args.port,
        grace_seconds=args.grace_seconds,
        patience_seconds=args.body_seconds,
    )
    failures: list[str] = []
    loop = asyncio.get_running_loop()

    def load() -> None:
        try:
            application.served = _load(args)
        except BadModel as error:
            failures.append(str(error))
        except MemoryError:
            failures.append("The model does not fit into the memory that this server may take.")
        except BaseException as error:
            failures.append(f"The model could not be loaded: {error!r}")
            traceback.print_exc()
            raise
        finally:
            if failures:
                # The loop is gone where the end was asked for meanwhile.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(server.end)

    threading.Thread(target=load, name="load", daemon=True).start()
    await server.serve()
    if failures:
        sys.stderr.write(f"ERROR {failures[0]}\n")
    return 1 if failures else 0


def _load(args: argparse.Namespace) -> Served:
    """Load the model, try it and tell of it. Raises BadModel."""
    began = time.perf_counter()
    model = importlib.import_module(f"{args.format}_model").load(args.model, args.threads)
    served = Served(model, args.name, args.version, args.threads)
    served.learn()
    # What is there now stays, and requests hold no circles: the collector has little to look for.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    took = (time.perf_counter() - began) * 1000
    log.info("Model %s (%s) loaded in %.0f ms; %s", args.name, model.file.name, took, served.line())
    return served
