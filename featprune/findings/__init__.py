"""What studies found: their small tables, published in docs/findings/, and the page that is made from these alone."""
