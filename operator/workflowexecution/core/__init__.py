"""Pure core: what is seen, decided and told, as functions of values; no I/O, no clock."""
