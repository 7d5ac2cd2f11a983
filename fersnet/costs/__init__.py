"""What the jobs of a run cost, on whatever machine: how much data they have, operations, memory and room on disk."""
