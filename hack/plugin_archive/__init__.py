"""`kubectl wfe` as one archive a platform, and the manifest by which krew installs it."""
