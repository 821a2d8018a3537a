"""One submission's marks, from its bytes: the same at a student's desk (`assignments check`) and in the grader."""
