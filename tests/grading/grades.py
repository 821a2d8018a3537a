"""Results as grading gives them, made by hand: what a student controls can be set to anything."""

from assignments_lib.marking.result import ExerciseMark, Graded, PartMark, QuestionMark

HINT = "You count the steps of the kernel, not its positions."


def made(
    student: str = "Kim Min-ji",
    words: str = "a tensor of shape (3,)",
    *,
    problem: str = "",
    earned: float | None = None,
    seconds: float = 2.5,
) -> Graded:
    """One result: a part right, one wrong with a mistake named twice, one blank; ``words`` wherever students write."""
    wrong = PartMark("sizes", 2, 0, "FAIL", words, words, "112", "one short", HINT, "Draw it.", (words,))
    exercise = ExerciseMark(
        "1.1",
        "output size",
        6,
        "FAIL",
        (PartMark("shape", 2, 2, "PASS"), wrong, wrong, PartMark("rest", 0, 0, "NOT FILLED IN", words)),
        (words,),
        "speed.",
        seconds,
    )
    question = QuestionMark("Q1", "why", 4, words, earned, words if earned is not None else "")
    return Graded(
        student, "1_resnet34", "Assignment 1: ResNet34", words[:80], "ab" * 32, 12345, (exercise,), (question,),
        problem, (words,), (words,), seconds,
    )  # fmt: skip
