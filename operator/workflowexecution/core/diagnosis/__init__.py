"""From Tekton's reasons to the reasons of the API, and from those to sentences."""
