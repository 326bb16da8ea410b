"""What browsers follow without asking again: executions as they run, and downloads."""
