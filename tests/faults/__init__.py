"""What breaks a process on purpose: a shim before its file system, and power cuts."""
