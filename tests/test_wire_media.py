"""OCR, transcriptions, speech and embeddings: what is large is not kept."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interceptor.reading import read
from interceptor.record import Blob, FileRef, Generic, Input, Link, Message, Text
from interceptor.wire.embeddings import slimmed
from tests.recorded_exchanges import SSE, cut, events, exchange

OCR, HEAR, SPEAK, EMBED = (
    f"/v1/{path}" for path in ("ocr", "audio/transcriptions", "audio/speech", "embeddings")
)
DATA = base64.b64encode(b"an invented picture").decode()
SHA = hashlib.sha256(DATA.encode()).hexdigest()
URL = "https://a.example/b"


def asked(path, request, **more):
    record = read(exchange(path, request, {}, **more))
    assert not record.notes
    return record.input


def answered(path, answer, **more):
    record = read(exchange(path, answered=answer, **more))
    assert not record.notes
    return record


def user(*parts):
    return (Message(role="user", parts=parts),)


def assistant(*parts):
    return (Message(role="assistant", parts=parts),) if parts else ()


DOCUMENTS = {
    "a document": ({"type": "document_url", "document_url": URL}, Link("document", URL)),
    "an image": ({"type": "image_url", "image_url": {"url": URL}}, Link("image", URL)),
    "a file": ({"type": "file", "file_id": "f"}, FileRef("file", "f")),
}


@pytest.mark.parametrize(("document", "part"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_the_document_is_the_input(document, part):
    sent = asked(OCR, {"model": "m", "document": document, "pages": [0]})
    assert sent == Input(model="m", messages=user(part), parameters={"model": "m", "pages": [0]})


def test_what_to_look_for_is_words():
    sent = asked(OCR, {"document_annotation_prompt": "find it"})
    assert sent == Input(messages=user(Text("find it")))
    assert asked(OCR, {"document": None}) == Input()


PICTURE = Blob(modality="image", size_bytes=len(DATA), sha256=SHA)
PAGES = {
    "text": ([{"markdown": "a"}, {"markdown": "b"}], [Text("a"), Text("b")]),
    "no text": ([{"markdown": None}], [Text("")]),
    "a picture": ([{"markdown": "a", "images": [{"image_base64": DATA}]}], [Text("a"), PICTURE]),
    "a picture as a data URI": (
        [{"markdown": "a", "images": [{"image_base64": f"data:image/png;base64,{DATA}"}]}],
        [
            Text("a"),
            Blob(modality="image", mime_type="image/png", size_bytes=len(DATA), sha256=SHA),
        ],
    ),
    "a picture that was not asked for": (
        [{"markdown": "a", "images": [{"image_base64": None}, {}]}],
        [Text("a")],
    ),
    "an annotation": (
        [
            {
                "markdown": "a",
                "images": [{"image_annotation": '{"b":1}'}, {"image_annotation": {"c": 2}}],
            }
        ],
        [Text("a"), Generic("annotation", '{"b":1}'), Generic("annotation", '{"c":2}')],
    ),
    "no pages": ([], []),
}


@pytest.mark.parametrize(("pages", "parts"), PAGES.values(), ids=PAGES)
def test_pages_are_parts(pages, parts):
    answer = {"model": "m", "pages": pages, "usage_info": {"pages_processed": 3}}
    record = answered(OCR, answer)
    assert record.output.messages == assistant(*parts)
    assert record.output.facts == {"pages": len(pages)}
    assert (record.output.model, record.usage.pages_processed) == ("m", 3)


def test_a_document_may_be_annotated():
    record = answered(OCR, {"document_annotation": "{}"})
    assert record.output.messages == assistant(Generic("annotation", "{}"))
    assert record.output.facts == {}


FORM = {"content-type": "multipart/form-data; boundary=b"}


def form(*fields):
    parts = [
        f"--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n" for head, body in fields
    ]
    return "".join([*parts, "--b--\r\n"]).encode()


def test_a_form_is_read_and_its_file_is_not_kept():
    sent = asked(
        HEAR,
        form(
            ('name="model"', "m"),
            ('name="temperature"', "0.5"),
            ('name="stream"', "true"),
            ('name="language"', "en"),
            ('name="context_bias"', "Ada"),
            ('name="file"; filename="a.mp3"\r\nContent-Type: audio/mpeg', "an invented song"),
        ),
        sent=FORM,
    )
    file = Blob(modality="audio", mime_type="audio/mpeg", size_bytes=16, name="a.mp3")
    parameters = {
        "model": "m",
        "temperature": "0.5",
        "stream": "true",
        "language": "en",
        "context_bias": "Ada",
    }
    assert sent == Input(
        model="m", temperature=0.5, stream=True, messages=user(file), parameters=parameters
    )


def test_a_form_that_streamed_by_is_read_from_what_was_seen():
    sent = asked(HEAR, None, sent=FORM, form={"model": "m", "file": "a.mp3", "stream": "false"})
    assert sent.messages == user(Blob(modality="audio", name="a.mp3"))
    assert (sent.model, sent.stream) == ("m", False)


def test_a_request_of_which_nothing_was_seen_is_empty():
    assert asked(HEAR, None, sent=FORM) == Input()
    assert asked(HEAR, None, sent=FORM, form={}) == Input()


def test_a_recording_may_be_elsewhere():
    sent = asked(HEAR, {"file_url": URL, "file_id": "f", "temperature": 1})
    assert sent == Input(
        temperature=1.0,
        messages=user(Link("audio", URL), FileRef("audio", "f")),
        parameters={"temperature": 1},
    )


def test_values_of_a_form_that_are_odd_are_noted():
    record = read(exchange(HEAR, form(('name="temperature"', "hot")), {}, sent=FORM))
    assert record.input.temperature is None
    assert record.notes == ("request.temperature: in a shape that is not known, left out",)


HEARD = {
    "words": (
        {"text": "a", "language": "en", "segments": [{"text": "a"}]},
        assistant(Text("a")),
        {"language": "en", "segments": 1},
    ),
    "silence": (
        {"text": "", "language": None, "segments": []},
        assistant(Text("")),
        {"segments": 0},
    ),
    "nothing": ({}, (), {}),
}


@pytest.mark.parametrize(("answer", "messages", "facts"), HEARD.values(), ids=HEARD)
def test_what_was_heard_is_a_message(answer, messages, facts):
    usage = {"prompt_audio_seconds": 3}
    output = answered(HEAR, answer | {"model": "m", "usage": usage}).output
    assert (output.model, output.messages, output.facts) == ("m", messages, facts)
    last = events(answer | {"type": "transcription.done", "usage": usage})
    assert answered(HEAR, last, headers=SSE).output.messages == messages


def test_a_transcription_may_have_a_finish_reason():
    output = answered(HEAR, {"text": "a", "finish_reason": "length"}).output
    assert output.finish_reasons == ("length",)
    assert output.messages[0].finish_reason == "length"


@pytest.mark.parametrize("path", [OCR, HEAR, SPEAK])
def test_an_answer_may_name_itself_and_its_model(path):
    output = answered(path, {"id": "i", "model": "m"}).output
    assert (output.id, output.model) == ("i", "m")


def test_the_stream_of_speech_may_name_itself_and_its_model():
    last = {"type": "speech.audio.done", "audio_data": DATA, "usage": {"prompt_tokens": 1}}
    output = answered(SPEAK, events({**last, "id": "i", "model": "m"}), headers=SSE).output
    assert (output.id, output.model) == ("i", "m")
    blob = Blob(modality="audio", size_bytes=len(DATA), sha256=SHA)
    assert output.messages == assistant(blob)


def delta(words):
    return {"type": "transcription.text.delta", "text": words}


def segment(words):
    return {"type": "transcription.segment", "text": words, "start": 0, "end": 1}


CUT = {
    "words": ([delta("a"), delta("b")], assistant(Text("ab")), {}),
    "segments": ([segment("a"), segment("b")], assistant(Text("ab")), {"segments": 2}),
    "both": ([delta("a"), segment("a")], assistant(Text("a")), {"segments": 1}),
    "a language": (
        [{"type": "transcription.language", "audio_language": "fr"}],
        (),
        {"language": "fr"},
    ),
    "nothing said": ([delta(None)], (), {}),
}


@pytest.mark.parametrize(("given", "messages", "facts"), CUT.values(), ids=CUT)
def test_a_transcription_that_ends_before_is_put_together(given, messages, facts):
    record = answered(HEAR, events(*given), headers=SSE)
    assert (record.output.messages, record.output.facts) == (messages, facts)
    assert not record.stream.completed


LAST = {
    "words": ({"text": ""}, [delta("a")], assistant(Text("a")), {}),
    "segments": (
        {"text": "a", "segments": []},
        [segment("a")],
        assistant(Text("a")),
        {"segments": 1},
    ),
    "a language": (
        {"text": "a", "language": None},
        [{"type": "transcription.language", "audio_language": "fr"}],
        assistant(Text("a")),
        {"language": "fr"},
    ),
    "words, of which none came": (
        {"text": "", "segments": []},
        [],
        assistant(Text("")),
        {"segments": 0},
    ),
    "nothing": (
        {"text": "b", "language": "en"},
        [delta("a")],
        assistant(Text("b")),
        {"language": "en"},
    ),
}


@pytest.mark.parametrize(("last", "given", "messages", "facts"), LAST.values(), ids=LAST)
def test_what_the_last_event_leaves_out_stands_before_it(last, given, messages, facts):
    last = {"type": "transcription.done", "model": "m", **last}
    record = answered(HEAR, events(*given, last), headers=SSE)
    assert (record.output.messages, record.output.facts) == (messages, facts)
    assert (record.output.model, record.stream.completed) == ("m", True)


def test_events_after_the_last_are_counted():
    last = {"type": "transcription.done", "text": "a"}
    record = answered(HEAR, events(delta("a"), last, delta("b")), headers=SSE)
    assert (record.output.messages, record.stream.events) == (assistant(Text("a")), 3)


@pytest.mark.parametrize("path", [HEAR, SPEAK])
def test_an_event_that_is_new_is_counted(path):
    record = read(exchange(path, answered=events({"type": "hum"}), headers=SSE))
    assert record.notes == ("event 'hum': not known, skipped",)


def test_what_is_to_be_spoken_is_counted():
    sent = asked(SPEAK, {"model": "m", "input": "ahoi!", "voice_id": "v", "ref_audio": DATA})
    assert sent == Input(
        model="m",
        output_type="speech",
        characters=5,
        messages=user(Text("ahoi!")),
        parameters={"model": "m", "voice_id": "v"},
    )
    assert asked(SPEAK, {"input": ""}).messages == ()
    assert asked(SPEAK, {"model": "m"}).characters is None


SOUND = Blob(modality="audio", size_bytes=len(DATA), sha256=SHA)


def test_audio_is_measured_and_not_kept():
    assert answered(SPEAK, {"audio_data": DATA}).output.messages == assistant(SOUND)
    assert answered(SPEAK, {"audio_data": None}).output.messages == ()


def test_audio_in_pieces_is_measured_as_one():
    given = [
        {"type": "speech.audio.delta", "audio_data": one} for one in (DATA[:4], None, DATA[4:])
    ]
    last = {"type": "speech.audio.done", "usage": {"completion_tokens": 3}}
    record = answered(SPEAK, events(*given, last), headers=SSE)
    assert record.output.messages == assistant(SOUND)
    assert (record.usage.output_tokens, record.stream.completed) == (3, True)


@pytest.mark.parametrize("kind", ["audio/mpeg", "Audio/WAV; rate=1", "application/octet-stream"])
def test_an_answer_may_be_the_audio_itself(kind):
    record = answered(SPEAK, [b"ID3", b"song"], headers={"content-type": kind})
    sound = Blob(
        modality="audio",
        mime_type=kind.partition(";")[0].lower(),
        size_bytes=7,
        sha256=hashlib.sha256(b"ID3song").hexdigest(),
    )
    assert record.output.messages == assistant(sound)


def test_audio_past_the_limit_has_its_size_and_no_hash():
    song = [b"ID3" + b"x" * 997] * 50
    record = read(
        exchange(SPEAK, answered=song, headers={"content-type": "audio/mpeg"}, limit_bytes=9000)
    )
    (sound,) = record.output.messages[0].parts
    assert (sound.size_bytes, sound.sha256) == (50_000, None)
    assert "were dropped" in record.notes[0]


def test_the_characters_that_were_billed_stand_in_a_header():
    cost = {"x-ratelimit-input-characters-query-cost": "64", "content-type": "application/json"}
    record = answered(SPEAK, {"audio_data": DATA}, headers=cost)
    assert (record.usage.input_characters, record.usage.input_tokens) == (64, None)
    odd = cost | {"x-ratelimit-input-characters-query-cost": "many"}
    assert answered(SPEAK, {"audio_data": DATA}, headers=odd).usage is None


TEXTS = {
    "one": ("a", user(Text("a"))),
    "several": (["a", "b"], user(Text("a"), Text("b"))),
    "tokens": ([1, 2], ()),
    "nothing": (None, ()),
}


@pytest.mark.parametrize(("given", "messages"), TEXTS.values(), ids=TEXTS)
def test_what_is_to_be_embedded_is_read(given, messages):
    sent = asked(EMBED, {"model": "m", "input": given, "output_dimension": 8})
    assert (sent.model, sent.dimensions, sent.messages) == ("m", 8, messages)


VECTORS = {
    "vectors": ([{"embedding": [0.1, 2]}, {"embedding": [3, 4e-5]}], 2, 2),
    "the kind before the vector": (
        [{"object": "embedding", "index": 0, "embedding": [1, 2, 3]}],
        1,
        3,
    ),
    "one number": ([{"embedding": [1]}], 1, 1),
    "empty vectors": ([{"embedding": []}], 1, 0),
    "of several lengths": ([{"embedding": [1]}, {"embedding": [1, 2]}], 2, None),
    "base64": ([{"embedding": DATA}], 1, None),
    "no vector": ([{"index": 0}], 1, None),
    "none": ([], 0, None),
    "not there": (None, None, None),
}


@pytest.mark.parametrize(("data", "count", "dimensions"), VECTORS.values(), ids=VECTORS)
def test_vectors_are_counted_and_measured(data, count, dimensions):
    answer = {"id": "e", "model": "m", "data": data, "usage": {"prompt_tokens": 4}}
    record = answered(EMBED, answer)
    output = record.output
    assert (output.id, output.model, record.usage.input_tokens) == ("e", "m", 4)
    assert (output.embeddings_count, output.embeddings_dimensions) == (count, dimensions)


KINDS = {
    "floats in base64": ({}, bytes(4 * 3), 3),
    "floats in base64, asked for": ({"output_dtype": "float"}, bytes(4 * 4), 4),
    "many floats in base64": ({"output_dtype": None}, bytes(4 * 4001), 4001),
    "bytes in base64": ({"output_dtype": "int8"}, bytes(7), 7),
    "bytes without a sign in base64": ({"output_dtype": "uint8"}, bytes(8), 8),
    "bits in base64": ({"output_dtype": "binary"}, bytes(2), 16),
    "bits without a sign in base64": ({"output_dtype": "ubinary"}, bytes(3), 24),
    "half a float in base64": ({}, bytes(6), None),
    "a new kind in base64": ({"output_dtype": "float16"}, bytes(8), None),
    "a kind that is no text, in base64": ({"output_dtype": ["int8"]}, bytes(8), None),
    "bytes": ({"output_dtype": "int8"}, [1, -2, 3], 3),
    "bits": ({"output_dtype": "ubinary"}, [1, 2, 3], 24),
    "a new kind": ({"output_dtype": "float16"}, [1, 2, 3], 3),
}


@pytest.mark.parametrize(("request_", "vector", "dimensions"), KINDS.values(), ids=KINDS)
def test_dimensions_depend_on_the_kind_of_number_asked_for(request_, vector, dimensions):
    sent = vector if isinstance(vector, list) else base64.b64encode(vector).decode()
    record = read(exchange(EMBED, {"input": "a", **request_}, {"data": [{"embedding": sent}] * 2}))
    assert record.output.embeddings_dimensions == dimensions
    assert (record.output.embeddings_count, record.notes) == (2, ())


def test_blanks_among_vectors_do_not_matter():
    answer = b'{"data": [{"embedding" : [\n 1,\n 2 ]},\n{"embedding":[ ]} ]}'
    output = answered(EMBED, answer).output
    assert (output.embeddings_count, output.embeddings_dimensions) == (2, None)
    assert b"".join(slimmed([answer])) == b'{"data": [{"embedding" : 2},\n{"embedding":0} ]}'


@given(
    vectors=st.lists(st.lists(st.floats(0, 1), max_size=5), max_size=4),
    blank=st.sampled_from(["", " ", "\n  "]),
    places=st.lists(st.integers(0, 300)),
)
def test_vectors_are_cut_out_wherever_pieces_end(vectors, blank, places):
    def answer(held):
        items = (f'{{"object":"embedding",{blank}"embedding"{blank}:{blank}{one}}}' for one in held)
        return f'{{"data":[{",".join(items)}],"usage":{{}}}}'.encode()

    pieces = cut(answer(vectors), places)
    assert b"".join(slimmed(pieces)) == answer(map(len, vectors))


WITHOUT = {
    "a text": b'{"embedding":"x"}',
    "a name alone": b'{"embedding"',
    "nothing": b"",
    "a list": b"[1]",
}


@pytest.mark.parametrize("body", WITHOUT.values(), ids=WITHOUT)
def test_what_holds_no_vector_is_left_alone(body):
    assert b"".join(slimmed([body])) == body


def test_a_vector_that_never_ends_is_noted():
    record = read(exchange(EMBED, answered=b'{"data":[{"embedding":[1,2'))
    assert record.notes == ("response: not JSON",)


def test_a_large_answer_is_read_with_pauses():
    pauses = []
    vector = b'{"embedding":[' + b"0.5," * 20_000 + b"1]}"
    body = b'{"data":[' + b",".join([vector] * 40) + b"]}"
    record = read(exchange(EMBED, answered=body), rest=lambda: pauses.append(1))
    assert (record.output.embeddings_count, record.output.embeddings_dimensions) == (40, 20_001)
    assert len(pauses) > 5
