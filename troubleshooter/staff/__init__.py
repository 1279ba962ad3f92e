"""How staff log in: our answers to what allauth asks, the gate before its pages, “Your account”."""
