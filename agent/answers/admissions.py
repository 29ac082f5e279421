"""The plain ways to say in English that a goal was not reached: each a pattern, what it comes to, and when it is content instead.
Touches nothing. Sentences come in lower case, without apology, label or what they only report (outcome.py). Does not
promise: every way to say it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from outrider.agent.answers.goal_kind import GoalKind
from outrider.memory.events import Outcome

CANNOT = (
    r"(could not|couldn't|cannot|can not|can't|was unable to|were unable to|was not able to|wasn't able to|am unable to|'m unable to|unable to"
    r"|am not able to|'m not able to|failed to|did not manage to|didn't manage to|have not been able to|haven't been able to|been unable to)"
)
_REPORTED = r"(errors?|problems?|issues?|bugs?|warnings?|differences?|duplicates?|conflicts?|mistakes?|typos?|violations?|vulnerabilit\w+|failures?|changes?)"
I = r"(?<![\w'])(i|we)(?= |'m |'ve |'d |'ll )\s*(still |also |sadly |unfortunately |really |actually |simply |just )?"  # noqa: E741
_DONE = (
    r"(read|opened|found|located|reached|accessed|loaded|completed|finished|done|processed|sent|saved|written|created|deleted|removed|performed"
    r"|executed|run|fetched|retrieved|downloaded|uploaded|parsed|determined|answered|fulfilled|achieved|accomplished|summari[sz]ed|converted"
    r"|renamed|moved|copied|changed|updated|verified|translated|calculated|computed|provided|met)"
)
_VERBS = {"sent": "send|mail|email|forward", "written": "write|save", "saved": "save|store|write", "created": "creat|make|write", "read": "read|open|summar|show|print|what",
          "run": "run|execut|start", "made": "make|creat", "found": "find|search|look", "deleted": "delet|remov|rid|clear", "removed": "remov|delet"}  # fmt: skip
_THING = r"(file|folder|directory|document|page|column|table|sheet|entry|record|website|tool|way|such|information|data|attachment|image|link)s?"


@dataclass(frozen=True)
class Admission:
    """A way to say it. `content(goal, found)`: whether the words answer such a goal instead."""

    outcome: Outcome
    pattern: re.Pattern[str]
    kind: str  # "mine": said of the speaker; "state": of the world; "none": that nothing was found; "deed": not done; "task": the task; "ask"


def _one(outcome: Outcome, kind: str, *ways: str) -> Admission:
    return Admission(outcome, re.compile("|".join(f"(?:{way})" for way in ways)), kind)


ADMISSIONS = (
    _one(
        "refused", "mine",
        rf"{I}(will not|won't|(must |have to |shall )?(refuse|decline)|(am|'m) not (allowed|permitted|comfortable|willing)|(would|'d) rather not)\b",
        rf"{I}(was|were|have been|had been)( not|n't) (allowed|permitted|authori[sz]ed) to\b|{I}(wasn't|weren't) (allowed|permitted) to\b",
        r"\A(the |my |this )?(call|request|action|deletion|command|operation|permission|access|[a-z]{2,}ing)( (to|of) [\w./-]+)? (was|were|is) (denied|declined|refused|rejected|blocked|cancell?ed|aborted|not (allowed|permitted|approved|granted))\b",
        r"\Ayou (declined|refused|denied|rejected|did not (approve|allow|confirm)|didn't (approve|allow|confirm))\b",
        rf"{I}(am|'m) not going to (do|help|assist|provide|write|send|delete|be)\b",
        rf"{I}(can't|cannot|can not|am unable to|'m unable to|am not able to|'m not able to) (help|assist|comply)\b",
        r"\b(against|violates?|violating|breach\w*) (my|our|the|\w+'s?)( \w+){0,2} (guidelines|policy|policies|principles|terms)\b",
    ),
    _one(
        "not_found", "mine",
        rf"{I}({CANNOT}|did not|didn't|have not|haven't|don't|do not|can't|cannot) (find|found|locate|located|see)\b",
        rf"{I}(found (no|nothing)|have found (no|nothing)|see no)\b",
        r"\A(unable to|no|could not|couldn't|cannot|can't) (find|locate)\b",
        r"\b(but|and) (couldn't|could not|didn't|did not) (find|locate)\b",
    ),
    _one(
        "unable", "mine",
        rf"{I}({CANNOT}|(do not|don't) (know|have (access|enough|sufficient|permission|the (ability|tools?|means|information|data)|any (tool|way|access|information)|a tool|a way)))",
        rf"{I}((have|'ve) no (tool|way|access|idea|permission|means|information)|lack|give up|gave up|had to (give up|stop)|have to give up)\b",
        rf"{I}(did not|didn't|have not|haven't) (do|done|finish(ed)?|completed?|send|sent|deleted?|write|written|saved?|created?|make|made|run|changed?) (it|this|that|them|the|any|your|all|so|what)\b",
        rf"{I}(did not|didn't|have not|haven't) (do|done|finish(ed)?|completed?|send|sent|deleted?|write|written|saved?|created?|make|made|run)\b",
        rf"{I}(tried|attempted) .*\b(but|however|and|without)\b.*\b(fail\w*|errors?|success|could not|couldn't|can't|cannot|not|no|denied|unable|nothing)\b",
        r"\A(unable to|could not|couldn't|cannot|can't|failed to)\b",
        rf"{I}(do not|don't) have\W*\Z|{I}(do not|don't) have (a|an|any|the|that|this|your|such)\b.{{0,30}}\b(file|document|tool|tools|access|image|page|data|code)\b",
        rf"{I}(haven't|have not) been given\b",
        rf"{I}(encountered|ran into|hit|got|received|met) (an? |the |some )?(\w+ )?(error|problem|issue|exception|failure|timeout)s?\b(?!.*\b(fixed|solved|resolved|recovered|then|so i)\b)",
        r"\bsomething (has )?(went|gone) wrong\b",
        r"\b(is not|isn't) something i\b",
        r"\bnot possible (for me|to (determine|say|tell|know|find|open|read|complete|do|answer|proceed|continue|help))\b",
        r"\A(there (is|was) )?(not enough|insufficient) (information|data|context|details|permissions?)\b|\Anot (available|determined|applicable)\W*\Z",
        r"\A(operation |task |request )?(cancell?ed|aborted|skipped|timed out)\W*\Z",
        r"\bnone of my tools\b",
        r"\A(it was )?not (possible|done|completed?)\b",
        r"\b(this|that|it)('s| is| would be| lies)? (beyond|outside|out of) (of )?(my|what i)\b",
        r"\A(had to )?(give|gave) up\b",
    ),
    _one(
        "partial", "mine",
        rf"{I}(only (managed|was able|got|read|did|finished|completed)|(was|am) only able|(have |'ve )?(only )?part(ly|ially) )",
        rf"{I}(am|'m) (not|un)(\s)?(sure|certain)\b(?! (to|how to) )",
        r"\A(this is|here is)( only)? (a|an) (partial|incomplete)\b",
        r"\b(remains?|is still|are still) to be (done|finished|completed)\b",
        r"\A(only )?part(ly|ially) (done|complete\w*|finished|answered)\b",
    ),
    _one(
        "unable", "undone",
        rf"{I}.{{0,60}}?(did not|didn't|have not|haven't) (?P<verb>\w+)",
        rf"\A(nothing|no (\w+ )?(changes?|files?|edits?|mail|message)) (was|were|has been|have been) (?P<verb2>{_DONE}|made)\b(?!.*\b(already|up to date|needed|necessary)\b)",
    ),
    _one(
        "not_found", "state",
        r"\b((was|were|is|are|has been) not|wasn't|weren't|isn't|aren't) found\b",
        r"\A.{0,60}\bnot found\b",
        r"\b(could not|couldn't|cannot|can't|can not) be (found|located|read|opened|reached|accessed)\b",
        r"\b(does not|doesn't|do not|don't|did not|didn't|doesn't seem to|does not seem to) exist\b(?! any ?(more|longer))",
        rf"\bthere( is| was| are| were|'s)( no|n't any|n't an?| not any| not an?) ((\w+ )?{_THING}\b|[\w/-]*\w\.\w{{1,5}}\b)",
        rf"\bthere (doesn't|does not|don't|do not) (appear|seem) to be (any|an?|the) ((\w+ )?{_THING}\b|[\w/-]*\w\.\w{{1,5}}\b)",
        r"\A(no such)\b",
        r"\A.{0,60}\bno such (file|directory|table|column|host)\b",
        rf"\A(the |your |that )?(({_THING}) )?([\w/-]*\w\.\w{{1,5}}|{_THING})( [\w./-]+){{0,3}} (is|are|seems to be|appears to be) (missing|gone|absent)\b",
        r"\b(is|are|was|were) empty, so\b|\bthere (is|was|'s) nothing to \w+",
    ),
    _one(
        "not_found", "none",
        rf"\A(no|nothing)\b(?! (\w+ )?{_REPORTED}\b)[^:;]{{0,60}}\b(found|available|turned up|returned)\b",
        r"\A(no|zero) (\w+ )?(results?|match|matches|hits?|records?|information|data|answer)\b",
        r"\b(returned|gave|yielded|produced) (no|zero) (\w+ )?(results?|matches|hits|data|answer)\b|\b(turned up|came up with|returned|found) nothing\b|\bcame up empty\b",
        r"\A(the|that|this|such)?\s?(requested )?(information|info|answer|details?|data) (is|are|was|were)( not|n't) \w+",
        r"\A(it|that|this) (is|was)( not|n't) (available|known|given|stated|specified)\b",
    ),
    _one(
        "not_found", "silent",
        r"\A(the|this|that|your|neither) (\w+ )?(text|document|file|page|article|letter|report|table|data|source|passage|context|note|paper|folder|workspace|pdf|book|message|list|invoice|spreadsheet|log|database|archive|website)s?( [\w./-]+)?"
        r" ((does not|doesn't|do not|don't|did not|didn't) (say|mention|contain|include|state|specify|give|list|provide|tell|name|have|hold)|(has|have|contains?|holds?|gives?) no)\b",
        r"\A(?P<about>the [^:;]{1,60}?) (is not|isn't|are not|aren't|was not|wasn't) (stated|given|listed|mentioned|specified|included|present|shown|available|known|recorded|contained)( (in|on|there|anywhere|by)\b|\W*\Z)",
    ),
    _one(
        "not_found", "of_it",
        r"(?P<it>[\w/-]*\w\.\w{1,5})[`*\"']* ((is|was|are|seems|appears|looks) (to be )?(missing|absent|unreadable|corrupt\w*|damaged|encrypted|inaccessible|unknown)|failed|(was|is) skipped)\b",
        r"(?P<it2>[\w/-]*\w\.\w{1,5})[`*\"']*\s*[:|=–—-]+\s*(not found|(could not|couldn't|cannot|can't) be \w+|missing|unreadable|error|failed|n/a|unknown|no such)\b",
    ),
    _one("partial", "of_some", r"\Aonly .{1,60}\b(could be|was|were) (read|opened|found|processed|sent|saved|done|converted|loaded|finished|completed)\b"),
    _one("not_found", "named", r"\b(contains?|have|has|holds?) no\b|\b(do not|don't|does not|doesn't) (have|contain)\b"),
    _one(
        "unable", "state",
        r"\A(an? |the |some )?(unexpected |internal |unknown )?(error|exception|problem|failure) (has )?(occurred|happened|arose|was (raised|returned|encountered)|prevented)\b",
        r"\A(the |my |a )?(tool|server|site|website|api|call|request|command|search|host|model|service)\w* (\w+ )?(returned|gave|reported|failed with|raised|answered with) (an? |the )?(\w+ )?(error|exception|failure)",
        r"\A(access|permission) (is |was )?(denied|refused)\b",
        r"\A(the )?\w+_\w+ (tool |call )?(has )?failed\b|\A(the )?(tool |request |call |connection |search |page )+timed out\b",
        r"\Aan? (\w+ )?error prevented\b",
        r"\A(the |your |this |that |my )?(operation|command|call|search|attempt|tool|download|upload|server|read|write|[a-z]{2,}ing)( of [\w./-]+)? (has |have )?failed\b",
        r"\A(the |this |that )?(server|site|website|page|host|service|api|connection)( at [\w./:-]+)? ((did not|didn't|does not|doesn't) (respond|answer|load|reply|work)|(is|was) (unreachable|unavailable|down|offline|not reachable)|timed out)\b",
        r"\A(fatal|critical)? ?error\b(?= ?\Z)",
    ),
    _one(
        "unable", "task",
        r"\A(the |your |this |that )?(task|goal|request|work|job|answer)( has)? failed\b",
        r"\A(the |your |this |that )?(task|goal|request|work|job|answer)( is| was| remains| has been)? (incomplete|unfinished|impossible|(not|never) (yet )?(been )?(complete|completed|done|finished|reached|met|fulfilled))\b",
    ),
    _one(
        "unable", "deed",
        rf"(?P<subject>(?:\A|; )[^:;]{{0,80}}?)\b(could not|couldn't|cannot|can't|can not) be (?P<deed>{_DONE})\b",
        rf"(?P<subject2>(?:\A|; )[^:;]{{0,80}}?)\b(was not|were not|wasn't|weren't|has not|hasn't|have not|haven't|is not|isn't)( yet)?( been)? (?P<deed2>{_DONE})\b(?! (until|before)\b)",
    ),
    _one(
        "unable", "ask",
        r"\A(could|can|would|will) you( please)? (provide|share|upload|specify|clarify|attach|paste|send|supply|tell me|give me|confirm|let me know)\b",
        r"\A(please|kindly) (provide|share|upload|specify|clarify|attach|paste|send me|supply|tell me|give me|confirm|let me know)\b(?! if)",
        r"\A(which|what) [\w.-]+( [\w.-]+){0,4} (do|did|would) you (mean|want|like|prefer|need)\b|\Awhat do you mean\b",
        rf"{I}(would |'d |will |'ll )?need (you to|more|additional|further|to know (which|what)|some more)\b",
        r"\bplease (attach|upload|provide|re-?send|share|paste)\b.{0,60}\Z",
        r"\A(shall|should) i\b",
    ),
    _one(
        "unable", "mine",
        r"\Ai('ll| will) get back to you\b|\A(please )?(wait|hold on|stand by|bear with me)\b|\A(one|just a) (moment|second|minute)\b",
    ),
)  # fmt: skip


def admitted(sentence: str, goal: GoalKind) -> Iterator[tuple[Admission, re.Match[str]]]:
    """What a sentence admits of the run, for this goal: nothing where its words answer the goal."""
    for admission in ADMISSIONS:
        found = admission.pattern.search(sentence)
        if found and not _is_content(admission.kind, sentence, found, goal):
            yield admission, found


def _is_content(kind: str, sentence: str, found: re.Match[str], goal: GoalKind) -> bool:
    words = sentence[: found.end() + 40]
    if kind == "mine":
        return goal.authors and not OF_THE_WORK.search(sentence[found.start() :])
    if kind == "task":
        return goal.whether or goal.authors
    if kind == "ask":
        return goal.authors or goal.has("ask")
    if kind == "undone":
        return _is_wished(found, sentence, goal)
    if kind == "of_it":
        it = found["it"] or found["it2"]
        return it not in goal.names or goal.whether or goal.troubled or goal.removes
    if kind == "of_some":
        return goal.has("only") or goal.has("which") or goal.whether
    if (
        goal.whether
        or goal.inline
        or goal.is_about(words, wide=kind != "deed")
        or _SUPPOSED.search(sentence[: found.start()])
    ):
        return True
    if kind == "none":
        return goal.counts
    if kind == "silent":
        if found["about"]:
            return not goal.asks or not any(goal.has(word) for word in found["about"].split() if len(word) > 3)
        return not goal.asks and not goal.named_in(words)
    if kind == "named":
        return not any(name in sentence[found.end() : found.end() + 60] for name in goal.names)
    if kind == "deed":
        return not _is_of_the_goal(found, goal)
    return goal.has("status") and "found" not in words


_SUPPOSED = re.compile(r"\b(if|when|whenever|unless|in case|in which case|because|so that it|which|who)\b")
OF_THE_WORK = re.compile(  # what a run does: "I could not translate it", and not "I could not hold you"
    r"\b(do|does|done|doing|translate|write|draft|compose|create|produce|open|read|find|access|complete|finish|help|assist|comply|fulfil\w*|process"
    r"|generate|save|send|locate|fetch|answer|provide|file|files|tool|tools|task|goal|request|run|decline|refuse|policy|policies|guidelines)\b"
)


def _is_wished(found: re.Match[str], sentence: str, goal: GoalKind) -> bool:
    """Whether leaving it undone was as it should be: the goal did not ask for it, or only asks."""
    if found["verb2"]:
        return goal.asks or goal.counts or goal.authors
    if goal.whether or re.search(
        r"\bas (you|requested|asked|instructed|told)\b|\bdo not\b|\bdon't\b", f"{sentence} {goal.text}"
    ):
        return True
    verb = re.sub(r"(tt|dd|nn|pp)?(ed|en|t|n)\Z", "", found["verb"])
    return len(verb) < 2 or not (
        goal.has(verb) or any(goal.has(stem) for stem in _VERBS.get(found["verb"], verb).split("|"))
    )


def _is_of_the_goal(found: re.Match[str], goal: GoalKind) -> bool:
    """Whether what was not done is what the goal asked for: its own verb, or the task itself."""
    deed = found["deed"] or found["deed2"] or ""
    subject = found["subject"] or found["subject2"] or ""
    if re.search(r"\b(task|goal|request|job|work|step|rest|order)\b", subject) or (
        goal.named_in(subject) and not goal.counts
    ):
        return True
    if re.fullmatch(r"(this|that|it)\s*", subject.strip()):
        return not goal.asks or deed in ("done", "completed", "finished", "found", "answered", "determined")
    stems = _VERBS.get(deed) or re.sub(r"(ed|ied)\Z", "", deed)
    return not goal.counts and any(goal.has(stem) for stem in stems.split("|"))
