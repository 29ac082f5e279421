"""What must not be stored or shown is masked here: values of secrets in all their forms, and text that has the shape of a key."""

from outrider.memory.redaction.masker import NOTHING, Masker
from outrider.memory.redaction.secrets_of import from_environment, looks_secret

__all__ = ["NOTHING", "Masker", "from_environment", "looks_secret"]
