"""The console: the one public port. Web chat, health and metrics; later the agents' inbox and reports."""
