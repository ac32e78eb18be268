"""From a change to a status: event handler, queue, reconcilers, launch, and the one write."""
