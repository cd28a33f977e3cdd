"""Pure statistics on numbers: sequences, gate intervals, power. Knows no Trueup types."""
