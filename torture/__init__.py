"""Torture: break the real server under real visitors, and hold what is stored against what they
were told. `make torture` runs it; docs/reliability.md tells what it found.
"""
