"""Measurements that back the project's claims about speed; run with `nox -s bench`."""
