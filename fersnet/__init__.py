"""FERSNet: facial expression recognition and synthesis, and the pipeline that regenerates its paper."""

__version__ = "0.2.0"
