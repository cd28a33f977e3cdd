"""One module a page: from a look at the programme to the model that the page and its JSON twin are made from."""
