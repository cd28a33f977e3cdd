"""From readiness to a route, from ranges to a portfolio that fits, from both to a plan and one page."""
