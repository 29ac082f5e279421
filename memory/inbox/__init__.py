"""What people say to a run that another process drives: yes or no to a call it asks about, or that it should stop."""

from outrider.memory.inbox.answers import Answer, Scope, Via, answer, stop
from outrider.memory.inbox.driven import Inbox
from outrider.memory.inbox.questions import Question, open_questions, waiting

__all__ = ["Answer", "Inbox", "Question", "Scope", "Via", "answer", "open_questions", "stop", "waiting"]
