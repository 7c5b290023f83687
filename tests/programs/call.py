"""A program that knows nothing of interceptor: one call of the SDK.

    python call.py URL [here | subprocess | spawn | fork]

The second word says which process makes the call: this one, or a child of that kind.
"""

import multiprocessing
import subprocess
import sys
from importlib import import_module, metadata

MODEL = "mistral-small-latest"


def sdk(url):
    """Make a client of the installed SDK."""
    major = metadata.version("mistralai").partition(".")[0]
    module = import_module("mistralai" if major == "1" else "mistralai.client")
    return module.Mistral(api_key="invented", server_url=url)


def call(url):
    answer = sdk(url).chat.complete(model=MODEL, messages=[{"role": "user", "content": "Hello"}])
    print(answer.usage.total_tokens)


def main(url, where="here"):
    if where == "here":
        call(url)
    elif where == "subprocess":
        subprocess.run([sys.executable, __file__, url], check=True)
    else:
        child = multiprocessing.get_context(where).Process(target=call, args=(url,))
        child.start()
        child.join()
        sys.exit(child.exitcode)


if __name__ == "__main__":
    main(*sys.argv[1:])
