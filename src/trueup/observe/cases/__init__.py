"""One row a case: what the events of its follow-up window say."""
