"""`bpnet diagnose`."""

from __future__ import annotations

import click

from bpcli.cli.common import console, examples, say_notes
from bpcli.cli.documents import print_json
from bpcli.cli.references import Reference, run_options


@click.command(
    "diagnose",
    short_help="Find likely problems of a run, their causes, and what to try next.",
    epilog=examples("diagnose"),
)
@click.argument("run")
@run_options
def command(run: Reference, as_json: bool) -> None:
    """Find likely problems of a run, their causes, and what to try next.

    Looks for about thirty likely mistakes in the log, the units, the data and the scores of RUN:
    an id, a unique beginning of one, a tag, a name, `latest`, `latest~1`, or a path. Each finding
    has its evidence, its cause, and a command to try. A finding that only follows from another is
    listed with that one. A diverged or interrupted run can be diagnosed too; if its weights or
    data are missing, only its log is used.

    Nothing is trained. The exit code is 0 even if problems are found.
    """
    from bpcli.diagnosis.diagnose import diagnose
    from bpcli.terminal.diagnosis import diagnosis_lines
    from bpcli.workflows.subject import load_subject

    subject = load_subject(run.find(), run.weights, None)
    if subject.rebuilt is not None:
        say_notes(subject.rebuilt.notes)
    document = diagnose(subject).to_json()
    if as_json:
        print_json({"run_id": subject.run_id, "weights": subject.weights, **document})
        return
    out = console()
    for line in diagnosis_lines(subject.record, document, getattr(out, "width", None)):
        out.say(line)
