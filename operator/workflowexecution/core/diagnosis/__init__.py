"""From Tekton's words to our reasons, and from those to sentences."""
