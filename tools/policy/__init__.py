"""Who decides whether a call may run: rules (allow, ask, deny), the rule of two, and whose words a call repeats."""

from outrider.tools.policy.policy import DEFAULTS, Policy
from outrider.tools.policy.rules import EFFECTS, Rule

__all__ = ["DEFAULTS", "EFFECTS", "Policy", "Rule"]
