"""Writers: each lays out embedded faces exactly as one dataset is distributed.

A writer offers `plan(settings, seed)`, which returns small recordings; `record(root, recording)`, which renders and
writes one of them and may run in any process and order; and `finish(root, settings, seed)`, which adds what belongs to
no recording.
"""
