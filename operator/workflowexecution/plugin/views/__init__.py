"""What each command shows, as values: pure functions of facts and a moment."""
