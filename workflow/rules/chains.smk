# What the rules of train.smk ask the study, as functions of wildcards.
CHAINED = [name for name, criterion in CRITERIA.items() if criterion.source == "chain"]
UNCHAINED = [name for name in CRITERIA if name not in CHAINED]
BY_ROUND = [name for name, e in STUDY.experiments.items() if e.pruning.rounds_per_job == 1]


def by_span(spans_of):
    """(first, last) -> the experiments in which a job makes these rounds; `spans_of` gives an experiment's spans."""
    found = {}
    for name, experiment in STUDY.experiments.items():
        for span in spans_of(experiment):
            found.setdefault((span[0], span[-1]), []).append(name)
    return found


def whole(experiment):
    """All rounds as one span."""
    return [range(1, experiment.pruning.rounds + 1)] if experiment.pruning.rounds else []


def several(experiment):
    """The spans of an experiment that trains several rounds a job."""
    return experiment.spans if experiment.name not in BY_ROUND else []


def span_run(first, last):
    """Where the logs of a job that makes several rounds lie."""
    return RunPath(RUN.cell, f"{first}-{last}", RUN.block)


def each_round(name, first, last):
    """The patterns of a file of each round of a span."""
    return [RunPath(RUN.cell, round, RUN.block).file(STUDY.root, name) for round in range(first, last + 1)]


def rounds_of(w, first, last):
    """The rounds that a job makes: its span's, or its wildcard's."""
    return range(first, last + 1) if first else range(int(w.round), int(w.round) + 1)


def extraction_inputs(first=None, last=None):
    """The input function of a job that extracts the masks of these rounds."""
    return lambda w: STUDY.extraction_inputs(cell_of(w), rounds_of(w, first, last), w.block)


def retraining_inputs(first=None, last=None):
    """The input function of a job that retrains in these rounds."""
    return lambda w: STUDY.retraining_inputs(cell_of(w), rounds_of(w, first, last), w.block)


def chain_inputs(first, last):
    """The input function of a job that does both."""
    return lambda w: extraction_inputs(first, last)(w) | retraining_inputs(first, last)(w)


def pruning(first=None, last=None):
    """What an extraction depends on besides its files."""
    return lambda w: STUDY.extraction_params(cell_of(w), rounds_of(w, first, last), w.block)


def training(first=None, last=None):
    """What a retraining depends on besides its files."""
    return lambda w: STUDY.training_params(cell_of(w), rounds_of(w, first, last), w.block)


def chain_code(script):
    """The fingerprint of a job on a chain: of the registries, only its criterion and its rewind count."""

    def fingerprint(w):
        criterion = STUDY.experiments[w.experiment].masks_by(cell_of(w).kind)
        return script_code(script, CRITERIA=criterion, REWINDS=w.rewind, **network_entries(w.experiment))

    return fingerprint
