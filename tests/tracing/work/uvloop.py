# /// script
# dependencies = ["uvloop"]
# [tool.trace]
# kind = "web"
# ///
"""Run a coroutine."""

import asyncio

import uvloop

assert uvloop.run(asyncio.sleep(0, 3)) == 3
