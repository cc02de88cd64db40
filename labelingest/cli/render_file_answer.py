"""Print what became of one file, and why, for people and as JSON."""

from labelingest.cli.console import Console, open_console, print_line, to_json
from labelingest.cli.render_keys import OUTCOMES
from labelingest.pairing.near_misses.one_file import FileAnswer
from labelingest.pipeline import Paired, as_flags

__all__ = ["file_answer_as_json", "print_file_answer"]


def print_file_answer(paired: Paired, answer: FileAnswer) -> None:
    """Print the answer for one file, on standard output."""
    console = open_console()
    print_line(console, f"{answer.key}: {OUTCOMES[answer.outcome]}")
    _print(console, "Rule", f"{as_flags(paired.rule)} ({paired.recognised or 'given'})")
    for claim in answer.claims:
        captures = ", ".join(f"{name} = {value!r}" for name, value in claim.captures.items())
        _print(console, "Matches", f"{claim.role} {claim.text!r}: {captures}")
    if not answer.claims:
        _print(console, "Matches", "no pattern and no suffix")
    for other in answer.expected:
        became = "does not exist" if other.outcome is None else OUTCOMES[other.outcome]
        _print(console, "Looked for", f"{other.key}: {became}")
    _print(console, "Why", answer.reason)
    for miss in answer.near:
        _print(console, "Near miss", miss)
    if answer.similar:
        _print(console, "Similar", ", ".join(answer.similar))


def _print(console: Console, heading: str, text: str) -> None:
    print_line(console, f"  {heading:<11}", text)


def file_answer_as_json(paired: Paired, answer: FileAnswer) -> bytes:
    """Return the answer for one file as JSON."""
    return to_json(
        {
            "key": answer.key,
            "outcome": answer.outcome.name.lower(),
            "rule": as_flags(paired.rule),
            "layout": paired.recognised or "given",
            "matches": [
                {"role": claim.role, "text": claim.text, "captures": dict(claim.captures)}
                for claim in answer.claims
            ],
            "expected": [
                {
                    "key": other.key,
                    "exists": other.outcome is not None,
                    "outcome": None if other.outcome is None else other.outcome.name.lower(),
                }
                for other in answer.expected
            ],
            "why": answer.reason,
            "near_misses": list(answer.near),
            "similar": list(answer.similar),
        }
    )
