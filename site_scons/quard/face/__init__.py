"""What people see: the command line, the console, reports."""
