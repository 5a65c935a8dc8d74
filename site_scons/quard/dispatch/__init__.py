"""Builds of packages as actions of the Remote Execution API, which workers run."""
