"""The exception that a blank exercise raises: one sentence, no traceback."""


class NotFilledIn(NotImplementedError):
    """An exercise that is still blank was needed.

    IPython asks an exception for ``_render_traceback_`` before it formats one itself, so the student reads
    the sentence that names the exercise and not forty lines of frames.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"NotFilledIn: {self}"]
