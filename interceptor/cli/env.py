"""Print the environment variables that have every Python of a shell, an image or a service record.

    eval "$(interceptor env)"                         in a shell
    interceptor env --docker                          lines for a Dockerfile; run it in the image,
                                                      for paths are those of this machine
    interceptor env --json                            for anything else

`interceptor run` sets the same for one program.
"""

import argparse
import json
import os
import re
import shlex

from interceptor.cli._checked import checked
from interceptor.cli._output import Output
from interceptor.installing.environment import SITE, VARIABLE, variables

__all__ = ["add_arguments", "run"]

_SPECIAL = re.compile(r'["$\\]')  # within the quotes of a Dockerfile
_ESCAPED = r"\\\g<0>"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--docker", action="store_true", help="as lines of a Dockerfile")
    form.add_argument("--json", action="store_true", help="as one JSON object")


def run(args: argparse.Namespace) -> Output:
    """Give the variables in the form asked for."""
    checked(os.environ)  # raises what is wrong here, where somebody reads it
    found = variables(os.environ)
    if args.json:
        yield json.dumps(found)
        return
    # The rest of it is read where this is: whoever set it first keeps what is on it.
    rest = f"${{{VARIABLE}:+:${VARIABLE}}}"
    if args.docker:
        yield f"ENV INTERCEPTOR={found['INTERCEPTOR']}"
        yield f'ENV {VARIABLE}="{_SPECIAL.sub(_ESCAPED, SITE)}{rest}"'
        return
    yield f"export INTERCEPTOR={found['INTERCEPTOR']}"
    if SITE not in os.environ.get(VARIABLE, "").split(os.pathsep):
        yield f'export {VARIABLE}={shlex.quote(SITE)}"{rest}"'
