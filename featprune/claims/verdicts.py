"""The words of the table of claims: the claims' names, and the verdicts."""

CLAIM_1, CLAIM_2, CLAIM_3, HYPOTHESIS, HEADLINE = "1", "2", "3", "hypothesis", "headline"
HOLDS, FAILS, UNDECIDED = "holds", "fails", "undecided"
