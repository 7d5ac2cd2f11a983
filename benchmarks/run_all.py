"""Runs every benchmark of this folder, one after the other: `make bench`."""

import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Run the benchmarks in the order of their names; stop at none that fails, but end with a failure."""
    failed = []
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.name == Path(__file__).name:
            continue
        print(f"== {path.stem}", flush=True)
        if subprocess.run([sys.executable, str(path)], check=False).returncode:
            failed.append(path.stem)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
