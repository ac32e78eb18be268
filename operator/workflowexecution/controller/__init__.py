"""From a watch event to a status: event handler, workqueue, reconcilers, launch, status writer."""
