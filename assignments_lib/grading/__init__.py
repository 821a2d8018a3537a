"""Submissions in; marks, feedback and a gradebook out. An instructor's part: nothing else imports it."""
