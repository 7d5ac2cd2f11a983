"""What the rules ask for: which files they take and make, and what their results depend on.

No script of a job imports from here: a change of it is a change of the plan, and retrains nothing by itself.
"""
