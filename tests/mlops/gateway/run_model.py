"""`python -m tests.mlops.gateway.run_model <port> <word>`: the model server of the gateway's tests."""

import sys

import uvicorn

from tests.mlops.gateway.model import application

if __name__ == "__main__":
    uvicorn.run(
        application,
        port=int(sys.argv[1]),
        log_level="warning",
        access_log=False,
        loop="uvloop",
        http="httptools",
        ws="none",
    )
