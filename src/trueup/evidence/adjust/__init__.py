"""Taking out of a comparison what was known before it: covariates of cases, the size of blocks, the mix of strata."""
