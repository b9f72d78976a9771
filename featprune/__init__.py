"""Feature-aware pruning in MLPs: lottery tickets across the lazy-to-rich spectrum."""
