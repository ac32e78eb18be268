"""Pure core: facts, decisions and status texts as functions of values; no I/O, no clock."""
