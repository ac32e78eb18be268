"""The commands of ``kubectl wfe``, by topic: each reads, makes a view, and prints it."""
