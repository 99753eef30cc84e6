"""Run by the Python of an environment of its own: markitdown reads the files named on standard input, on N processes.

Prints one JSON object: seconds, how many files gave text and how many did not, characters, the largest process.
"""

import concurrent.futures
import importlib.metadata
import json
import resource
import sys
import time
import warnings

_converter = None


def read(path: str) -> tuple[int, int]:
    """Characters of the file's text, -1 where it has none or cannot be read; and this process's largest size."""
    global _converter
    if _converter is None:
        from markitdown import MarkItDown

        _converter = MarkItDown(enable_plugins=False)
    try:
        characters = len(_converter.convert_local(path).text_content.strip()) or -1
    except Exception:
        # Whatever its converters raise for a file is this side's failure, and counted as one.
        characters = -1
    return characters, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    warnings.simplefilter("ignore")
    processes, paths = int(sys.argv[1]), sys.stdin.read().split("\0")
    with concurrent.futures.ProcessPoolExecutor(processes) as pool:
        list(pool.map(read, paths[:processes]))  # Imports and models, as the other side has them loaded.
        started = time.perf_counter()
        results = list(pool.map(read, paths))
        seconds = time.perf_counter() - started
    read_ones = [characters for characters, _ in results if characters > 0]
    answer = {
        "version": importlib.metadata.version("markitdown"),
        "seconds": round(seconds, 2),
        "read": len(read_ones),
        "without_text": len(results) - len(read_ones),
        "characters": sum(read_ones),
        "peak_mb": round(max(size for _, size in results) / 1e6),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
