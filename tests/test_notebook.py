"""A notebook in a real kernel: `await` at the top, cells run again, the trace under the cell."""

import importlib.util

import pytest

if importlib.util.find_spec("ipykernel") is None or importlib.util.find_spec("nbclient") is None:
    pytest.skip("ipykernel and nbclient are in the extra `dev`", allow_module_level=True)

import nbclient
from nbformat.v4 import new_code_cell, new_notebook

# What only the recorded answers need: in a notebook of your own, the last line is all of it.
SET_UP = """
from importlib import import_module
from interceptor.replay import Server
import interceptor

interceptor.configure(destinations=())
http = import_module(interceptor.transports.sdk_library())
server = Server.of("chat.completions/plain", "chat.completions/streamed").__enter__()
tapped = interceptor.wrap(http.AsyncHTTPTransport())
client = http.AsyncClient(transport=tapped, base_url=server.url)
"""
OBSERVED = """
@interceptor.observe
async def ask(question):
    messages = [{"role": "user", "content": question}]
    asked = {"model": "mistral-small-latest", "messages": messages}
    answer = await client.post("/v1/chat/completions", json=asked)
    return answer.status_code

await ask("Which ferry goes at night?")
"""
STREAMED = """
with interceptor.span("read"):
    asked = {"model": "mistral-small-latest", "messages": [], "stream": True}
    async with client.stream("POST", "/v1/chat/completions", json=asked) as answer:
        text = [line async for line in answer.aiter_lines()]
interceptor.get_trace()
"""
TRACE = "interceptor.get_trace(interceptor.last_trace_id())"
ALL = "print(len(interceptor.search()), interceptor.current_span().trace_id)"
TIDY_UP = "await client.aclose()\nserver.__exit__()"
CELLS = (SET_UP, OBSERVED, TRACE, OBSERVED, TRACE, OBSERVED, STREAMED, ALL, TIDY_UP)


@pytest.fixture(scope="module")
def outputs():
    """Run the cells one after the other; give what each of them shows."""
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells]


def shown(outputs, kind):
    """Give what a cell's last value looks like."""
    (output,) = outputs
    return output["data"][kind]


def test_await_works_at_the_top(outputs):
    assert shown(outputs[1], "text/plain") == "200"


def test_the_trace_is_shown_under_the_cell(outputs):
    html = shown(outputs[2], "text/html")
    for words in ("ask", "chat mistral-small-latest", "Which ferry goes at night?", "<details"):
        assert words in html
    assert "<script" not in html
    assert shown(outputs[2], "text/plain").startswith("<Trace ")


def test_a_cell_can_be_run_again(outputs):
    first, again = shown(outputs[2], "text/html"), shown(outputs[4], "text/html")
    assert first != again
    assert again.count("<details") == first.count("<details") == 2


def test_a_stream_is_read_in_a_cell(outputs):
    html = shown(outputs[6], "text/html")
    assert html.count("<details") == 2
    assert "The lamp goes out" in html


def test_nothing_is_left_current_between_cells(outputs):
    (printed,) = outputs[7]
    assert printed["text"] == "4 None\n"


def test_nothing_is_said_on_stderr(outputs):
    assert not [one for cell in outputs for one in cell if one.get("name") == "stderr"]
