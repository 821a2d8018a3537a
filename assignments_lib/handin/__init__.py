"""A student's last steps: see what the grader would give, and pack the notebook for handing it in.

In a notebook: ``handin.form("1_resnet34")`` shows both as buttons; `preview` and `submit` are the same without.
On the command line: ``assignments check`` and ``assignments submit``.
"""

from assignments_lib.handin.buttons import form
from assignments_lib.handin.desk import preview, submit

__all__ = ["form", "preview", "submit"]
