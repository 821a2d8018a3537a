"""The form: what it shows where it can't be used, and what its buttons do."""

from pathlib import Path
from typing import Any

import pytest

from assignments_lib.handin import buttons as module
from assignments_lib.handin.desk import Said

NAME = "1_resnet34"


def parts(box: Any) -> tuple[Any, Any, Any, Any]:
    (check,), (student, pack), screen = box.children[0].children, box.children[1].children, box.children[2]
    return check, student, pack, screen


def test_without_a_notebook_it_says_what_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    module.form(NAME)
    said = capsys.readouterr().out
    for words in (
        f'handin.submit("{NAME}", "your id")',
        f"assignments check {NAME}.ipynb",
        "assignments submit",
    ):
        assert words in said


def test_in_a_notebook_the_words_stand_in_where_buttons_cant_be_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(module, "in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    module.form(NAME)
    (data,) = shown
    assert "handin.submit" in data["text/html"]
    assert data[module._VIEW]["model_id"]
    monkeypatch.setattr(module, "_box", lambda _: None)
    module.form(NAME)
    assert set(shown[1]) == {"text/plain", "text/html"}


def test_the_buttons_ask_for_what_they_say_and_show_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(module, "preview", lambda name: asked.append((name,)) or Said(("marks <here>",)))
    monkeypatch.setattr(
        module, "submit", lambda name, id: asked.append((name, id)) or Said(("packed",), Path("kim.zip"))
    )
    check, student, pack, screen = parts(module._box(NAME))
    check.click()
    assert "marks &lt;here&gt;" in screen.value
    student.value = "kim"
    pack.click()
    assert "packed" in screen.value
    assert asked == [(NAME,), (NAME, "kim")]


def test_while_it_works_both_buttons_are_off_and_afterwards_on(monkeypatch: pytest.MonkeyPatch) -> None:
    check, _, pack, screen = parts(module._box(NAME))
    seen = []

    def look(name: str) -> Said:
        seen.append((check.disabled, pack.disabled, screen.value))
        raise RuntimeError("<odd>")

    monkeypatch.setattr(module, "preview", look)
    check.click()
    assert seen[0][:2] == (True, True)
    assert "Checking" in seen[0][2]
    assert not check.disabled
    assert not pack.disabled
    assert "RuntimeError" in screen.value
    assert "&lt;odd&gt;" in screen.value
