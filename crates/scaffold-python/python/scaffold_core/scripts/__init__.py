"""Tests of an installation and its models, and their report."""
