"""Pure words that every room shares: findings, errors, instants, quantities, canonical form."""
