"""Results → what each model scored, with how sure that is.
Touches nothing. Does not promise: that goals are alike; an interval says what other goals of this kind would give.

Success: Wilson's 95 % interval (E. B. Wilson, 1927) around the mean over goals, with n = the number of goals: attempts of
one goal are not independent, so repeating a goal does not narrow it. Steps, tokens, dollars, seconds: the mean over goals, and
the middle 95 % of 2,000 bootstrap samples of goals (fixed seed: the same results give the same table).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from outrider.agent.evaluation.attempts import Result

Z = 1.959963984540054  # of a normal distribution, 97.5 %
SAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Score:
    """What a model came to. goals, attempts: how many. succeeded: attempts that passed. usd_total: of all attempts."""

    model: str
    goals: int
    attempts: int
    succeeded: int
    success: Estimate
    steps: Estimate
    tokens: Estimate
    usd: Estimate
    seconds: Estimate
    usd_total: float


def wilson(mean: float, n: int) -> Estimate:
    """Wilson's interval for a share `mean` of `n`; 0 … 1 when n is 0."""
    if n == 0:
        return Estimate(0.0, 0.0, 1.0)
    middle = (mean + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(mean * (1 - mean) / n + Z * Z / (4 * n * n))
    low = 0.0 if mean == 0 else max(0.0, middle - half)  # exact at the ends, where rounding would leave 1e-17
    return Estimate(mean, low, 1.0 if mean == 1 else min(1.0, middle + half))


def bootstrap(values: Sequence[float]) -> Estimate:
    """The mean of values, one a goal, and the middle 95 % of the means of resampled ones. Needs at least one value."""
    mean = math.fsum(values) / len(values)
    if len(set(values)) == 1:
        return Estimate(mean, mean, mean)
    rng = random.Random(0)  # noqa: S311 - a statistic, not a secret
    means = sorted(math.fsum(rng.choices(values, k=len(values))) / len(values) for _ in range(SAMPLES))
    return Estimate(mean, means[int(SAMPLES * 0.025)], means[int(SAMPLES * 0.975) - 1])


def scores(results: Sequence[Result]) -> list[Score]:
    """One score a model, in the order they come; a model without results has none."""
    return [
        _score(model, [one for one in results if one.model == model])
        for model in dict.fromkeys(r.model for r in results)
    ]


def _score(model: str, results: list[Result]) -> Score:
    goals: dict[str, list[Result]] = {}
    for result in results:
        goals.setdefault(result.goal, []).append(result)

    def over(value: Callable[[Result], float]) -> list[float]:
        return [math.fsum(map(value, group)) / len(group) for group in goals.values()]

    passed = over(lambda result: float(not result.wrong))
    return Score(
        model=model,
        goals=len(goals),
        attempts=len(results),
        succeeded=sum(not result.wrong for result in results),
        success=wilson(math.fsum(passed) / len(passed), len(goals)),
        steps=bootstrap(over(lambda result: result.steps)),
        tokens=bootstrap(over(lambda result: result.tokens)),
        usd=bootstrap(over(lambda result: result.usd)),
        seconds=bootstrap(over(lambda result: result.seconds)),
        usd_total=math.fsum(result.usd for result in results),
    )
