"""`python -m ranker`: exit 0 after a clean stop, 1 when it cannot listen, 2 when a setting is missing or invalid."""

import asyncio
import logging
import os
import sys

from ranker.config import ConfigError, load_config
from ranker.server import PortTakenError, serve

logger = logging.getLogger("ranker")


def main() -> int:
    """Run the service and return its exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logger.setLevel(logging.INFO)
    try:
        asyncio.run(serve(load_config(os.environ)))
    except ConfigError as error:
        logger.error("%s", error)  # noqa: TRY400 - the message says it all; a traceback would only hide it
        return 2
    except PortTakenError as error:
        logger.error("%s", error)  # noqa: TRY400 - as above
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
