"""The console's pages and endpoints, one module per area."""
