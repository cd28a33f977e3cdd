"""Five answers about readiness become a route, with what to do next and what would change it."""
