"""`python main.py --format onnx --model DIR --name NAME --port PORT`: serves one model over HTTP.

It listens at once and is ready when the model is loaded and was tried; a model that cannot be served ends it
with code 1 and the reason as the last line on stderr. Needs nothing but what lies in its folder and the
packages of onnx-requirements.txt, or sklearn-requirements.txt.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

# onnxruntime otherwise keeps an identifier of this machine in the home folder and reports over the network.
SILENT = {"ORT_DISABLE_TELEMETRY": "1"}
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--format", choices=("onnx", "sklearn"), required=True)
    parser.add_argument(
        "--model", type=Path, required=True, help="the model's file, or a folder that holds it"
    )
    parser.add_argument("--name", required=True, help="of the model, in its addresses")
    parser.add_argument("--version", default="1")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1, help="cores that one request may use")
    parser.add_argument("--body-limit-bytes", type=int, default=16 * 1024 * 1024)
    parser.add_argument(
        "--body-seconds", type=float, default=60, help="for a head or body to arrive, an answer to leave"
    )
    parser.add_argument("--grace-seconds", type=int, default=25, help="for open requests at the end")
    args = parser.parse_args()
    if not args.name or args.threads < 1 or args.body_limit_bytes < 1 or args.body_seconds <= 0:
        parser.error("name must not be empty; threads, body limit and body seconds must be above 0")
    return args


def main() -> None:
    """Serve until a signal or the model ends it."""
    args = parse()
    # Read by the libraries when they are imported, which is why that happens after this.
    os.environ.update(SILENT | dict.fromkeys(THREAD_VARIABLES, str(args.threads)))
    code = importlib.import_module("service").run(args)
    sys.stdout.flush()
    sys.stderr.flush()
    # A thread that still loads or runs a model must not keep the process.
    os._exit(code)


if __name__ == "__main__":
    main()
