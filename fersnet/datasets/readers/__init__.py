"""The dataset readers, a file each; `fersnet.methods.find` finds them by name."""
