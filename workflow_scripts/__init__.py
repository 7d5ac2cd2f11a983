"""One thin script per rule: read `snakemake`, call the package, write outputs."""
