"""Remove from the exceptions what no longer occurs; new offences are never added.

Run as `python -m tests.architecture.shrink`, after a merge too: it sorts, and drops repeated lines.
"""

from tests.architecture.guards import EXCEPTIONS, GUARDS, exceptions, offences


def main() -> None:
    counts = exceptions()
    lines = []
    for guard in GUARDS:
        for key, places in offences(guard).items():
            if count := min(len(places), counts[key]):
                lines.append(" ".join((*key, str(count))))
    EXCEPTIONS.write_text("".join(f"{line}\n" for line in sorted(lines)), "utf-8")


if __name__ == "__main__":
    main()
