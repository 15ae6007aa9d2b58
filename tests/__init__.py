"""The tests. A package, so that helpers are imported as ``tests.scan`` whatever else is installed."""
