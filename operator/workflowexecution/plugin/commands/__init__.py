"""The commands of ``kubectl wfe``, one module each; all they do is read, view and print."""
