"""Terminal widgets of the commune's client; import each from its own module, so that start stays light."""
