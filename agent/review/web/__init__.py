"""`outrider view`: runs in a browser. Binds to loopback only; starlette and uvicorn are imported when it starts."""
