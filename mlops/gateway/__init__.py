"""The inference gateway: passes requests to deployments on to their servers, natively on the event loop."""
