"""Where the arguments of an action come from: the person and the declared data, or content nobody vouches for."""
