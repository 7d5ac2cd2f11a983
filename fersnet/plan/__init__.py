"""What a run will take, before it runs: jobs, hours, memory, disk, the critical path; and afterwards how near it was.

Times come from the jobs of an earlier run where it had the same work, scaled by the count of operations where the work
differs, and from the count alone where it had no such job. Every estimate says which.
"""
