"""The words of the table of claims, the claims' names and the verdicts, and which of its rows are shown."""

import numpy as np
import pandas as pd

CLAIM_1, CLAIM_2, CLAIM_3, HYPOTHESIS, HEADLINE = "1", "2", "3", "hypothesis", "headline"
HOLDS, FAILS, UNDECIDED = "holds", "fails", "undecided"


def with_linearized(claims: pd.DataFrame) -> pd.DataFrame:
    """The rows that decide, and the answers of linearized networks to the same questions, which decide nothing."""
    deciding = claims[claims["decides"]]
    questions = deciding[["claim", "statistic", "criterion", "rewind", "round"]].drop_duplicates()
    return pd.concat([deciding, claims[np.isinf(claims["alpha"])].merge(questions)], ignore_index=True)
