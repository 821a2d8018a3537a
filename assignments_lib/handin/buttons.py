"""A notebook's last cell: two buttons, and a field for the id."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from assignments_lib.handin.desk import preview, submit
from assignments_lib.plots.picture import in_notebook

_VIEW = "application/vnd.jupyter.widget-view+json"


def form(assignment: str) -> None:
    """Display the buttons that preview the marks, and pack the notebook for handing it in.

    ``assignment`` is such as "1_resnet34". Where buttons can't be shown, it says what to type instead.
    """
    instead = (
        f'Without buttons: handin.preview("{assignment}"), and handin.submit("{assignment}", "your id"). '
        f"In a terminal: assignments check {assignment}.ipynb, and assignments submit {assignment}.ipynb --id ID."
    )
    if not in_notebook():
        print(instead)
        return
    from IPython.display import display

    data: dict[str, Any] = {"text/plain": instead, "text/html": f"<p>{escape(instead)}</p>"}
    box = _box(assignment)
    if box is not None:
        data[_VIEW] = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    display(data, raw=True)


def _box(assignment: str) -> Any:
    """The form; None where ipywidgets can't be had."""
    try:
        import ipywidgets
    except ImportError:
        return None
    check = ipywidgets.Button(description="Check the saved notebook", icon="check", layout={"width": "auto"})
    student = ipywidgets.Text(
        description="Your id", placeholder="such as your student number", layout={"width": "24em"}
    )
    pack = ipywidgets.Button(description="Pack it for handing in", icon="archive", layout={"width": "auto"})
    screen = ipywidgets.HTML()

    def show(wait: str, make: Callable[[], Any]) -> None:
        check.disabled = pack.disabled = True
        screen.value = f"<p>{escape(wait)}</p>"
        try:
            screen.value = make()._repr_html_()
        except Exception as error:  # a button that falls silent helps nobody
            screen.value = f"<b>{escape(type(error).__name__)}</b>: {escape(str(error))}"
        finally:
            check.disabled = pack.disabled = False

    check.on_click(
        lambda _: show("Checking every exercise, up to a minute or two ...", lambda: preview(assignment))
    )
    pack.on_click(lambda _: show("Packing ...", lambda: submit(assignment, student.value)))
    rows = [
        ipywidgets.HBox([check], layout={"flex_flow": "row wrap"}),
        ipywidgets.HBox([student, pack], layout={"flex_flow": "row wrap"}),
        screen,
    ]
    box = ipywidgets.VBox(rows)
    box.add_class("assignments-handin")  # by which browser tests find it
    return box
