"""From a source to a draft in the workshop."""
