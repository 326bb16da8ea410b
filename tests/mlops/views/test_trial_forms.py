"""Forms made of a model's inputs, the requests that come of them, and answers as people read them."""

import io
from types import SimpleNamespace

import pytest
from PIL import Image

from mlops.domain import model_signatures
from mlops.formats import pictures
from mlops.views.trial_answer import Shown, scored
from mlops.views.trial_forms import TrialForm, Unfit, example


def signature(*ports):
    named = [dict(zip(("name", "type", "shape"), one, strict=True)) for one in ports]
    return model_signatures.of_facts([{"error": "no"}, {"inputs": named}])


def served(*, takes_text=False, built_in="onnx"):
    return SimpleNamespace(takes_text=takes_text, built_in=built_in)


def form(found, given=None, files=None, **facts):
    return TrialForm(served(**facts), found, given, files)


def widgets(made):
    return [one.widget for one in made.fields]


PIXELS = signature(("pixels", "float32", "[N, 64]"))
TEXT = signature(("text", "string", "[?, 1]"))
FOUR = signature(("x", "float32", "[batch, 4]"))
COLUMNS = signature(("age", "int64", "[N, 1]"), ("name", "string", "[N, 1]"), ("vip", "bool", "[N]"))
COLOURS = signature(("image", "float32", "[1, 3, 4, 4]"))


def test_texts_are_lines():
    made = form(TEXT, {"text": "one\n\n two "})
    assert widgets(made) == ["lines"] and made.fields[0].label == "Text"
    assert made.body() == {"text": ["one", " two "]}
    for wrong in ("", "\n".join("abcdefghijklmnopq")):
        refused = form(TEXT, {"text": wrong})
        with pytest.raises(Unfit):
            refused.body()
        assert refused.fields[0].error == "Write 1 to 16 lines."


def test_few_values_have_a_field_each():
    made = form(FOUR, {"value-0": "1", "value-1": " 2.5", "value-2": "-3e2", "value-3": "0"})
    assert [one.label for one in made.fields] == ["Value 1", "Value 2", "Value 3", "Value 4"]
    assert made.body() == {"rows": [[1, 2.5, -300, 0]]}
    for wrong in ("", "x", "nan", "inf"):
        refused = form(FOUR, {"value-0": wrong, "value-1": "1", "value-2": "1", "value-3": "1"})
        with pytest.raises(Unfit):
            refused.body()
        assert [one.error for one in refused.fields] == ["Write a number such as 3.5.", "", "", ""]


def test_features_are_named_as_the_server_says():
    told = {"inputs": [{"name": "X", "datatype": "FP64", "shape": [-1, 2], "features": ["length", "width"]}]}
    found = model_signatures.of_server(told)
    made = form(found, {"value-0": "1", "value-1": "2"})
    assert [one.label for one in made.fields] == ["length", "width"]
    assert made.body() == {"rows": [{"length": 1, "width": 2}]}
    assert example(served(), found) == {"rows": [{"length": 0, "width": 0}]}


@pytest.mark.parametrize("names", [["only"], ["twice", "twice"], ["one", "two", "three"]])
def test_features_that_do_not_fit_the_row_name_nothing(names):
    told = {"inputs": [{"name": "X", "datatype": "FP64", "shape": [-1, 2], "features": names}]}
    made = form(model_signatures.of_server(told), {"value-0": "1", "value-1": "2"})
    assert [one.label for one in made.fields] == ["Value 1", "Value 2"]
    assert made.body() == {"rows": [[1, 2]]}


def test_half_characters_of_a_signature_are_replaced():
    told = {"inputs": [{"name": "\ud800", "datatype": "FP64", "shape": [-1, 1], "features": ["\udfff"]}]}
    found = model_signatures.of_server(told)
    assert (found.inputs[0].name, found.inputs[0].features) == ("?", ("?",))


@pytest.mark.parametrize(
    "told",
    [
        *(None, [], {}, {"inputs": 3}, {"inputs": []}, {"inputs": ["x"]}, {"inputs": [{"shape": 1}]}),
        {"inputs": [{"name": "x", "datatype": "FP32", "shape": [10**4000, 10**4000]}]},
        {"inputs": [{"name": "x", "datatype": "FP32", "shape": [2] * 20_000}]},
    ],
)
def test_what_is_no_signature_makes_no_form(told):
    assert model_signatures.of_server(told) is None


def test_several_inputs_are_filled_in_by_name():
    made = form(COLUMNS, {"input-0": "41", "input-1": "Ada", "input-2": "on"})
    assert widgets(made) == ["number", "text", "yes"]
    assert made.body() == {"inputs": {"age": [41], "name": ["Ada"], "vip": [True]}}
    assert example(served(), COLUMNS) == {"inputs": {"age": [0], "name": [""], "vip": [False]}}
    refused = form(COLUMNS, {"input-0": "4.5"})
    with pytest.raises(Unfit):
        refused.body()
    assert refused.fields[0].error == "Write a whole number."


def test_many_values_are_rows_of_text():
    wide = signature(("x", "float32", "[N, 50]"))
    row = ", ".join(["1"] * 50)
    assert form(wide, {"values": f"{row}\n{row}"}).body() == {"rows": [[1] * 50] * 2}
    for typed, error in (
        ("", "Write at least one row of values."),
        (f"{row}\n1 2", "Row 2 has 2 values, it needs 50."),
        (row.replace("1", "one", 1), "“one” is no number."),
    ):
        refused = form(wide, {"values": typed})
        with pytest.raises(Unfit):
            refused.body()
        assert refused.fields[0].error == error


def test_a_free_width_takes_any_row():
    free = signature(("x", "int64", "[N, M]"))
    assert widgets(form(free)) == ["values"]
    assert form(free, {"values": "1 2 3"}).body() == {"rows": [[1, 2, 3]]}


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ("[N, 64]", (1, 8, 8)),
        ("[N, 784]", (1, 28, 28)),
        ("[N, 1, 28, 20]", (1, 28, 20)),
        ("[1, 3, 224, 224]", (3, 224, 224)),
        ("[1, 32, 30, 3]", (3, 32, 30)),
        ("[N, 28, 28]", (1, 28, 28)),
        ("[N, 16]", None),
        ("[N, 65]", None),
        ("[N, 2, 3]", None),
        ("[N, 5, 8, 8]", None),
        ("[N]", None),
        ("", None),
        ("[N, H, W]", None),
    ],
)
def test_shapes_that_look_like_pictures(shape, wanted):
    made = form(signature(("x", "float32", shape)))
    picture = next((one.picture for one in made.fields if one.picture), None)
    assert (picture and (picture.channels, picture.height, picture.width)) == wanted


def png(colour, size=(20, 10), mode="RGB"):
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, "PNG")
    return file.getvalue()


def test_a_picture_becomes_the_values_of_a_row():
    half = Image.new("L", (16, 16), 0)
    half.paste(255, (8, 0, 16, 16))
    file = io.BytesIO()
    half.save(file, "PNG")
    (row,) = form(PIXELS, {}, {"picture": file.getvalue()}).body()["rows"]
    assert len(row) == 64
    assert (row[0], row[7]) == (0, 16)
    (dark,) = form(PIXELS, {"top": "255", "invert": "on"}, {"picture": file.getvalue()}).body()["rows"]
    assert (dark[0], dark[7]) == (255, 0)


def test_colours_stand_in_planes_or_side_by_side():
    (row,) = form(COLOURS, {}, {"picture": png((255, 0, 51))}).body()["rows"]
    assert row == [1] * 16 + [0] * 16 + [0.2] * 16
    last = signature(("image", "uint8", "[1, 2, 2, 3]"))
    (row,) = form(last, {"top": "255"}, {"picture": png((255, 0, 51))}).body()["rows"]
    assert row == [255, 0, 51] * 4


def test_what_is_no_picture_is_refused():
    bomb = png(0, size=(6000, 6000), mode="1")
    for data, error in (
        (b"not a picture", "This is no PNG"),
        (png(0)[:40], "This is no PNG"),
        (bomb, "more than 20,000,000 pixels"),
        (b"\x00" * (pictures.SIZE_LIMIT + 1), "larger than 5 MiB"),
        (b"", "Choose a picture, or write its values."),
    ):
        refused = form(PIXELS, {}, {"picture": data})
        with pytest.raises(Unfit):
            refused.body()
        assert error in refused.fields[0].error


def test_the_values_of_a_picture_may_be_written_instead():
    assert form(PIXELS, {"values": " ".join(["2"] * 64)}).body() == {"rows": [[2] * 64]}


@pytest.mark.parametrize("found", [PIXELS, TEXT, FOUR, COLUMNS, COLOURS])
def test_every_sample_can_be_sent(found):
    sample = form(found).sample()
    assert form(found, sample).body()


def test_own_code_gets_a_form_only_where_it_is_known():
    assert not form(None, built_in="").is_there
    known = form(None, {"text": "Hello"}, takes_text=True, built_in="")
    assert known.body() == {"text": "Hello"}
    assert example(served(built_in=""), None) == {}


def shown(text, status=200):
    return Shown("", status, 1.0, text, len(text), False, "POST", "/", "", 1)


def rows(value):
    return [(label, dict(shares)) for label, shares in scored(value)]


def test_scores_of_the_forms_that_are_known():
    shares = {"a": 0.25, "b": 0.75}
    built_in = {"predictions": [{"label": "b", "probability": 0.75, "probabilities": shares}] * 2}
    assert rows(built_in) == [("b", shares)] * 2
    assert rows({"label": "b", "probabilities": shares}) == [("b", shares)]
    own = {"label": ["complaint"], "probabilities": [[0.9, 0.1]]}
    assert rows(own) == [("complaint", {"complaint": 0.9, "1": 0.1})]
    tensors = {
        "outputs": [
            {"name": "label", "shape": [2], "data": ["x", "y"]},
            {"name": "probabilities", "shape": [2, 2], "data": [0.8, 0.2, 0.4, 0.6]},
        ]
    }
    assert rows(tensors) == [("x", {"x": 0.8, "1": 0.2}), ("y", {"0": 0.4, "y": 0.6})]


@pytest.mark.parametrize(
    "value",
    [
        3,
        [],
        {"predictions": [1.5, 2.5]},
        {"predictions": {"label": "a"}},
        {"probabilities": {"a": 7}},
        {"probabilities": {"a": "0.5"}},
        {"probabilities": []},
        {"probabilities": {}},
        {"predictions": [{"label": "a", "probabilities": {}}]},
        {"probabilities": {"a": 10**400}},
        {"probabilities": {"a": float("nan")}},
        {"outputs": [{"name": "y", "shape": [1, 2], "data": [10**400, 0.5]}]},
        {"probabilities": [True, False]},
        {"outputs": [{"name": "y", "shape": [1, 1], "data": [0.5]}]},
        {"outputs": "x"},
    ],
)
def test_other_answers_have_no_scores(value):
    assert rows(value) == []


def test_without_a_label_the_largest_share_is_one():
    assert shown('{"label": null, "probabilities": {"a": 0.2, "b": 0.8}}').rows[0].label == "b"


def test_half_characters_of_an_answer_are_replaced():
    found = shown(r'{"label": "\ud800", "probabilities": {"\udfff": 0.5}}').rows[0]
    assert (found.label, found.bars) == ("?", [("?", 50.0)])
    assert shown(r'{"error": "no \ud800"}', 400).said == "no ?"


def test_an_answer_is_laid_out_cut_and_never_too_deep():
    assert shown('{"a":[1,2]}').text == '{"a": [1, 2]}'
    assert shown("plain <b>").text == "plain <b>"
    deep = shown("[" * 5000 + "]" * 5000)
    assert deep.text.startswith("[[[") and not deep.is_cut
    long = shown('"' + "x" * 50_000 + '"')
    assert (len(long.text), long.is_cut) == (20_000, True)


def test_errors_are_told_as_the_server_said_them():
    assert shown('{"error": "no such tensor"}', 400).said == "no such tensor"
    assert shown('{"error": {"code": 1, "message": "gone"}}', 404).said == "gone"
    assert shown('{"detail": "no"}', 422).said == "no"
    assert shown("Bad gateway", 502).said == "" and shown('{"error": "x"}').said == ""
    assert shown('{"probabilities": {"a": 0.5}}', 500).rows == []


def test_more_labels_and_rows_than_fit_are_counted():
    many = {f"label {number}": 0.01 * number for number in range(15)}
    found = shown(str({"predictions": [{"label": "x", "probabilities": many}] * 7}).replace("'", '"'))
    assert (len(found.rows), found.hidden_rows) == (5, 2)
    assert found.rows[0].hidden == 5 and found.rows[0].bars[0] == ("label 14", pytest.approx(14))
