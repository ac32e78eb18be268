"""The commands of ``kubectl wfe``, by subject; all they do is read, view and print."""
