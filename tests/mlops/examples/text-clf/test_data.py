"""The bundled sentences: enough, balanced, different from each other, and plain UTF-8 CSV."""

import csv
import io
from collections import Counter

import pytest


def _rows(file):
    return list(csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8"), newline=""), strict=True))


def _plain(text):
    return " ".join(text.lower().split())


@pytest.fixture
def training(tree):
    return _rows(tree / "data" / "train.csv")


@pytest.fixture
def feedback(tree):
    return _rows(tree / "batch" / "feedback.csv")


def test_columns_and_encoding(tree):
    for file, header in (("data/train.csv", b"text,label\n"), ("batch/feedback.csv", b"text\n")):
        content = (tree / file).read_bytes()

        assert content.startswith(header)
        assert b"\r" not in content
        assert b"\0" not in content
        assert content.endswith(b"\n")


def test_the_training_folder_holds_nothing_but_the_training_file(tree):
    assert [path.name for path in (tree / "data").iterdir()] == ["train.csv"]


def test_there_are_enough_sentences_and_both_labels_are_near_half(training, feedback):
    counts = Counter(row["label"] for row in training)

    assert len(training) >= 640
    assert len(feedback) >= 50
    assert counts.keys() == {"complaint", "compliment"}
    assert all(0.4 <= count / len(training) <= 0.6 for count in counts.values())


def test_no_text_is_empty_blank_edged_or_overlong(training, feedback):
    odd = [row["text"] for row in (*training, *feedback) if not 0 < len(row["text"].strip()) <= 400]
    edged = [row["text"] for row in (*training, *feedback) if row["text"] != row["text"].strip()]

    assert odd == []
    assert edged == []


def test_no_sentence_is_there_twice_even_across_the_two_files(training, feedback):
    counts = Counter(_plain(row["text"]) for row in (*training, *feedback))

    assert [text for text, count in counts.items() if count > 1] == []


def test_sentences_are_not_expansions_of_a_template(training):
    words = [_plain(row["text"]).split() for row in training]
    starts = Counter(tuple(text[:4]) for text in words if len(text) >= 4)
    ends = Counter(tuple(text[-4:]) for text in words if len(text) >= 4)

    assert starts.most_common(1)[0][1] <= 6
    assert ends.most_common(1)[0][1] <= 6


def test_most_sentences_share_little_with_their_nearest_other_of_the_same_label(training):
    """Word overlap (Jaccard) above 0.6 within a label is a rewording, which would leak into validation."""
    texts = [(row["label"], row["text"], set(_plain(row["text"]).split())) for row in training]
    near = [
        (first, second)
        for index, (label, first, words) in enumerate(texts)
        for other, second, others in texts[:index]
        if label == other and len(words & others) / len(words | others) > 0.6
    ]

    assert near == []


def test_length_varies(training):
    lengths = sorted(len(row["text"].split()) for row in training)

    assert lengths[len(lengths) // 10] <= 9
    assert lengths[-len(lengths) // 10] >= 16


def test_topics_are_spread(training):
    """No single subject carries the set: each is there, under both labels."""
    topics = {
        "baggage": {"bag", "bags", "suitcase", "luggage"},
        "crew": {"crew", "attendant", "steward", "purser"},
        "delay": {"delay", "delayed", "late", "early"},
        "food": {"food", "meal", "coffee", "breakfast", "sandwich"},
        "seat": {"seat", "seats"},
        "check-in": {"check-in"},
        "app": {"app", "website"},
        "refund": {"refund", "refunded", "voucher"},
        "lounge": {"lounge"},
        "boarding": {"boarding", "gate"},
        "cleanliness": {"clean", "dirty", "spotless", "filthy", "toilet", "toilets"},
        "entertainment": {"screen", "films", "film", "wifi"},
        "children": {"children", "child", "kids", "baby", "daughter", "son"},
        "accessibility": {"wheelchair", "assistance", "disabled", "deaf", "blind"},
    }
    found = Counter(
        (topic, row["label"])
        for row in training
        for topic, words in topics.items()
        if words & set(_plain(row["text"]).replace(",", " ").replace(".", " ").split())
    )

    assert {key: found[key] for key in found if found[key] > len(training) * 0.2} == {}
    assert [(t, label) for t in topics for label in ("complaint", "compliment") if found[t, label] < 5] == []
